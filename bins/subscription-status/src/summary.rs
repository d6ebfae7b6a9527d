//! The totals of a run, for people and for machines.

use std::collections::BTreeMap;
use std::time::Duration;

use echodesk_billing::status::{StatusReport, StatusTotals};
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
    pub(crate) report: StatusReport,
    /// How often each reason has withheld something, by the name of the reason.
    pub(crate) withheld: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// A few lines, each ending with a line break.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let StatusReport { totals, stopped, database_away } = &self.report;
        if *database_away {
            text.push_str("the database went away: the next run sees to the rest\n");
        }
        let mode = match (self.dry_run, stopped) {
            (true, _) => "dry run, nothing was written: ",
            (false, true) => "stopped by a signal: ",
            (false, false) => "",
        };
        let counts = self.counts(totals);
        let seconds = self.took.as_secs_f64();
        text.push_str(&format!("{mode}{counts}; {seconds:.1} s\n"));
        text
    }

    fn counts(&self, totals: &StatusTotals) -> String {
        // What is always told comes even if there is none of it.
        let always = [
            (totals.reminders, "reminded"),
            (totals.urgent, "urgently reminded"),
            (totals.in_grace, "in grace"),
            (totals.suspended, "suspended"),
        ];
        let sometimes = [
            (totals.reactivated, "active again"),
            (totals.still_suspended, "still suspended though extended"),
            (totals.changed, "changed meanwhile"),
            (totals.failed, "failed"),
        ];
        let mut counts: Vec<String> = always.iter().map(|(count, word)| format!("{count} {word}")).collect();
        if totals.warned < totals.in_grace {
            let warned = totals.in_grace - totals.warned;
            counts[2].push_str(&format!(" ({warned} warned today already)"));
        }
        if totals.withheld > 0 {
            let reasons: Vec<String> =
                self.withheld.iter().map(|(code, count)| format!("{count} {}", reason(code))).collect();
            counts.push(format!("{} withheld ({})", totals.withheld, reasons.join(", ")));
        }
        let some = sometimes.iter().filter(|(count, _)| *count > 0);
        counts.extend(some.map(|(count, word)| format!("{count} {word}")));
        counts.join(", ")
    }

    /// The report without its subscriptions.
    pub(crate) fn json(&self) -> Value {
        let StatusReport { stopped, database_away, .. } = &self.report;
        json!({
            "started_at": self.started_at,
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "dry_run": self.dry_run,
            "as_of": self.as_of,
            "stopped": stopped,
            "database_away": database_away,
            "totals": self.record(),
            "withheld": self.withheld,
        })
    }

    /// What is kept of the run in the database.
    pub(crate) fn record(&self) -> Value {
        json!(TotalsJson::of(&self.report.totals))
    }
}

/// The name of a reason in words.
fn reason(code: &str) -> &str {
    match code {
        "provider" => "billed by another provider",
        "open" => "with an open charge",
        "foreign_order" => "with an open order of EchoDesk's",
        "echodesk_retry" => "left to EchoDesk's retry",
        "paid_not_extended" => "paid and not extended",
        "paying_now" => "paying now",
        "price_unusable" => "without a price that can be calculated",
        other => other,
    }
}

#[derive(Debug, Serialize)]
struct TotalsJson {
    reminders: u64,
    urgent: u64,
    in_grace: u64,
    warned: u64,
    suspended: u64,
    reactivated: u64,
    still_suspended: u64,
    withheld: u64,
    changed: u64,
    failed: u64,
    failures: u64,
}

impl TotalsJson {
    fn of(totals: &StatusTotals) -> Self {
        let StatusTotals {
            reminders,
            urgent,
            in_grace,
            warned,
            suspended,
            reactivated,
            still_suspended,
            withheld,
            changed,
            failed,
            failures,
        } = *totals;
        Self {
            reminders,
            urgent,
            in_grace,
            warned,
            suspended,
            reactivated,
            still_suspended,
            withheld,
            changed,
            failed,
            failures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(report: StatusReport) -> Summary {
        Summary {
            started_at: "2026-11-22T03:00:00Z".parse().unwrap(),
            took: Duration::from_millis(3250),
            dry_run: false,
            as_of: None,
            report,
            withheld: BTreeMap::new(),
        }
    }

    fn all() -> StatusReport {
        let totals = StatusTotals {
            reminders: 12,
            urgent: 3,
            in_grace: 5,
            warned: 4,
            suspended: 1,
            reactivated: 1,
            still_suspended: 1,
            withheld: 3,
            changed: 1,
            failed: 1,
            failures: 3,
        };
        StatusReport { totals, ..StatusReport::default() }
    }

    #[test]
    fn a_run_tells_how_many_of_each_and_why_something_was_withheld() {
        let told = Summary { withheld: BTreeMap::from([("open", 2), ("provider", 1)]), ..summary(all()) }.text();
        assert_eq!(
            told,
            "12 reminded, 3 urgently reminded, 5 in grace (1 warned today already), 1 suspended, 3 withheld (2 with an \
             open charge, 1 billed by another provider), 1 active again, 1 still suspended though extended, 1 changed meanwhile, 1 failed; 3.2 s\n"
        );
    }

    #[test]
    fn a_run_that_does_nothing_says_so_in_numbers() {
        let counts = "0 reminded, 0 urgently reminded, 0 in grace, 0 suspended; 3.2 s\n";
        assert_eq!(summary(StatusReport::default()).text(), counts);
        let dry = Summary { dry_run: true, ..summary(StatusReport::default()) };
        assert_eq!(dry.text(), format!("dry run, nothing was written: {counts}"));
    }

    #[test]
    fn what_kept_a_run_from_its_end_is_told_first() {
        let away = StatusReport { stopped: true, database_away: true, ..StatusReport::default() };
        let text = summary(away).text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("the database went away"), "{text}");
        assert!(lines[1].starts_with("stopped by a signal: 0 reminded"), "{text}");
    }

    #[test]
    fn every_reason_is_told_in_words() {
        for event in crate::words::tests::events() {
            if let echodesk_billing::status::StatusOutcome::Withheld { why, .. } = &event.outcome {
                assert_ne!(reason(why.code()), why.code());
            }
        }
    }

    #[test]
    fn machines_get_every_number() {
        let told = Summary { withheld: BTreeMap::from([("open", 2)]), ..summary(all()) };
        insta::assert_snapshot!(serde_json::to_string_pretty(&told.json()).unwrap());
    }
}
