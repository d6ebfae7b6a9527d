//! What is read: the summary of a simulation, a violation, the list of what there is.

use std::fmt::{self, Write as _};

use crate::bugs::Bug;
use crate::fault::{FaultKind, FaultPlan};
use crate::plan::{Backend, Plan};
use crate::violation::Invariant;

mod broken;
mod totals;

pub use broken::broken;
pub use totals::Totals;

/// All faults, bugs and promises, with the names that flags take.
#[must_use]
pub fn list() -> String {
    let mut text = "Faults, and how likely each is where it can happen:\n".to_owned();
    for kind in FaultKind::ALL {
        let usual = format!("{:.3}", f64::from(kind.usual()) / 1000.0);
        let _ = writeln!(text, "  {:<24} {usual}  {}", kind.name(), kind.what());
    }
    text.push_str("\nBugs that can be put back in:\n");
    for bug in Bug::ALL {
        let _ = writeln!(text, "  {:<30} {}", bug.name(), bug.what());
    }
    text.push_str("\nPromises:\n");
    for invariant in Invariant::ALL {
        let _ = writeln!(text, "  {:>2}. {}", invariant.number(), invariant.promise());
    }
    text
}

/// A plan in a few words.
#[derive(Debug)]
pub struct Words<'a>(pub &'a Plan);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(plan) = self;
        write!(f, "seed {}, {}", plan.seed, counted(plan.numbers().len() as u64, "tenant"))?;
        write!(f, ", {}, {}", counted(plan.days.into(), "day"), counted(plan.hosts.into(), "host"))?;
        match plan.backend {
            Backend::Sqlite => write!(f, ", SQLite")?,
            Backend::Postgres => write!(f, ", PostgreSQL")?,
        }
        let kinds = plan.faults.probabilities.len();
        match &plan.faults.only {
            Some(only) => write!(f, ", {}", counted(only.len() as u64, "single fault"))?,
            None if plan.faults == FaultPlan::all() => write!(f, ", all faults")?,
            None if kinds == 0 => write!(f, ", no faults")?,
            None => write!(f, ", {} of faults", counted(kinds as u64, "kind"))?,
        }
        if let Some(bug) = plan.bug {
            write!(f, ", with the bug {bug}")?;
        }
        Ok(())
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
