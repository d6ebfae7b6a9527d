//! What became of the notices that waited, and how a job's own report is told with it.

use echodesk_notify::DeliveryReport;
use serde_json::{Value, json};

use crate::ending::JobReport;

/// What delivery came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) delivered: u64,
    /// Those that still wait.
    pub(crate) queued: u64,
    pub(crate) parked: u64,
    pub(crate) withdrawn: u64,
    /// Those of the queued that were refused for now.
    pub(crate) tried_again: u64,
    /// Why no more could be delivered.
    pub(crate) trouble: Option<String>,
    /// Whether it is only that no e-mail settings are there.
    pub(crate) not_set_up: bool,
    /// Whether it was asked to stop before all were delivered.
    pub(crate) stopped: bool,
    /// Whether the database went away before all were delivered.
    pub(crate) database_away: bool,
}

impl From<DeliveryReport> for Outcome {
    fn from(report: DeliveryReport) -> Self {
        Self {
            delivered: report.delivered,
            queued: report.waiting,
            parked: report.parked,
            withdrawn: report.withdrawn,
            tried_again: report.again,
            trouble: report.trouble.map(|why| format!("the mail server could not be used: {why}")),
            not_set_up: false,
            stopped: report.stopped,
            database_away: report.database_away,
        }
    }
}

impl Outcome {
    /// Delivery could not even be tried, or ended before its time.
    pub(crate) fn trouble(why: String) -> Self {
        Self { trouble: Some(why), ..Self::default() }
    }

    /// There is no way to deliver what waits.
    pub(crate) fn not_set_up(waiting: u64) -> Self {
        Self { queued: waiting, not_set_up: true, ..Self::default() }
    }

    /// Whether somebody should know: what was not delivered is told to nobody.
    fn failed(&self) -> bool {
        self.parked > 0 || self.tried_again > 0 || self.trouble.is_some()
    }

    fn json(&self) -> Value {
        json!({
            "delivered": self.delivered,
            "queued": self.queued,
            "parked": self.parked,
            "withdrawn": self.withdrawn,
            "tried_again": self.tried_again,
            "trouble": self.trouble,
        })
    }

    /// One line of what became of how many, and one of what is wrong; nothing if there was nothing.
    fn text(&self) -> String {
        let table = [
            (self.delivered, "delivered"),
            (self.queued, "queued"),
            (self.parked, "parked (`echodesk notices list --parked`)"),
            (self.withdrawn, "withdrawn"),
        ];
        let some = table.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = some.map(|(count, word)| format!("{count} {word}")).collect();
        let mut text = String::new();
        if !counts.is_empty() {
            let why = match (self.not_set_up, self.stopped) {
                (true, _) => " (no e-mail settings)",
                (false, true) => " (stopped by a signal)",
                (false, false) => "",
            };
            text.push_str(&format!("notices: {}{why}\n", counts.join(", ")));
        }
        if self.database_away {
            text.push_str("the database went away while notices were delivered: the next run delivers the rest\n");
        }
        if let Some(trouble) = &self.trouble {
            // A server's words may hold anything.
            text.extend(trouble.chars().map(|c| if c.is_control() { ' ' } else { c }));
            text.push('\n');
        }
        text
    }

    /// Adds this to what the job has to report of its own work.
    pub(crate) fn add_to(&self, report: &mut JobReport) {
        for place in [&mut report.report, &mut report.record] {
            if let Value::Object(entries) = place {
                entries.insert("notices".to_owned(), self.json());
            }
        }
        report.summary.push_str(&self.text());
        report.failed |= self.failed();
        report.stopped |= self.stopped;
        report.try_again |= self.database_away;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> JobReport {
        JobReport {
            report: json!({ "totals": { "paid": 2 } }),
            record: json!({ "paid": 2 }),
            items: None,
            summary: "2 paid\n".to_owned(),
            failed: false,
            stopped: false,
            try_again: false,
        }
    }

    fn told(outcome: &Outcome) -> JobReport {
        let mut report = report();
        outcome.add_to(&mut report);
        report
    }

    #[test]
    fn what_was_delivered_stands_beside_what_the_job_did() {
        let outcome = Outcome { delivered: 12, queued: 3, withdrawn: 1, ..Outcome::default() };
        let told = told(&outcome);
        assert_eq!(told.summary, "2 paid\nnotices: 12 delivered, 3 queued, 1 withdrawn\n");
        assert_eq!((&told.report["totals"]["paid"], &told.report["notices"]["delivered"]), (&json!(2), &json!(12)));
        assert_eq!((&told.record["paid"], &told.record["notices"]["queued"]), (&json!(2), &json!(3)));
        assert!(!told.failed && !told.stopped && !told.try_again);
    }

    #[test]
    fn where_there_was_nothing_to_deliver_nobody_is_told_but_machines() {
        let told = told(&Outcome::default());
        assert_eq!((told.summary.as_str(), told.failed), ("2 paid\n", false));
        assert_eq!(told.report["notices"]["trouble"], Value::Null);
    }

    #[test]
    fn what_was_not_delivered_is_a_failure_unless_nobody_has_set_it_up() {
        let parked = Outcome { parked: 1, ..Outcome::default() };
        let again = Outcome { tried_again: 1, queued: 1, ..Outcome::default() };
        let trouble = Outcome::trouble("log-in refused:\r\n535 no".to_owned());
        for outcome in [&parked, &again, &trouble] {
            assert!(told(outcome).failed, "{outcome:?}");
        }
        assert!(told(&parked).summary.ends_with("notices: 1 parked (`echodesk notices list --parked`)\n"));
        assert!(told(&trouble).summary.ends_with("\nlog-in refused:  535 no\n"));
        let not_set_up = told(&Outcome::not_set_up(5));
        assert!(!not_set_up.failed);
        assert!(not_set_up.summary.ends_with("notices: 5 queued (no e-mail settings)\n"));
    }

    #[test]
    fn a_signal_and_a_database_that_went_away_decide_how_the_job_ends() {
        let stopped = told(&Outcome { delivered: 1, queued: 7, stopped: true, ..Outcome::default() });
        assert!(stopped.stopped && stopped.summary.ends_with("1 delivered, 7 queued (stopped by a signal)\n"));
        let away = told(&Outcome { database_away: true, ..Outcome::default() });
        assert!(away.try_again && away.summary.contains("the next run delivers the rest"), "{}", away.summary);
    }
}
