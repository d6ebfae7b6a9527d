//! The program: what it prints and how it ends.

use std::process::{Command, Output};

fn output(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments).output().unwrap()
}

/// What it prints, after it has ended with this code.
fn ended(code: i32, arguments: &[&str]) -> String {
    let output = output(arguments);
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said:?}");
    said[if code == 2 { 1 } else { 0 }].clone()
}

/// What it prints if nothing was broken.
pub(crate) fn ran(arguments: &[&str]) -> String {
    ended(0, arguments)
}

const TINY: [&str; 4] = ["--tenants", "5", "--days", "12"];

#[test]
fn help_and_list_say_all_there_is() {
    insta::assert_snapshot!("help", ran(&["--help"]));
    insta::assert_snapshot!("help_score", ran(&["score", "--help"]));
    let list = ran(&["--list"]);
    for kind in echodesk_simulate::fault::FaultKind::ALL {
        assert!(list.contains(&format!("  {kind} ")) && list.contains(kind.what()), "{kind}");
    }
    for bug in echodesk_simulate::bugs::Bug::ALL {
        assert!(list.contains(&format!("  {bug} ")) && list.contains(bug.what()), "{bug}");
    }
    for invariant in echodesk_simulate::violation::Invariant::ALL {
        assert!(list.contains(&invariant.to_string()), "{invariant}");
    }
}

#[test]
fn a_simulation_in_which_nothing_is_broken_ends_with_a_summary_and_0() {
    let said = ran(&TINY);
    for line in ["tenant-days     60 in ", "violations      0", "fingerprint     "] {
        assert!(said.contains(line), "{line:?} in {said}");
    }
    assert!(said.starts_with("seed 1, 5 tenants, 12 days, 2 hosts, SQLite, all faults\n"), "{said}");
}

#[test]
fn several_seeds_have_a_line_each_in_their_order_however_many_run_at_once() {
    let lines = |jobs: &str| -> Vec<String> {
        let said = ran(&[&TINY[..], &["--seeds", "5", "--seed", "3", "--jobs", jobs]].concat());
        said.lines().filter(|line| line.starts_with("seed ")).map(str::to_owned).collect()
    };
    let one = lines("1");
    assert_eq!(one.len(), 6, "{one:#?}");
    assert!(one[1].starts_with("seed 3 ") && one[5].starts_with("seed 7 "), "{one:#?}");
    assert_eq!(one, lines("3"));
}

#[test]
fn a_bug_ends_with_1_and_the_printed_command_shows_it_again() {
    let said = ended(1, &["--bug", "extension-from-now", "--tenants", "10", "--days", "40", "--seeds", "3"]);
    let last = said.lines().last().unwrap().trim();
    let again = ended(1, &last.split(' ').skip(1).collect::<Vec<_>>());
    let told = |said: &str| said.split("what happens\n").nth(1).map(str::to_owned);
    assert!(told(&said).is_some_and(|story| story.contains("VIOLATION of 2")), "{said}");
    assert_eq!(told(&said), told(&again));
    assert!(said.contains("Every capture extends exactly once"), "{said}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_right() {
    for (arguments, answer) in [
        (&["--fault", "rain"][..], "`--list` names them"),
        (&["--fault", "bank-down=2"], "not a number from 0 to 1"),
        (&["--bug", "rain"], "`--list` names them"),
        (&["--only-faults", "xyz"], "12 hex digits"),
        (&["--tenants", "0"], "0 is not in 1.."),
        (&["--tenants", "3", "--only-tenant", "9"], "there is no tenant t9"),
        (&["--seeds", "2", "--trace", "-"], "cannot be used with"),
        (&["--tenants", "1", "--days", "1", "--trace", "/nowhere/trace"], "/nowhere/trace"),
    ] {
        let said = ended(2, arguments);
        assert!(said.contains(answer), "{arguments:?}: {said}");
    }
}

#[test]
fn given_kinds_of_faults_happen_and_no_others() {
    let said = ran(&["--tenants", "5", "--days", "30", "--fault", "callback-lost=1", "--fault", "cron-missed"]);
    let kinds: Vec<&str> =
        said.lines().filter(|line| line.starts_with("   ")).filter_map(|line| line.split(' ').next_back()).collect();
    assert_eq!(kinds, ["callback-lost", "cron-missed"]);
    assert!(ran(&["--tenants", "5", "--days", "30", "--no-faults"]).contains("faults          0\n"));
}

#[test]
fn the_trace_is_every_line_of_what_happened() {
    let said = ran(&[&TINY[..], &["--trace", "-"]].concat());
    assert!(said.contains("t5  Profile") && said.contains("all  day 11"), "{said}");
}
