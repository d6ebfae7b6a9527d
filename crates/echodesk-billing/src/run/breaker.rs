//! When to stop calling a bank that does not answer.

use std::sync::Mutex;

/// So many calls in a row without an answer, and no more are made for now. Each of them leaves an
/// attempt behind of which nobody knows what became.
const PATIENCE: u32 = 5;

/// Counts calls without an answer.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    last: Option<String>,
    /// The last reason for which it was open.
    tripped_by: Option<String>,
}

impl Breaker {
    /// The bank has answered, whatever it said.
    pub(super) fn answered(&self) {
        self.lock().in_a_row = 0;
    }

    /// It has not.
    pub(super) fn failed(&self, why: &str) {
        let mut state = self.lock();
        state.in_a_row = state.in_a_row.saturating_add(1);
        state.last = Some(why.to_owned());
        if state.in_a_row >= PATIENCE {
            state.tripped_by = Some(why.to_owned());
        }
    }

    /// There is no talking to it at all.
    pub(super) fn give_up(&self, why: &str) {
        let why = Some(why.to_owned());
        *self.lock() = State { in_a_row: PATIENCE, last: why.clone(), tripped_by: why };
    }

    /// Why no more calls are made, if none are.
    pub(super) fn open(&self) -> Option<String> {
        let state = self.lock();
        state.last.clone().filter(|_| state.in_a_row >= PATIENCE)
    }

    /// Why calls were given up, if they ever were.
    pub(super) fn tripped_by(&self) -> Option<String> {
        self.lock().tripped_by.clone()
    }

    /// Some time has passed: worth another try.
    pub(super) fn close(&self) {
        self.lock().in_a_row = 0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Written as a whole each time.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_in_a_row_and_closes_with_an_answer() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed("time-out");
        }
        assert_eq!(breaker.open(), None);
        breaker.answered();
        for _ in 0..5 {
            breaker.failed("time-out");
        }
        assert_eq!(breaker.open().as_deref(), Some("time-out"));
        breaker.close();
        assert_eq!(breaker.open(), None);
        breaker.give_up("no token");
        assert!(breaker.open().is_some());
    }
}
