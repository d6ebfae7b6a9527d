//! Which servers answered in this run: the evidence that our own network works.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Hosts that answered so far.
#[derive(Debug)]
pub(super) struct Reach {
    hosts_in_run: usize,
    reached: Mutex<HashSet<String>>,
}

impl Reach {
    /// For a run over so many different hosts.
    pub(super) fn new(hosts_in_run: usize) -> Self {
        Self { hosts_in_run, reached: Mutex::default() }
    }

    pub(super) fn reached(&self, host: &str) {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_ascii_lowercase());
    }

    /// Whether another host than `host` answered, or there is no other to tell by.
    pub(super) fn others_than(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts_in_run <= 1
            || self.reached.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|other| *other != host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_evidence_and_the_same_one_is_not() {
        let reach = Reach::new(2);
        assert!(!reach.others_than("a"));
        reach.reached("A");
        assert!(!reach.others_than("a"));
        assert!(reach.others_than("b"));
        assert!(Reach::new(1).others_than("a"), "nothing to tell by");
    }
}
