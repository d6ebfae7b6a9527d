//! The main job on the embedded default, with nothing installed or configured: a mailbox on a
//! sandbox server, the commands that a user would type, and what they did.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::path::Path;
use std::process::ExitCode;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
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

    let first = sync(&installation)?;
    folders(&first);
    rows(&folder.path().join("echodesk-data/acme.sqlite3"))?;

    println!("\nOnce more: nothing is fetched twice.\n");
    let before = fetches(&server);
    let second = sync(&installation)?;
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

/// Syncs, with the log out of sight: what matters is said again at the end.
fn sync(installation: &Installation) -> Result<Value, String> {
    println!("$ sync-emails --ca-file ca.pem 2>> sync.log");
    let (ended, report) = installation.sync_reported(&[]);
    show(Ended { stderr: if ended.code == Some(0) { String::new() } else { ended.stderr }, ..ended })?;
    Ok(report)
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

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    author: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    folder: String,
    #[diesel(sql_type = Integer)]
    files: i32,
}

/// What is in the database now.
fn rows(file: &Path) -> Result<(), String> {
    let said = |error: &dyn std::error::Error| format!("{}: {error}", file.display());
    let mut connection = SqliteConnection::establish(&file.display().to_string()).map_err(|error| said(&error))?;
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT from_email AS author, subject, folder, json_array_length(attachments) AS files \
         FROM social_integrations_emailmessage ORDER BY timestamp",
    )
    .load(&mut connection)
    .map_err(|error| said(&error))?;
    println!("\nIn echodesk-data/acme.sqlite3, table social_integrations_emailmessage:\n");
    for Row { author, subject, folder, files } in rows {
        let subject: String = subject.chars().take(40).collect();
        let files = if files == 0 { String::new() } else { format!("+{files} file") };
        println!("  {author:<24} {subject:<40} {folder:<14} {files}");
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn fetches(server: &SandboxImap) -> usize {
    server.log().iter().filter(|line| line.starts_with("UID FETCH") && line.contains("BODY")).count()
}
