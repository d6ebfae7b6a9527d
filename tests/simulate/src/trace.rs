//! What happened, line by line: its fingerprint always, its text if somebody wants to read it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::time::TrueTime;

/// A tenant of the simulation, counted from 1. Not its id in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantNumber(pub u32);

impl fmt::Display for TenantNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, by the world's own time.
    pub at: Timestamp,
    /// To whom; none if it concerns all.
    pub tenant: Option<TenantNumber>,
    /// What.
    pub what: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = self.tenant.map_or_else(|| "all".to_owned(), |tenant| tenant.to_string());
        write!(f, "{:.3}  {whom:>6}  {}", self.at, self.what)
    }
}

/// All that happened.
#[derive(Debug)]
pub struct Trace {
    time: TrueTime,
    records: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hash: Sha256,
    lines: Vec<Line>,
    count: u64,
}

impl Trace {
    /// An empty one, which keeps its lines or only their fingerprint.
    #[must_use]
    pub fn new(time: TrueTime, records: bool) -> Self {
        Self { time, records, state: Mutex::default() }
    }

    /// Something happened to a tenant, or to all.
    pub fn note(&self, tenant: impl Into<Option<TenantNumber>>, what: fmt::Arguments<'_>) {
        let line = Line { at: self.time.now(), tenant: tenant.into(), what: what.to_string() };
        let mut state = self.lock();
        state.count += 1;
        state.hash.update(line.at.as_nanosecond().to_be_bytes());
        state.hash.update(line.tenant.map_or(0, |tenant| tenant.0).to_be_bytes());
        state.hash.update(line.what.as_bytes());
        if self.records {
            state.lines.push(line);
        }
    }

    /// A name of everything that has happened so far: two runs of the same simulation have the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = self.lock().hash.clone().finalize();
        hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How many lines there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// The lines that concern some tenants, those that concern all included. Empty if they are not kept.
    #[must_use]
    pub fn lines(&self, tenants: &BTreeSet<TenantNumber>) -> Vec<Line> {
        let concerns = |line: &&Line| line.tenant.is_none_or(|tenant| tenants.contains(&tenant));
        self.lock().lines.iter().filter(concerns).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
