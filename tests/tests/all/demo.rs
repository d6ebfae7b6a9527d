//! README's first command.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use echodesk_tests::processes::{Ended, program_path};

/// Starts the demo with a folder, and what it prints goes to no terminal.
fn demo(folder: &std::path::Path) -> Ended {
    let output = Command::new(program_path("demo")).arg(folder).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn rest_of<'a>(text: &'a str, after: &str) -> &'a str {
    text.rsplit_once(after).unwrap_or_else(|| panic!("{after}: {text}")).1
}

#[test]
fn the_demo_tells_the_story_and_leaves_what_it_speaks_of() {
    let folder = tempfile::tempdir().unwrap();
    let ended = demo(folder.path()).well();
    assert_eq!(ended.stderr, "");
    let told = ended.stdout;
    let lines = [
        "bell, cola: warned",
        "admin@cola.example: Your EchoDesk account is suspended",
        "cola: active again",
        "All of it is as docs/timeline.md says",
        "echodesk explain cola",
    ];
    let mut rest = told.as_str();
    for line in lines {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("{line}, in this order: {told}")).1;
    }
    assert!(!told.contains('\u{1b}'), "no colours where nobody sees them: {told}");
    assert!(told.lines().count() <= 92, "it is read in a minute: {}", told.lines().count());

    // The installation stays, with its settings.
    let list = |what: &str| {
        let mut command = Command::new(program_path("echodesk"));
        let output = command.args([what, "list"]).current_dir(folder.path()).env_clear().output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for tenant in ["acme", "bell", "cola"] {
        assert!(list("tenant").contains(tenant), "{}", list("tenant"));
    }

    let settings = std::fs::metadata(folder.path().join(".env")).unwrap();
    assert_eq!(settings.permissions().mode() & 0o777, 0o600, "it holds secrets");

    // What it says to type next works.
    let next = rest_of(&told, "Next\n");
    let commands: Vec<&str> = next.lines().filter_map(|line| line.strip_prefix("  echodesk ")).collect();
    assert!(commands.len() >= 3, "{next}");
    for command in commands {
        let arguments = command.split('#').next().unwrap().split_whitespace();
        let mut typed = Command::new(program_path("echodesk"));
        let output = typed.args(arguments).current_dir(folder.path()).env_clear().output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !said.contains("FAILED"), "{command}: {output:#?}");
    }

    // It is not played over another installation.
    let again = demo(folder.path());
    assert_eq!(again.code, Some(1), "{again:#?}");
    assert!(again.stdout.contains("holds an installation already"), "{again:#?}");
}

#[test]
fn who_stops_reading_gets_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program_path("demo"));
    let mut child = command.arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    // As `| head -1` does.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ended = Ended::of(child);
    assert!(line.starts_with("Three customers"), "{line}");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(141), ""), "as a shell tells of a closed pipe");
}
