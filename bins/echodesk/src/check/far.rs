//! What connects to others: all at once, and none of it for long.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::Clock;

use super::finding::Finding;

/// How long one server is waited for in all, however many addresses and steps it has.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// How long for one step. Shorter than [`PATIENCE`], so that it is told which one was not answered.
pub(super) const STEP: Duration = Duration::from_secs(10);

/// A part of the check that may have to wait for others.
pub(super) type Part<'a> = Box<dyn FnOnce() -> Vec<Finding> + Send + 'a>;

/// How others are reached.
pub(super) struct Reach {
    /// Nobody is connected to but the database.
    pub(super) offline: bool,
    pub(super) clock: Arc<dyn Clock>,
}

impl Reach {
    /// Waits for `work`, but no longer than [`PATIENCE`]. Its result, and how many seconds it took.
    ///
    /// # Errors
    /// It took too long, or threads cannot be started.
    pub(super) fn wait_for<T>(&self, work: impl Future<Output = T>) -> Result<(T, f64), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot be asked: {error}"))?;
        let started = self.clock.elapsed();
        let result = runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await });
        // A name server that does not answer must not keep a finished check alive.
        runtime.shutdown_background();
        let took = self.clock.elapsed().saturating_sub(started).as_secs_f64();
        result.map(|result| (result, took)).map_err(|_| format!("no answer within {PATIENCE:?}"))
    }
}

/// What all parts find, in their order; they are worked on at once.
pub(super) fn all(parts: Vec<Part<'_>>) -> Vec<Finding> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts.into_iter().map(|part| scope.spawn(part)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn parts_are_worked_on_at_once_and_told_in_their_order() {
        let barrier = Barrier::new(3);
        let part = |name: &'static str| -> Part<'_> {
            let barrier = &barrier;
            // Each waits for the others: one after another would never end.
            Box::new(move || {
                barrier.wait();
                vec![Finding::ok("part", name, "")]
            })
        };
        let subjects: Vec<String> =
            all(vec![part("a"), part("b"), part("c")]).into_iter().map(|found| found.subject).collect();
        assert_eq!(subjects, ["a", "b", "c"]);
    }
}
