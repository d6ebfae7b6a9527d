//! The ways to get a mailbox from a server, each measured.

use std::process::{Command, Stdio};

use echodesk_core::SystemClock;
use echodesk_test_servers::dovecot::{Dovecot, PASSWORD, USER};
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::client::Client;
use echodesk_tests::processes::{Ended, Installation};
use serde_json::Value;

use crate::measure::{self, Cost};

pub(crate) const TENANT: &str = "acme";

/// Everything without parsing anything: what `bench raw` does, in a process of its own.
pub(crate) fn raw(port: u16, ca_file: &str) -> std::io::Result<u64> {
    let mut client = Client::connect(port, ca_file.as_ref())?;
    client.login(USER, PASSWORD)?;
    let mut bytes = 0;
    for folder in std::iter::once("INBOX".to_owned()).chain((1..6).map(|number| format!("Folder {number}"))) {
        client.command(&format!("EXAMINE \"{folder}\""))?;
        bytes += client.drain("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])")?;
    }
    Ok(bytes)
}

/// `bench raw` as a process.
pub(crate) fn raw_limit(server: &Dovecot, clock: &SystemClock) -> Cost {
    let own = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(own)
        .args(["raw", &server.tls_port().to_string()])
        .arg(server.ca_file())
        .stdout(Stdio::null())
        .spawn()
        .expect("this program can be started again");
    let cost = measure::child(&child, clock);
    assert!(child.wait().is_ok_and(|status| status.success()), "the raw limit could not be measured");
    cost
}

/// A tenant to sync into.
pub(crate) fn prepare(installation: &Installation) {
    if installation.database_url.starts_with("postgres") {
        let _ = installation.echodesk(&["migrate"], "").well();
    }
    let tenant = ["tenant", "add", TENANT, "--name", "Acme", "--admin-email", "admin@example.com"];
    let _ = installation.echodesk(&tenant, "").well();
}

/// A mailbox to sync.
pub(crate) fn add_mailbox(installation: &Installation, address: &str, host: &str, port: u16, password: &str) {
    let port = port.to_string();
    let arguments = [
        "mailbox",
        "add",
        "--tenant",
        TENANT,
        "--email",
        address,
        "--imap-host",
        host,
        "--imap-port",
        &port,
        "--password-stdin",
    ];
    let _ = installation.echodesk(&arguments, password).well();
}

/// `sync-emails`, with its report.
pub(crate) fn sync(installation: &Installation, arguments: &[&str], clock: &SystemClock) -> (Cost, Value) {
    let file = installation.folder.join("report.json");
    let name = file.display().to_string();
    let mut all = vec!["--quiet", "--report", &name, "--max-messages", "100000"];
    all.extend(arguments);
    let child = installation.start_sync(&all);
    let cost = measure::child(&child, clock);
    let _ = Ended::of(child).well();
    let report = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    (cost, report.unwrap_or_default())
}

/// `mbsync` into a Maildir beside the databases; none if it is not installed.
pub(crate) fn mbsync(server: &Dovecot, installation: &Installation, clock: &SystemClock) -> Option<Cost> {
    let folder = installation.folder.join("mbsync");
    std::fs::create_dir_all(&folder).expect("own folder");
    let file = folder.join("mbsyncrc");
    let configuration = format!(
        "IMAPAccount bench\nHost localhost\nPort {}\nUser {USER}\nPass {PASSWORD}\nSSLType IMAPS\nCertificateFile {}\n\n\
         IMAPStore far\nAccount bench\n\nMaildirStore near\nPath {folder}/\nInbox {folder}/Inbox\nSubFolders Verbatim\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Near\nSync Pull\nSyncState *\n",
        server.tls_port(),
        server.ca_file().display(),
        folder = folder.display(),
    );
    std::fs::write(&file, configuration).expect("own folder");
    let mut command = Command::new("mbsync");
    command.arg("-q").arg("-c").arg(&file).arg("-a").env("HOME", &folder).stdout(Stdio::null());
    let mut child = command.spawn().ok()?;
    let cost = measure::child(&child, clock);
    child.wait().is_ok_and(|status| status.success()).then_some(cost)
}

/// COPY of the rows that were stored into an empty table of the same shape.
pub(crate) fn copy(server: &Postgres, installation: &Installation, clock: &SystemClock) -> Cost {
    const TABLE: &str = "social_integrations_emailmessage";
    let file = installation.folder.join("rows.copy");
    let file = file.display();
    let url = &installation.database_url;
    server.execute(url, &format!("\\copy {TENANT}.{TABLE} TO '{file}'"));
    server.execute(url, &format!("CREATE TABLE public.copied (LIKE {TENANT}.{TABLE} INCLUDING ALL)"));
    measure::wall(clock, || {
        server.execute(url, &format!("\\copy public.copied FROM '{file}'"));
    })
}
