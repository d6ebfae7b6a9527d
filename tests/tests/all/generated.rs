//! Manual pages and completions that the programs make of themselves.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use echodesk_tests::processes::program_path;

const PROGRAMS: [&str; 4] = ["echodesk", "sync-emails", "recurring-payments", "subscription-status"];

/// Runs a program without any setting, in a folder where there is nothing.
fn run(program: &str, arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().unwrap();
    let output =
        Command::new(program_path(program)).args(arguments).env_clear().current_dir(nowhere.path()).output().unwrap();
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "it leaves nothing behind");
    output
}

fn text(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The flags of a program and of all of its commands, as `--help` shows them.
fn flags(program: &str, command: &[&str]) -> BTreeSet<String> {
    let help = text(program, &[command, &["--help"]].concat());
    // Below them stand examples.
    let help = help.split("\nExamples:").next().unwrap();
    let is_flag = |line: &&str| line.trim_start().starts_with('-');
    let mut found: BTreeSet<String> = help
        .lines()
        .filter(is_flag)
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_end_matches(['.', ',']).to_owned())
        .collect();
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default();
    let commands = commands.split("\n\n").next().unwrap_or_default();
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            found.insert(name.to_owned());
            found.extend(flags(program, &[command, &[name]].concat()));
        }
    }
    found
}

#[test]
fn everything_that_help_shows_is_in_the_manual_page_and_in_every_completion() {
    for program in PROGRAMS {
        let flags = flags(program, &[]);
        assert!(flags.len() > 10 && flags.contains("--database-url"), "{program}: {flags:?}");
        assert_eq!(flags.contains("resolve"), program == "echodesk", "commands of commands are walked too");
        for kind in ["man", "complete-bash", "complete-zsh", "complete-fish"] {
            let made = text(program, &["--generate", kind]).replace('\\', "");
            for flag in &flags {
                let needle = if kind == "complete-fish" { flag.trim_start_matches('-') } else { flag };
                assert!(made.contains(needle), "{program} {kind} lacks {flag}");
            }
        }
    }
}

#[test]
fn what_is_made_is_what_its_readers_understand() {
    let Some(bash) = tool("bash", "bash") else { return };
    let Some(mandoc) = tool("mandoc", "mandoc") else { return };
    let folder = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        for (kind, reader) in
            [("man", &[&*mandoc, "-T", "lint", "-W", "error"][..]), ("complete-bash", &[&*bash, "-n"])]
        {
            let file = folder.path().join(program);
            std::fs::write(&file, text(program, &["--generate", kind])).unwrap();
            let read = Command::new(reader[0]).args(&reader[1..]).arg(&file).output().unwrap();
            assert!(read.status.success(), "{program} {kind}: {}", String::from_utf8_lossy(&read.stdout));
        }
        // What it completes, asked as bash asks.
        let script = format!(
            "source {}; COMP_WORDS=({program} --datab); COMP_CWORD=1; _{} {program} --datab {program}; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            folder.path().join(program).display(),
            program.replace('-', "__"),
        );
        let asked = Command::new(&bash).args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&asked.stdout), "--database-url\n", "{asked:?}");
    }
}

#[test]
fn an_unknown_kind_is_wrong_usage_that_says_which_there_are() {
    let output = run("sync-emails", &["--generate", "html"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: --generate takes one of man, complete-bash, complete-zsh, complete-fish\n"
    );
}

fn tool(program: &str, package: &str) -> Option<String> {
    let found = ["/usr/bin", "/bin"].iter().map(|folder| format!("{folder}/{program}"));
    let mut found = found.filter(|path| std::path::Path::new(path).is_file());
    found.next().or_else(|| echodesk_test_servers::missing(program, package))
}
