//! The facts of the story, and whether they are so.

use std::collections::BTreeMap;
use std::fmt::Debug;

use echodesk_tests::demo_mailbox::MESSAGES;
use echodesk_tests::sandbox::bank::Capture;
use echodesk_tests::sandbox::smtp::ReceivedMail;

use crate::calendar::Calendar;
use crate::records;
use crate::stage::Stage;
use crate::tenants::{ACME, ALL, PRICE};

/// What each is told on which day.
const TOLD: [(&str, &[&str]); 3] = [
    ("acme", &["-7 reminder", "-3 urgent_reminder", "-2 renewal_paid"]),
    (
        "bell",
        &[
            "-7 reminder",
            "-3 urgent_reminder",
            "-2 payment_failed",
            "-1 payment_failed",
            "1 payment_failed",
            "1 grace_warning",
            "2 grace_warning",
            "3 renewal_paid",
        ],
    ),
    (
        "cola",
        &[
            "-7 reminder",
            "-3 urgent_reminder",
            "-2 payment_failed",
            "1 grace_warning",
            "2 grace_warning",
            "3 grace_warning",
            "4 grace_warning",
            "5 grace_warning",
            "6 grace_warning",
            "7 grace_warning",
            "8 suspended",
            "9 reactivated",
        ],
    ),
];

/// The runs that have something to report: cards were refused.
const FAILING: [&str; 3] = ["-2 recurring-payments", "-1 recurring-payments", "1 recurring-payments"];

/// Those of the mailbox, and the one that arrives.
const LETTERS: usize = MESSAGES + 1;

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// By tenant: day and kind of each mail, in their order.
    pub(crate) told: BTreeMap<String, Vec<String>>,
    /// Day and program of the runs that ended with exit code 1.
    pub(crate) failing: Vec<String>,
    /// Who was switched off after the run of the day of suspension.
    pub(crate) suspended: Vec<String>,
    /// Who is switched off at the end.
    pub(crate) suspended_at_end: Vec<String>,
    /// By tenant: what the bank has captured.
    pub(crate) captured: BTreeMap<String, Vec<String>>,
    /// When each subscription expires, by tenant.
    pub(crate) expires: Vec<String>,
    /// The bank's ids of what it has captured, and of the orders that are paid in the database.
    pub(crate) booked: (Vec<String>, Vec<String>),
    /// Rows of messages, and how many of them are different.
    pub(crate) letters: (usize, usize),
    /// How many of them the runs say that they have stored.
    pub(crate) stored: u64,
}

impl Seen {
    /// Notes a mail.
    pub(crate) fn told(&mut self, day: i32, mail: &ReceivedMail) {
        let to = mail.to.join(",");
        let tenant = ALL.into_iter().find(|tenant| tenant.admin() == to);
        let name = tenant.map_or(to, |tenant| tenant.schema.to_owned());
        self.told.entry(name).or_default().push(format!("{day} {}", kind(mail)));
    }

    /// Looks at bank, database and mail server.
    pub(crate) fn look(&mut self, stage: &Stage) -> Result<(), String> {
        for capture in stage.bank.captures() {
            let sum = format!("{:.2} {}", capture.amount, capture.currency);
            self.captured.entry(payer(&capture)).or_default().push(sum);
            self.booked.0.push(capture.order_id);
        }
        self.booked.1 = records::texts(
            stage,
            "public",
            "SELECT bog_order_id AS value FROM tenants_payment_order WHERE status = 'paid' AND bog_order_id NOT LIKE 'CARD-%'",
        )?;
        self.booked.0.sort();
        self.booked.1.sort();
        self.suspended_at_end = records::suspended(stage)?;
        self.expires = records::texts(
            stage,
            "public",
            "SELECT t.schema_name || ' ' || substr(s.expires_at, 1, 10) AS value FROM tenants_tenant t \
             JOIN tenants_tenant_subscription s ON s.tenant_id = t.id WHERE t.is_active AND s.is_active ORDER BY t.id",
        )?;
        let letters = records::texts(
            stage,
            ACME.schema,
            "SELECT coalesce(message_id, '') || subject AS value FROM social_integrations_emailmessage ORDER BY 1",
        )?;
        let mut different = letters.clone();
        different.dedup();
        self.letters = (letters.len(), different.len());
        Ok(())
    }
}

/// Which notice a mail is, by its Message-ID: `<KIND.NUMBER.…@…>`.
pub(crate) fn kind(mail: &ReceivedMail) -> String {
    let id = mail.message_id();
    id.trim_start_matches('<').split('.').next().unwrap_or_default().to_owned()
}

/// Who has paid: whose card it was, or who pays by hand.
pub(crate) fn payer(capture: &Capture) -> String {
    match &capture.parent_order_id {
        Some(card) => ALL.into_iter().find(|tenant| tenant.card() == *card).map_or("?", |tenant| tenant.schema),
        None => crate::tenants::COLA.schema,
    }
    .to_owned()
}

