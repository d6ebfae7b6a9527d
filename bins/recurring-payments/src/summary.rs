//! The totals of a run, for people and for machines.

use std::time::Duration;

use echodesk_billing::run::{RenewalReport, Totals};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// What a run comes to.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) started_at: Timestamp,
    pub(crate) took: Duration,
    pub(crate) dry_run: bool,
    /// Whose time a dry run took.
    pub(crate) as_of: Option<Timestamp>,
    pub(crate) report: RenewalReport,
}

impl Summary {
    /// A few lines, each ending with a line break.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let RenewalReport { totals, stopped, database_away, bank_away } = &self.report;
        if let Some(why) = bank_away {
            line(&mut text, &format!("the bank could not be talked to all of the time: {why}"));
        }
        if *database_away {
            line(&mut text, "the database went away: the next run finds out what became of charges that were made");
        }
        let mode = match (self.dry_run, stopped) {
            (true, _) => "dry run, nothing was written: ",
            (false, true) => "stopped by a signal: ",
            (false, false) => "",
        };
        let (number, counts) = counts(totals);
        let noun = if number == 1 { "subscription" } else { "subscriptions" };
        let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
        line(&mut text, &format!("{mode}{number} {noun}: {counts}"));
        let seconds = self.took.as_secs_f64();
        let sums = if self.dry_run {
            format!("{:.2} GEL would be charged", totals.amount_pending)
        } else {
            format!("{:.2} GEL paid, {:.2} GEL pending", totals.amount_paid, totals.amount_pending)
        };
        line(&mut text, &format!("{sums}; {seconds:.1} s"));
        text
    }

    /// The report without its subscriptions.
    pub(crate) fn json(&self) -> Value {
        let RenewalReport { totals, stopped, database_away, bank_away } = &self.report;
        json!({
            "started_at": self.started_at,
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "dry_run": self.dry_run,
            "as_of": self.as_of,
            "stopped": stopped,
            "database_away": database_away,
            "bank_away": bank_away,
            "totals": json!(TotalsJson::of(totals)),
        })
    }

    /// What is kept of the run in the database.
    pub(crate) fn record(&self) -> Value {
        json!(TotalsJson::of(&self.report.totals))
    }
}

/// How many there are in all, and of each kind that there is.
fn counts(totals: &Totals) -> (u64, Vec<String>) {
    let table = [
        (totals.paid, "paid"),
        (totals.pending, "pending"),
        (totals.would_charge, "would be charged"),
        (totals.would_settle, "would be asked about"),
        (totals.refused, "refused"),
        (totals.unknown, "unknown"),
        (totals.needs_person, if totals.needs_person == 1 { "needs a person" } else { "need a person" }),
        (totals.postponed, "postponed"),
        (totals.failed, "failed"),
        (totals.skipped, "skipped"),
    ];
    let sum = table.iter().map(|(count, _)| count).sum();
    let some = table.iter().filter(|(count, _)| *count > 0);
    (sum, some.map(|(count, word)| format!("{count} {word}")).collect())
}

/// Sums are text with two decimals, since JSON's numbers are floats to most readers.
#[derive(Debug, Serialize)]
struct TotalsJson {
    paid: u64,
    pending: u64,
    refused: u64,
    unknown: u64,
    needs_person: u64,
    skipped: u64,
    would_charge: u64,
    would_settle: u64,
    postponed: u64,
    failed: u64,
    failures: u64,
    amount_paid: String,
    amount_pending: String,
    currency: &'static str,
}

impl TotalsJson {
    fn of(totals: &Totals) -> Self {
        Self {
            paid: totals.paid,
            pending: totals.pending,
            refused: totals.refused,
            unknown: totals.unknown,
            needs_person: totals.needs_person,
            skipped: totals.skipped,
            would_charge: totals.would_charge,
            would_settle: totals.would_settle,
            postponed: totals.postponed,
            failed: totals.failed,
            failures: totals.failures,
            amount_paid: format!("{:.2}", totals.amount_paid),
            amount_pending: format!("{:.2}", totals.amount_pending),
            currency: "GEL",
        }
    }
}

/// One line, whatever the words of a bank hold.
fn line(text: &mut String, what: &str) {
    text.extend(what.chars().map(|c| if c.is_control() { ' ' } else { c }));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    fn summary(report: RenewalReport) -> Summary {
        Summary {
            started_at: "2026-11-22T02:00:00Z".parse().unwrap(),
            took: Duration::from_millis(3250),
            dry_run: false,
            as_of: None,
            report,
        }
    }

    fn counted(codes: &[&str]) -> RenewalReport {
        let mut totals = Totals::default();
        for event in words::tests::events().iter().filter(|event| codes.contains(&event.outcome.code())) {
            totals.count(event);
        }
        RenewalReport { totals, ..RenewalReport::default() }
    }

    #[test]
    fn a_run_tells_how_many_of_each_and_how_much() {
        let codes = ["paid", "pending", "refused", "unknown", "needs_person", "skipped", "postponed", "failed"];
        let text = summary(counted(&codes)).text();
        assert_eq!(
            text,
            "17 subscriptions: 3 paid, 1 pending, 5 refused, 1 unknown, 1 needs a person, 1 postponed, 1 failed, \
             4 skipped\n150.00 GEL paid, 50.00 GEL pending; 3.2 s\n"
        );
    }

    #[test]
    fn a_dry_run_says_so_and_what_would_be_charged() {
        let dry = Summary { dry_run: true, ..summary(counted(&["would_charge", "would_settle", "skipped"])) };
        assert_eq!(
            dry.text(),
            "dry run, nothing was written: 6 subscriptions: 1 would be charged, 1 would be asked about, 4 skipped\n\
             50.00 GEL would be charged; 3.2 s\n"
        );
    }

    #[test]
    fn a_run_over_nothing_has_totals_all_the_same() {
        let text = summary(RenewalReport::default()).text();
        assert_eq!(text, "0 subscriptions: nothing to do\n0.00 GEL paid, 0.00 GEL pending; 3.2 s\n");
    }

    #[test]
    fn what_went_away_is_told_first() {
        let away = RenewalReport {
            stopped: true,
            database_away: true,
            bank_away: Some("no token:\r\nHTTP 503".to_owned()),
            ..RenewalReport::default()
        };
        let text = summary(away).text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "the bank could not be talked to all of the time: no token:  HTTP 503");
        assert!(lines[1].starts_with("the database went away"), "{text}");
        assert!(lines[2].starts_with("stopped by a signal: 0 subscriptions"), "{text}");
    }

    #[test]
    fn machines_get_every_number_with_exact_sums() {
        let json = summary(counted(&["paid", "pending", "refused"])).json();
        insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
    }
}
