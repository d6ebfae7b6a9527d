//! What mailboxes of one run tell each other: which servers answered, which is the evidence that our
//! own network works; and that the database is away, so that nobody waits for it in vain.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::rules::failure::Evidence;

/// Hosts that answered so far.
#[derive(Debug)]
pub(super) struct Reach {
    hosts_in_run: usize,
    reached: Mutex<HashSet<String>>,
    database_away: AtomicBool,
}

impl Reach {
    /// For a run over so many different hosts.
    pub(super) fn new(hosts_in_run: usize) -> Self {
        Self { hosts_in_run, reached: Mutex::default(), database_away: AtomicBool::new(false) }
    }

    pub(super) fn reached(&self, host: &str) {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_ascii_lowercase());
    }

    pub(super) fn lost_database(&self) {
        self.database_away.store(true, Ordering::Relaxed);
    }

    pub(super) fn database_is_away(&self) -> bool {
        self.database_away.load(Ordering::Relaxed)
    }

    /// What the other hosts say about trouble with `host`.
    pub(super) fn others_than(&self, host: &str) -> Evidence {
        let host = host.to_ascii_lowercase();
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.hosts_in_run, reached.iter().any(|other| *other != host)) {
            (0 | 1, _) => Evidence::NoOthers,
            (_, true) => Evidence::OthersReached,
            (_, false) => Evidence::NobodyReached,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_evidence_and_the_same_one_is_not() {
        let reach = Reach::new(2);
        assert_eq!(reach.others_than("a"), Evidence::NobodyReached);
        reach.reached("A");
        assert_eq!(reach.others_than("a"), Evidence::NobodyReached);
        assert_eq!(reach.others_than("b"), Evidence::OthersReached);
        assert_eq!(Reach::new(1).others_than("a"), Evidence::NoOthers);
    }
}
