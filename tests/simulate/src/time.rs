//! The world's own time, and the clocks of its hosts, which may be wrong.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use echodesk_core::Clock;
use jiff::{SignedDuration, Timestamp};

/// The time that it really is in the simulated world. It only moves forward, and clones show the same.
#[derive(Clone)]
pub struct TrueTime {
    start: Timestamp,
    /// Nanoseconds since `start`: 292 years fit.
    since: Arc<AtomicI64>,
}

impl fmt::Debug for TrueTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrueTime({})", self.now())
    }
}

impl TrueTime {
    /// Time that begins here.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, since: Arc::new(AtomicI64::new(0)) }
    }

    /// When the simulation began.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.start + SignedDuration::from_nanos(self.since.load(Ordering::Acquire))
    }

    /// How much has passed since the simulation began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.since.load(Ordering::Acquire).unsigned_abs())
    }

    /// Time passes until `then`, if that is not over.
    pub fn pass_until(&self, then: Timestamp) {
        let since = i64::try_from(then.duration_since(self.start).as_nanos()).unwrap_or(i64::MAX);
        self.since.fetch_max(since, Ordering::AcqRel);
    }

    /// The day of the simulation, from 0.
    #[must_use]
    pub fn day(&self) -> u32 {
        u32::try_from(self.elapsed().as_secs() / 86_400).unwrap_or(u32::MAX)
    }
}

/// The clock of a host: the true time, and how wrong it is. How much time has passed it always knows.
#[derive(Clone, Debug)]
pub struct HostClock {
    time: TrueTime,
    wrong_by: Arc<Mutex<SignedDuration>>,
}

impl HostClock {
    /// A clock that is right.
    #[must_use]
    pub fn new(time: TrueTime) -> Self {
        Self { time, wrong_by: Arc::default() }
    }

    /// Whether this is the clock of the same host.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wrong_by, &other.wrong_by)
    }

    /// Sets how much it is ahead of the true time; less than nothing if it is behind.
    pub fn set_wrong_by(&self, by: SignedDuration) {
        *self.wrong_by.lock().unwrap_or_else(PoisonError::into_inner) = by;
    }

    /// How much it is ahead of the true time; less than nothing if it is behind.
    #[must_use]
    pub fn wrong_by(&self) -> SignedDuration {
        *self.wrong_by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it shows the true time.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.wrong_by() == SignedDuration::ZERO
    }
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        self.time.now() + self.wrong_by()
    }

    fn elapsed(&self) -> Duration {
        self.time.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_time_never_goes_back_and_a_hosts_clock_may() {
        let time = TrueTime::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let clock = HostClock::new(time.clone());
        time.pass_until("2026-01-03T06:00:00Z".parse().unwrap());
        time.pass_until("2026-01-02T00:00:00Z".parse().unwrap());
        assert_eq!((time.now().to_string().as_str(), time.day()), ("2026-01-03T06:00:00Z", 2));
        clock.set_wrong_by(SignedDuration::from_hours(-1));
        assert_eq!(clock.now().to_string(), "2026-01-03T05:00:00Z");
        assert_eq!(clock.elapsed(), Duration::from_hours(54));
    }
}
