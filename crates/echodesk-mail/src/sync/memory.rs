//! A bound on the bytes of messages that are held at once, over all mailboxes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// So many bytes, to be borrowed. What is read waits here until what was read before is stored: a
/// server that is faster than the database fills the network, not the memory.
#[derive(Debug)]
pub(super) struct ByteBudget {
    total: u64,
    free: Mutex<u64>,
    returned: Condvar,
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
        Arc::new(Self { total, free: Mutex::new(total), returned: Condvar::new() })
    }

    /// Waits until `bytes` are free. More than there are at all means all of them: a message larger
    /// than the budget passes alone.
    pub(super) fn borrow(self: &Arc<Self>, bytes: u64) -> Permit {
        let bytes = bytes.min(self.total);
        let mut free = self.lock();
        while *free < bytes {
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Permit { budget: Arc::clone(self), bytes }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.budget.lock() += self.bytes;
        self.budget.returned.notify_all();
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
                        let permit = budget.borrow(size);
                        let now = out.fetch_add(permit.bytes, Ordering::SeqCst) + permit.bytes;
                        assert!(now <= 100, "{now} bytes out");
                        out.fetch_sub(permit.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(*budget.lock(), 100);
    }
}
