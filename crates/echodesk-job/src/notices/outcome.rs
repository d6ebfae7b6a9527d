//! What became of the notices that waited, and how a job's own report is told with it.

use echodesk_notify::DeliveryReport;
use echodesk_notify::ports::Waiting;
use serde_json::{Value, json};

use crate::ending::JobReport;

/// What delivery came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) delivered: u64,
    /// Those that still wait, and those that are parked, from now or from before.
    pub(crate) waiting: Waiting,
    /// Those that were parked now.
    pub(crate) parked: u64,
    pub(crate) withdrawn: u64,
    /// Those of the queued that were refused now.
    pub(crate) tried_again: u64,
    /// Why no more could be delivered.
    pub(crate) trouble: Option<String>,
    /// Why nothing could be sent from here, if that is all.
    pub(crate) not_set_up: Option<&'static str>,
    /// Whether it was asked to stop before all were delivered.
    pub(crate) stopped: bool,
    /// Whether the database went away before all were delivered.
    pub(crate) database_away: bool,
}

impl From<DeliveryReport> for Outcome {
    fn from(report: DeliveryReport) -> Self {
        let late = report.out_of_time.then(|| format!("out of time, {} notices wait", report.waiting.queued));
        Self {
            delivered: report.delivered,
            waiting: report.waiting,
            parked: report.parked,
            withdrawn: report.withdrawn,
            tried_again: report.again,
            trouble: report.trouble.map(|why| format!("the mail server could not be used: {why}")).or(late),
            not_set_up: None,
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
    pub(crate) fn not_set_up(waiting: Waiting, why: &'static str) -> Self {
        Self { waiting, not_set_up: (waiting.queued > 0).then_some(why), ..Self::default() }
    }

    /// Whether somebody should know: what was not delivered is told to nobody.
    fn failed(&self) -> bool {
        self.parked > 0 || self.tried_again > 0 || self.waiting.tried > 0 || self.trouble.is_some()
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "delivered": self.delivered,
            "queued": self.waiting.queued,
            "tried_in_vain": self.waiting.tried,
            "parked": self.parked,
            "parked_in_all": self.waiting.parked,
            "withdrawn": self.withdrawn,
            "tried_again": self.tried_again,
            "trouble": self.trouble,
        })
    }

    /// One line of what became of how many, and one of what is wrong; nothing if there was nothing.
    pub(crate) fn text(&self) -> String {
        let Waiting { queued, tried, parked } = self.waiting;
        // Where the database went away nobody knows how many there are in all.
        let parked = parked.max(self.parked);
        let in_vain = if tried > 0 { format!(" ({tried} tried in vain)") } else { String::new() };
        let table = [
            (self.delivered, "delivered".to_owned()),
            (queued, format!("queued{in_vain}")),
            (parked, format!("parked ({} now; `echodesk notices list --parked`)", self.parked)),
            (self.withdrawn, "withdrawn".to_owned()),
        ];
        let some = table.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = some.map(|(count, words)| format!("{count} {words}")).collect();
        let mut text = String::new();
        if !counts.is_empty() {
            let why = match (self.not_set_up, self.stopped) {
                (Some(why), _) => format!(" ({why})"),
                (None, true) => " (stopped by a signal)".to_owned(),
                (None, false) => String::new(),
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

    /// Tells it where there is no report of the job's own work, since that ended in an error.
    pub(crate) fn log(&self) {
        for line in self.text().lines() {
            if self.failed() { tracing::warn!("{line}") } else { tracing::info!("{line}") }
        }
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

    fn queued(queued: u64) -> Waiting {
        Waiting { queued, ..Waiting::default() }
    }

    fn told(outcome: &Outcome) -> JobReport {
        let mut report = report();
        outcome.add_to(&mut report);
        report
    }

    #[test]
    fn what_was_delivered_stands_beside_what_the_job_did() {
        let outcome = Outcome { delivered: 12, waiting: queued(3), withdrawn: 1, ..Outcome::default() };
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
        let again = Outcome { tried_again: 1, waiting: queued(1), ..Outcome::default() };
        let trouble = Outcome::trouble("log-in refused:\r\n535 no".to_owned());
        let before = Outcome { waiting: Waiting { queued: 3, tried: 2, parked: 0 }, ..Outcome::default() };
        for outcome in [&parked, &again, &trouble, &before] {
            assert!(told(outcome).failed, "{outcome:?}");
        }
        assert!(told(&parked).summary.ends_with("notices: 1 parked (1 now; `echodesk notices list --parked`)\n"));
        assert!(told(&before).summary.ends_with("notices: 3 queued (2 tried in vain)\n"));
        assert!(told(&trouble).summary.ends_with("\nlog-in refused:  535 no\n"));
        let not_set_up = told(&Outcome::not_set_up(queued(5), "not bound"));
        assert!(!not_set_up.failed);
        assert!(not_set_up.summary.ends_with("notices: 5 queued (not bound)\n"));
    }

    #[test]
    fn what_was_parked_before_is_told_for_as_long_as_it_is() {
        let waiting = Waiting { parked: 5, ..Waiting::default() };
        let told = told(&Outcome { waiting, ..Outcome::default() });
        assert!(told.summary.ends_with("notices: 5 parked (0 now; `echodesk notices list --parked`)\n"));
        assert_eq!(
            (&told.report["notices"]["parked"], &told.report["notices"]["parked_in_all"]),
            (&json!(0), &json!(5))
        );
        assert!(!told.failed, "it was told when it happened");
    }

    #[test]
    fn what_there_was_no_time_for_is_trouble() {
        let report = DeliveryReport { out_of_time: true, waiting: queued(97), ..DeliveryReport::default() };
        let told = told(&report.into());
        assert!(told.failed && told.summary.ends_with("notices: 97 queued\nout of time, 97 notices wait\n"));
    }

    #[test]
    fn a_signal_and_a_database_that_went_away_decide_how_the_job_ends() {
        let stopped = told(&Outcome { delivered: 1, waiting: queued(7), stopped: true, ..Outcome::default() });
        assert!(stopped.stopped && stopped.summary.ends_with("1 delivered, 7 queued (stopped by a signal)\n"));
        let away = told(&Outcome { database_away: true, ..Outcome::default() });
        assert!(away.try_again && away.summary.contains("the next run delivers the rest"), "{}", away.summary);
    }
}
