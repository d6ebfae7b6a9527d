//! A bound on the bytes of messages that are held at once, over all mailboxes.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many bytes, to be borrowed. What is read waits here until what was read before is stored: a
/// server that is faster than the database fills the network, not the memory.
#[derive(Debug)]
pub(super) struct ByteBudget {
    total: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: u64,
    /// Who waits, first come first served: a large message is not passed by small ones for ever.
    queue: VecDeque<u64>,
    next_ticket: u64,
}

/// Bytes borrowed; given back on drop.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Arc<ByteBudget>,
    bytes: u64,
}

impl ByteBudget {
    pub(super) fn new(total: u64) -> Arc<Self> {
        let total = total.max(1);
        let state = State { free: total, queue: VecDeque::new(), next_ticket: 0 };
        Arc::new(Self { total, state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Waits until `bytes` are free, as long as `patient` says so about once a tenth of a second.
    /// More than there are at all means all of them: a message larger than the budget passes alone.
    pub(super) fn borrow(self: &Arc<Self>, bytes: u64, patient: impl Fn() -> bool) -> Option<Permit> {
        let bytes = bytes.min(self.total);
        let mut state = self.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.queue.push_back(ticket);
        while state.queue.front() != Some(&ticket) || state.free < bytes {
            if !patient() {
                state.queue.retain(|waiting| *waiting != ticket);
                self.changed.notify_all();
                return None;
            }
            let waited = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.queue.pop_front();
        state.free -= bytes;
        // The next in the queue may fit as well.
        self.changed.notify_all();
        Some(Permit { budget: Arc::clone(self), bytes })
    }

    /// Whether anybody waits.
    pub(super) fn is_short(&self) -> bool {
        !self.lock().queue.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Whether it is enough for `bytes`, or all that there is.
    pub(super) fn covers(&self, bytes: u64) -> bool {
        self.bytes >= bytes.min(self.budget.total)
    }
}

/// The memory of a run. Large messages have a budget of their own, which is borrowed before they are
/// asked for: a server that takes its time over one holds up no small message anywhere.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    messages: Arc<ByteBudget>,
    large: Arc<ByteBudget>,
}

impl Memory {
    pub(super) fn new(messages: u64, large: u64) -> Self {
        Self { messages: ByteBudget::new(messages), large: ByteBudget::new(large) }
    }

    /// See [`ByteBudget::borrow`].
    pub(super) fn borrow(&self, bytes: u64, patient: impl Fn() -> bool) -> Option<Permit> {
        self.messages.borrow(bytes, patient)
    }

    /// The same, for one large message.
    pub(super) fn borrow_large(&self, bytes: u64, patient: impl Fn() -> bool) -> Option<Permit> {
        self.large.borrow(bytes, patient)
    }

    /// Whether anybody waits.
    pub(super) fn is_short(&self) -> bool {
        self.messages.is_short() || self.large.is_short()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.lock().free += self.bytes;
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_than_the_total_is_out_and_everyone_gets_his_turn() {
        let budget = ByteBudget::new(100);
        let out = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for size in [10, 60, 100, 500, 1, 30] {
                let (budget, out) = (&budget, &out);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let permit = budget.borrow(size, || true).unwrap();
                        let now = out.fetch_add(permit.bytes, Ordering::SeqCst) + permit.bytes;
                        assert!(now <= 100, "{now} bytes out");
                        out.fetch_sub(permit.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(budget.lock().free, 100);
        assert!(!budget.is_short());
    }

    #[test]
    fn who_loses_patience_leaves_the_queue_to_the_others() {
        let budget = ByteBudget::new(100);
        let all = budget.borrow(100, || true).unwrap();
        assert!(budget.borrow(1, || false).is_none());
        drop(all);
        assert!(budget.borrow(100, || false).is_some());
    }

    #[test]
    fn a_large_request_is_not_passed_by_small_ones() {
        let budget = ByteBudget::new(100);
        let first = budget.borrow(60, || true).unwrap();
        std::thread::scope(|scope| {
            let large = scope.spawn(|| budget.borrow(100, || true).is_some());
            while !budget.is_short() {
                std::thread::yield_now();
            }
            assert!(budget.borrow(10, || false).is_none(), "it would fit, but the large one came first");
            drop(first);
            assert!(large.join().unwrap());
        });
    }
}
