//! A promise that was broken: which, for whom, what led to it, and how to see it again.

use std::fmt::Write as _;

use super::Words;
use crate::cli::command;
use crate::simulation::Outcome;
use crate::trace::Line;

/// All that is to be read of a simulation that has broken a promise. Empty if it has not.
#[must_use]
pub fn broken(outcome: &Outcome) -> String {
    let Some(violation) = &outcome.violation else { return String::new() };
    let mut text = format!("{violation}\n\nin {}\n", Words(&outcome.plan));
    if !outcome.described.is_empty() {
        text.push_str("\nwhat goes wrong\n");
        for fault in &outcome.described {
            let _ = writeln!(text, "  {fault}");
        }
    }
    // None was kept if it was not to be shrunk.
    if !outcome.trace.is_empty() {
        text.push_str("\nwhat happens\n");
        text.push_str(&story(&outcome.trace));
    }
    let _ = write!(text, "\nrepeat it with\n  {}\n", command(&outcome.plan));
    text
}

/// The lines up to the violation, without what runs do for all every day: of that only which run it was in which
/// something happened to somebody.
fn story(lines: &[Line]) -> String {
    let end = lines.iter().position(|line| line.what.starts_with("VIOLATION"));
    let lines = &lines[..end.map_or(lines.len(), |end| end + 1)];
    let (mut text, mut run) = (String::new(), None);
    for line in lines {
        if line.tenant.is_none() && line.what.ends_with(" begins") {
            run = Some(line);
        } else if line.tenant.is_some() || !is_routine(&line.what) {
            if let Some(run) = run.take() {
                let _ = writeln!(text, "  {run}");
            }
            let _ = writeln!(text, "  {line}");
        } else if is_end(&line.what) {
            run = None;
        }
    }
    text
}

/// What happens every day.
fn is_routine(what: &str) -> bool {
    what.starts_with("day ") || what.starts_with("dry runs: ") || is_end(what) || what.ends_with(": done")
}

/// A run, or its delivery, has come to its end.
fn is_end(what: &str) -> bool {
    what.contains(" ends: ") || what.ends_with(" ends") || what.contains(" has delivered: ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TenantNumber;

    #[test]
    fn a_story_ends_with_the_violation_and_leaves_out_runs_in_which_nothing_happens() {
        let line = |tenant: Option<u32>, what: &str| Line {
            at: "2026-02-02T00:00:00Z".parse().unwrap(),
            tenant: tenant.map(TenantNumber),
            what: what.to_owned(),
        };
        let all = |what| line(None, what);
        let lines = [
            line(Some(3), "founded"),
            all("day 0"),
            all("a begins"),
            all("claim: done"),
            all("a ends: well"),
            all("s begins"),
            all("s ends"),
            all("its notices begins"),
            all("its notices has delivered: Ok(none)"),
            all("the clock of h0 is wrong"),
            all("b begins"),
            all("c begins"),
            all("claim: done"),
            line(Some(3), "charged"),
            line(Some(3), "VIOLATION of 1: charged"),
            line(Some(3), "goes on"),
        ];
        let told = story(&lines);
        let whats: Vec<&str> = told.lines().filter_map(|line| line.rsplit("  ").next()).collect();
        let expected = ["founded", "the clock of h0 is wrong", "c begins", "charged", "VIOLATION of 1: charged"];
        assert_eq!(whats, expected);
    }
}
