//! When the jobs run.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::event::Job;

/// At what times of each day, in UTC, the jobs run: the crontab as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// `recurring-payments`.
    pub renewals: Vec<Time>,
    /// `subscription-status`.
    pub status: Vec<Time>,
}

/// 02:00 and 03:00, as EchoDesk's documentation has it.
impl Default for Schedule {
    fn default() -> Self {
        Self { renewals: vec![Time::constant(2, 0, 0, 0)], status: vec![Time::constant(3, 0, 0, 0)] }
    }
}

impl Schedule {
    /// All runs at or after `from` and before `until`, in their order; of two at the same time the payments
    /// first.
    #[must_use]
    pub fn runs(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Job)> {
        let of = |times: &[Time], job| times.iter().map(move |time| (*time, job)).collect::<Vec<_>>();
        let mut daily = of(&self.renewals, Job::RecurringPayments);
        daily.extend(of(&self.status, Job::SubscriptionStatus));
        daily.sort_unstable();
        daily.dedup();
        let mut runs = Vec::new();
        let mut day = Some(from.to_zoned(TimeZone::UTC).date());
        while let Some(today) = day {
            for (time, job) in &daily {
                let Ok(at) = today.to_datetime(*time).to_zoned(TimeZone::UTC) else { return runs };
                let at = at.timestamp();
                if at >= until {
                    return runs;
                }
                if at >= from {
                    runs.push((at, *job));
                }
            }
            day = today.tomorrow().ok().filter(|_| !daily.is_empty());
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(schedule: &Schedule, from: &str, until: &str) -> Vec<String> {
        let runs = schedule.runs(from.parse().unwrap(), until.parse().unwrap());
        let code = |job: Job| job.code().chars().next().unwrap_or_default();
        runs.into_iter().map(|(at, job)| format!("{} {}", code(job), at.strftime("%d %H:%M"))).collect()
    }

    #[test]
    fn a_day_begins_when_it_is_asked_for() {
        let daily = Schedule::default();
        let (noon, tomorrow) = ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z");
        assert_eq!(runs(&daily, noon, tomorrow), ["r 23 02:00", "s 23 03:00"]);
        let (two, then) = ("2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z");
        assert_eq!(runs(&daily, two, then), ["r 22 02:00", "s 22 03:00"], "from the first moment, not to the last");
        assert_eq!(runs(&daily, noon, noon), [""; 0]);
    }

    #[test]
    fn several_times_a_day_are_in_order_and_each_once() {
        let time = |hour| Time::constant(hour, 0, 0, 0);
        let schedule = Schedule { renewals: vec![time(14), time(2), time(2)], status: vec![time(2)] };
        let day = runs(&schedule, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!(day, ["r 22 02:00", "s 22 02:00", "r 22 14:00"]);
    }

    #[test]
    fn no_times_are_no_runs_and_the_end_of_time_is_one() {
        let never = Schedule { renewals: Vec::new(), status: Vec::new() };
        assert_eq!(never.runs(Timestamp::MIN, Timestamp::MAX), []);
        let end = Timestamp::MAX;
        let last = end.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap();
        assert!(Schedule::default().runs(last, end).len() <= 2);
    }
}
