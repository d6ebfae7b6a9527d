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
    text.push_str("\nwhat happens\n");
    text.push_str(&story(&outcome.trace));
    let _ = write!(text, "\nrepeat it with\n  {}\n", command(&outcome.plan));
    text
}

/// The lines up to the violation. Of those that concern all, the ones next to what happens to somebody.
fn story(lines: &[Line]) -> String {
    let end = lines.iter().position(|line| line.what.starts_with("VIOLATION"));
    let lines = &lines[..end.map_or(lines.len(), |end| end + 1)];
    let is_near = |nth: usize| {
        let near = nth.saturating_sub(1)..(nth + 2).min(lines.len());
        lines[near].iter().any(|line| line.tenant.is_some())
    };
    let (mut text, mut left_out) = (String::new(), 0);
    for (nth, line) in lines.iter().enumerate() {
        if !is_near(nth) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            let _ = writeln!(text, "  … {left_out} lines that concern all");
            left_out = 0;
        }
        let _ = writeln!(text, "  {line}");
    }
    text
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
            all("a begins"),
            all("a ends"),
            all("b begins"),
            all("c begins"),
            line(Some(3), "charged"),
            line(Some(3), "VIOLATION of 1: charged"),
            line(Some(3), "goes on"),
        ];
        let told: Vec<String> = story(&lines).lines().map(|line| line.trim().to_owned()).collect();
        let whats: Vec<&str> = told.iter().map(|line| line.rsplit("  ").next().unwrap()).collect();
        let expected =
            ["founded", "a begins", "… 2 lines that concern all", "c begins", "charged", "VIOLATION of 1: charged"];
        assert_eq!(whats, expected);
    }
}
