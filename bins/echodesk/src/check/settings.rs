//! Are the settings spelt right, kept safe, and usable? Without asking anybody.

mod dot_env;
mod names;
mod values;

use echodesk_core::Environment;

use super::finding::Finding;

pub(super) use values::exempt;

/// What can be told without the database.
pub(super) fn check(environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(dot_env::check(environment));
    findings.extend(names::check(environment));
    findings.extend(values::check(environment));
    findings
}
