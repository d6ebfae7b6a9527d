//! A day as the crontab has it, and what is told of it.

use serde_json::Value;

use crate::calendar::short;
use crate::proof::Seen;
use crate::screen::{Screen, say};
use crate::stage::{Ran, Stage};
use crate::tenants;

/// The crontab: program and time. Cron starts `sync-emails` every five minutes; here once a day is enough.
const CRONTAB: [(&str, (i8, i8)); 3] =
    [("sync-emails", (1, 0)), ("recurring-payments", (2, 0)), ("subscription-status", (3, 0))];

/// What a run did and its only mail stand in one line if they are no longer than this, in bytes.
const SHORT: usize = 100;

/// Cron, and how far its days are told.
pub(crate) struct Cron<'a> {
    stage: &'a Stage,
    screen: &'a Screen,
    /// First and last of the days on which nothing happened and of which nothing is told yet.
    quiet: Option<(i32, i32)>,
    /// Day and program of the line above.
    told: Option<(i32, &'static str)>,
}

impl<'a> Cron<'a> {
    pub(crate) fn new(stage: &'a Stage, screen: &'a Screen) -> Self {
        Self { stage, screen, quiet: None, told: None }
    }

    /// Runs the jobs of a day.
    pub(crate) fn day(&mut self, day: i32, seen: &mut Seen) -> Result<(), String> {
        let mut lines = Vec::new();
        for (program, time) in CRONTAB {
            let before = self.stage.mails.count();
            let Ran { code, report, said } = self.stage.job(program, &[], self.stage.calendar.at(day, time))?;
            match code {
                Some(0) => {}
                Some(1) => seen.failing.push(format!("{day} {program}")),
                other => return Err(format!("day {day}: {program} has ended with {other:?}:\n{said}")),
            }
            let done = match program {
                "sync-emails" => {
                    seen.stored += number(&report, "stored");
                    synced(&report)
                }
                _ => judged(&report, self.screen),
            };
            let mails = self.stage.mails.mails_since(before);
            mails.iter().for_each(|mail| seen.told(day, mail));
            let mails = together(mails.into_iter().map(|mail| (mail.subject(), mail.to.join(", "))));
            let mails: Vec<_> = mails.into_iter().map(|(subject, to)| (to, subject)).collect();
            lines.extend(self.run(program, done, &mails));
        }
        if lines.is_empty() {
            self.quiet = Some((self.quiet.map_or(day, |(first, _)| first), day));
        }
        for (what, line) in lines {
            self.line(day, what, &line)?;
        }
        Ok(())
    }

    /// What a run did and the mails that went out, each as what stands before a line, and the line.
    fn run(
        &self,
        program: &'static str,
        mut done: Vec<String>,
        mails: &[(String, String)],
    ) -> Vec<(&'static str, String)> {
        let mail = |(to, subject): &(String, String)| format!("{to}: {}", self.screen.mail(subject));
        if let ([line], [(to, subject)]) = (&mut done[..], mails)
            && line.len() + to.len() + subject.len() <= SHORT
        {
            line.push_str(&format!("; mail to {}", mail(&mails[0])));
            return vec![(program, done.remove(0))];
        }
        let done = done.into_iter().map(|line| (program, line));
        done.chain(mails.iter().map(|told| ("  mail to", mail(told)))).collect()
    }

    /// Tells of something that no job has done.
    pub(crate) fn aside(&mut self, day: i32, what: &str) -> Result<(), String> {
        self.line(day, "meanwhile", &self.screen.strong(what))
    }

    /// Tells of the days of which nothing is told yet.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        let Some((first, last)) = self.quiet.take() else { return Ok(()) };
        let label = if first == last {
            format!("day {first:>2}  {:>6}", short(self.stage.calendar.date(first)))
        } else {
            format!("day {first:>2} to {last:>2}")
        };
        let expiry = if (first..=last).contains(&0) { "; the subscriptions expire at noon" } else { "" };
        say!("{}  nothing to do{expiry}", self.screen.strong(&format!("{label:<14}")))
    }

    fn line(&mut self, day: i32, what: &'static str, line: &str) -> Result<(), String> {
        self.end()?;
        // What stands in the line above is not said again.
        let (is_new_day, is_new) = match self.told.replace((day, what)) {
            Some((above, program)) => (above != day, above != day || program != what),
            None => (true, true),
        };
        let date = || format!("day {day:>2}  {:>6}", short(self.stage.calendar.date(day)));
        let label = if is_new_day { date() } else { String::new() };
        let what = if is_new { what } else { "" };
        say!("{}  {what:<19}  {line}", self.screen.strong(&format!("{label:<14}")))
    }
}

/// What a sync has stored; nothing is told of one that found nothing new.
fn synced(report: &Value) -> Vec<String> {
    let (stored, known) = (number(report, "stored"), number(report, "duplicate"));
    let letters = if stored == 1 { "letter" } else { "letters" };
    match (stored, known) {
        (0, 0) => Vec::new(),
        (stored, 0) => vec![format!("{}: {stored} {letters} stored", tenants::ACME.schema)],
        (stored, _) => {
            vec![format!("{}: {stored} {letters} stored; {known} of them in two folders", tenants::ACME.schema)]
        }
    }
}

/// A number of a sync's totals.
fn number(report: &Value, name: &str) -> u64 {
    report["totals"][name].as_u64().unwrap_or_default()
}

/// What became of subscriptions, in one line for those of which the same is to be told.
fn judged(report: &Value, screen: &Screen) -> Vec<String> {
    let items = report["subscriptions"].as_array().into_iter().flatten();
    let told = items.filter_map(|item| Some((told(item, screen)?, item["tenant"].as_str()?.to_owned())));
    together(told).into_iter().map(|(told, tenants)| format!("{tenants}: {told}")).collect()
}

/// Those of whom the same is to be told, in one line. Lines are ordered by whom they are about, since charges and
/// mails end in any order.
fn together(told: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (what, whom) in told {
        match lines.iter_mut().find(|(other, _)| *other == what) {
            Some((_, all)) => all.push(whom),
            None => lines.push((what, vec![whom])),
        }
    }
    lines.iter_mut().for_each(|(_, all)| all.sort());
    lines.sort_by(|(_, one), (_, other)| one.cmp(other));
    lines.into_iter().map(|(what, all)| (what, all.join(", "))).collect()
}

/// An entry of a report in words; none for what was left as it is.
fn told(item: &Value, screen: &Screen) -> Option<String> {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let day = |name: &str| {
        let date = text(name).get(..10).and_then(|date| date.parse().ok());
        date.map_or_else(|| text(name).to_owned(), short)
    };
    let left = || item["days_left"].to_string();
    Some(match text("outcome") {
        "skipped" | "in_grace" => return None,
        "paid" => screen.good(&format!("card charged, {} GEL; paid until {}", text("amount"), day("paid_until"))),
        "refused" => {
            let next = match text("next") {
                "later" => format!("next attempt {}", day("next_on")),
                "when_card_changes" => "not tried again with this card".to_owned(),
                other => other.to_owned(),
            };
            screen.bad(&format!("card refused: {}; {next}", text("reason")))
        }
        "reminded" => format!("reminded, expires in {} days", left()),
        "urgently_reminded" => format!("urgently reminded, expires in {} days", left()),
        "warned" => "warned".to_owned(),
        "suspended" => screen.bad("suspended"),
        "reactivated" => screen.good(&format!("active again until {}", day("paid_until"))),
        other => format!("{other} {}", text("reason")),
    })
}
