//! The only file that asks the machine for the time.
//!
//! A run reads [`Clock::now`] once and passes it on as a value, so that every rule is a function
//! that a test can call with any date. `clippy.toml` bans the wall clock everywhere else.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where a run gets the time of day and the time that has passed.
pub trait Clock: Send + Sync {
    /// The time of day, UTC.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment. Never goes back: deadlines and durations are measured by it.
    fn elapsed(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] starts at zero now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one file that may")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one file that may")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is moved: for tests, `--as-of` and simulations.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(Timestamp, Duration)>,
}

impl ManualClock {
    /// A clock that stands at `now`, with no time elapsed.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, Duration::ZERO)) }
    }

    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.1 += by;
        if let Ok(now) = state.0.checked_add(by) {
            state.0 = now;
        }
    }

    /// Sets the time of day, forward or back, without letting time pass.
    pub fn set(&self, now: Timestamp) {
        self.lock().0 = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Timestamp, Duration)> {
        // The pair is plain data: a panic elsewhere cannot leave it half written.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().0
    }

    fn elapsed(&self) -> Duration {
        self.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().to_string(), "2026-11-22T10:01:30Z");
        assert_eq!(clock.elapsed(), Duration::from_secs(90));
        clock.set("2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.elapsed(), Duration::from_secs(90), "a jump of the wall clock takes no time");
    }

    #[test]
    fn the_system_clock_moves_on() {
        let clock = SystemClock::new();
        let (before, elapsed) = (clock.now(), clock.elapsed());
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now() > before);
        assert!(clock.elapsed() >= elapsed + Duration::from_millis(5));
    }
}
