//! The main job on the embedded default, with nothing installed or configured: a mailbox on a
//! sandbox server, the commands that a user would type, and what they did.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::demo_mailbox::{ADDRESS, PASSWORD, demo_mailbox};
use echodesk_tests::processes::{Ended, Installation};
use echodesk_tests::sandbox::imap::{Behaviour, Mailstore, SandboxImap};
use serde_json::Value;

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("\n{problem}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, Behaviour::default());
    let installation = Installation {
        database_url: "sqlite://echodesk-data".to_owned(),
        folder: folder.path().to_owned(),
        ca_file: server.ca_file(),
    };
    let port = server.port().to_string();

    println!("A sandbox IMAP server holds the mailbox {ADDRESS}; the database is a folder.\n");
    let tenant = ["tenant", "add", "acme", "--name", "Acme", "--admin-email", "admin@example.ge"];
    echodesk(&installation, &tenant, "")?;
    let mailbox = [
        "mailbox",
        "add",
        "--tenant",
        "acme",
        "--email",
        ADDRESS,
        "--imap-host",
        "localhost",
        "--imap-port",
        &port,
        "--password-stdin",
    ];
    echodesk(&installation, &mailbox, PASSWORD)?;

    println!("$ sync-emails --quiet --ca-file ca.pem");
    let (ended, first) = installation.sync_reported(&["--quiet"]);
    show(ended)?;
    folders(&first);

    println!("\nOnce more: nothing is fetched twice.\n");
    let before = fetches(&server);
    println!("$ sync-emails --quiet --ca-file ca.pem");
    let (ended, second) = installation.sync_reported(&["--quiet"]);
    show(ended)?;
    println!(
        "\n{} stored, {} bodies fetched, {} round trips to see that nothing is new.",
        second["totals"]["stored"],
        fetches(&server) - before,
        second["totals"]["round_trips"]
    );
    Ok(())
}

/// Runs a command as it is shown.
fn echodesk(installation: &Installation, arguments: &[&str], input: &str) -> Result<(), String> {
    let pipe = if input.is_empty() { "" } else { "echo \"$PASSWORD\" | " };
    println!("$ {pipe}echodesk {}", arguments.join(" "));
    show(installation.echodesk(arguments, input))
}

fn show(ended: Ended) -> Result<(), String> {
    print!("{}{}", ended.stdout, ended.stderr);
    if ended.code == Some(0) {
        Ok(())
    } else {
        Err(format!("that was not to be expected (exit code {:?})", ended.code))
    }
}

/// What was stored, by folder.
fn folders(report: &Value) {
    println!("\n{:<16} {:>6} {:>12}  ", "folder", "stored", "known before");
    for mailbox in report["mailboxes"].as_array().into_iter().flatten() {
        for folder in mailbox["folders"].as_array().into_iter().flatten() {
            println!("{:<16} {:>6} {:>12}", text(&folder["name"]), text(&folder["stored"]), text(&folder["duplicate"]));
        }
        let left_out: Vec<String> = mailbox["folders_left_out"].as_array().into_iter().flatten().map(text).collect();
        println!("left out: {}", left_out.join(", "));
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn fetches(server: &SandboxImap) -> usize {
    server.log().iter().filter(|line| line.starts_with("UID FETCH") && line.contains("BODY")).count()
}