/// Compares what happened with the story.
///
/// # Errors
/// Each fact that is not so, one line each.
pub(crate) fn check(seen: &Seen, calendar: &Calendar) -> Result<(), String> {
    let wrong = contradictions(seen, &calendar.extended_by(30).to_string()[..10]);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn contradictions(seen: &Seen, paid_until: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (tenant, told) in TOLD {
        let is = seen.told.get(tenant).cloned().unwrap_or_default();
        compare(&mut wrong, &format!("mails to {tenant}"), &is, &owned(told));
    }
    compare(&mut wrong, "who got mails", &seen.told.len(), &ALL.len());
    compare(&mut wrong, "runs with something to report", &seen.failing, &owned(&FAILING));
    compare(&mut wrong, "suspended on day 8", &seen.suspended, &owned(&["cola"]));
    compare(&mut wrong, "suspended at the end", &seen.suspended_at_end, &Vec::new());
    let once: BTreeMap<String, Vec<String>> =
        ALL.iter().map(|tenant| (tenant.schema.to_owned(), vec![format!("{PRICE} GEL")])).collect();
    compare(&mut wrong, "captured by the bank", &seen.captured, &once);
    compare(&mut wrong, "captured and booked", &seen.booked.1, &seen.booked.0);
    let extended: Vec<String> = ALL.iter().map(|tenant| format!("{} {paid_until}", tenant.schema)).collect();
    compare(&mut wrong, "active until", &seen.expires, &extended);
    compare(&mut wrong, "letters stored, and different ones", &seen.letters, &(LETTERS, LETTERS));
    compare(&mut wrong, "letters that the runs have stored", &seen.stored, &(LETTERS as u64));
    wrong
}

fn compare<T: Debug + PartialEq>(wrong: &mut Vec<String>, what: &str, is: &T, should: &T) {
    if is != should {
        wrong.push(format!("{what}: {is:?}, and should be {should:?}"));
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTIL: &str = "2027-04-09";

    fn as_it_should_be() -> Seen {
        let all = |text: &str| ALL.iter().map(|tenant| format!("{} {text}", tenant.schema)).collect();
        Seen {
            told: TOLD.iter().map(|(tenant, told)| ((*tenant).to_owned(), owned(told))).collect(),
            failing: owned(&FAILING),
            suspended: owned(&["cola"]),
            suspended_at_end: Vec::new(),
            captured: ALL.iter().map(|tenant| (tenant.schema.to_owned(), owned(&["50.00 GEL"]))).collect(),
            expires: all(UNTIL),
            booked: (owned(&["1", "2", "3"]), owned(&["1", "2", "3"])),
            letters: (LETTERS, LETTERS),
            stored: LETTERS as u64,
        }
    }

    #[test]
    fn the_story_contradicts_nothing() {
        assert_eq!(contradictions(&as_it_should_be(), UNTIL), [""; 0]);
    }

    #[test]
    fn the_page_knows_every_mail_of_the_story() {
        let page = include_str!("../../../../docs/timeline.md");
        for (day, kind) in TOLD.iter().flat_map(|(_, told)| *told).filter_map(|entry| entry.split_once(' ')) {
            assert!(page.contains(&format!("notice `{kind}`")), "{kind}, on day {day}");
        }
    }

    #[test]
    fn whatever_is_otherwise_is_named() {
        type Change = fn(&mut Seen);
        let table: [(&str, Change); 11] = [
            ("mails to bell", |seen| seen.told.get_mut("bell").unwrap().push("4 grace_warning".to_owned())),
            ("mails to cola", |seen| drop(seen.told.remove("cola"))),
            ("who got mails", |seen| drop(seen.told.insert("eve@example.com".to_owned(), owned(&["1 suspended"])))),
            ("runs with something to report", |seen| seen.failing.push("9 subscription-status".to_owned())),
            ("suspended on day 8", |seen| seen.suspended.clear()),
            ("suspended at the end", |seen| seen.suspended_at_end.push("cola".to_owned())),
            ("captured by the bank", |seen| seen.captured.get_mut("acme").unwrap().push("50.00 GEL".to_owned())),
            ("captured and booked", |seen| drop(seen.booked.1.pop())),
            ("active until", |seen| drop(seen.expires.pop())),
            ("letters stored, and different ones", |seen| seen.letters = (LETTERS + 1, LETTERS)),
            ("letters that the runs have stored", |seen| seen.stored += 1),
        ];
        for (name, change) in table {
            let mut seen = as_it_should_be();
            change(&mut seen);
            let wrong = contradictions(&seen, UNTIL);
            assert!(wrong.iter().any(|line| line.starts_with(name)), "{name}: {wrong:?}");
        }
    }
}
