//! Several things at once, told in their order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Whether what is being worked at is still wanted.
#[derive(Debug)]
pub struct Wanted<'a>(&'a AtomicBool);

impl Wanted<'_> {
    /// False as soon as nobody waits for it any more.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// Does `work` with every item, on so many threads, and tells `done` of each result in the order of the items, until
/// it has heard enough. So what is told does not depend on how many threads there are, or which of them is faster.
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: usize,
    work: impl Fn(&T, &Wanted<'_>) -> R + Sync,
    mut done: impl FnMut(R) -> ControlFlow<()>,
) {
    let (next, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            let (sender, next, enough, work) = (sender.clone(), &next, &enough, &work);
            scope.spawn(move || {
                while !enough.load(Ordering::Relaxed) {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(nth) else { break };
                    if sender.send((nth, work(item, &Wanted(enough)))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut told) = (BTreeMap::new(), 0);
        for (nth, result) in &receiver {
            early.insert(nth, result);
            while let Some(result) = early.remove(&told) {
                told += 1;
                if done(result).is_break() {
                    enough.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_are_told_in_order_and_no_more_than_wanted() {
        let items: Vec<u64> = (0..40).collect();
        let mut told = Vec::new();
        let work = |item: &u64, wanted: &Wanted<'_>| {
            // Even ones are slower; late ones never end by themselves.
            thread::sleep(Duration::from_millis(if item.is_multiple_of(2) { 4 } else { 0 }));
            while *item > 20 && wanted.is_wanted() {
                thread::sleep(Duration::from_millis(1));
            }
            *item
        };
        in_order(&items, 3, work, |item| {
            told.push(item);
            if item == 15 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(told, (0..=15).collect::<Vec<u64>>());
    }
}
