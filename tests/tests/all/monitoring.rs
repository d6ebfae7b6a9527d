//! Run history, pings and metrics, which never change how a run ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use echodesk_tests::processes::Ended;
use serde_json::Value;

use crate::support::{Backend, World, on_both};

on_both! {
    runs_are_listed_with_what_they_did,
    a_run_is_pinged_and_measured_from_its_beginning_to_its_end,
}

/// Somebody who hears pings: method and path, and the body, of each.
fn listener(answer: &'static str) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hunter2/{{job}}", listener.local_addr().unwrap());
    let (heard, pings) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let length =
                lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = reader.read_exact(&mut body);
            let reply = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = reader.get_mut().write_all(reply.as_bytes());
            let first = lines.first().cloned().unwrap_or_default();
            if heard.send((first, String::from_utf8_lossy(&body).into_owned())).is_err() {
                return;
            }
        }
    });
    (url, pings)
}

fn sync(world: &World, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = world.installation.command("sync-emails", arguments);
    let ended = Ended::of(command.envs(settings.iter().copied()).spawn().unwrap());
    assert!(!format!("{ended:?}").contains("hunter2"), "the address holds a key: {ended:#?}");
    ended
}

/// The path of a ping without the number of the run.
fn path(ping: &(String, String)) -> &str {
    ping.0.strip_prefix("POST /hunter2").unwrap().split('?').next().unwrap()
}

fn runs_are_listed_with_what_they_did(backend: Backend) {
    let Some(world) = World::new(backend, "/dev/null".as_ref()) else { return };
    let list = |arguments: &[&str]| world.installation.echodesk(&[&["runs", "list"], arguments].concat(), "");
    assert_eq!(list(&[]).well().stdout, "no run\n");
    let _ = sync(&world, &[], &[]).well();
    let _ = sync(&world, &["--tenant", "acme"], &[]).well();
    let _ = sync(&world, &["--dry-run"], &[]).well();
    world.mailbox("a@example.com", "p", 9, &[]);
    assert_eq!(sync(&world, &[], &[]).code, Some(1));

    let rows: Vec<Value> = serde_json::from_str(&list(&["--json"]).well().stdout).unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row["exit_code"].as_i64(), row["tenant"].as_str())).collect();
    assert_eq!(told, [(Some(0), None), (Some(0), Some("acme")), (Some(1), None)]);
    assert!(
        rows[2]["summary"]["failed_mailboxes"].as_i64() == Some(1) && rows[2]["finished_at"].is_string(),
        "{:#}",
        rows[2]
    );
    let failed = list(&["--failed", "--job", "sync-emails"]).well().stdout;
    assert_eq!(failed.lines().count(), 2, "{failed}");
    assert!(list(&["--job", "recurring-payments"]).well().stdout.starts_with("no run"));
    let unknown = list(&["--job", "sync"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("recurring-payments"), "{unknown:#?}");

    // Somebody who has looked away for two days is told.
    world.execute("UPDATE echodesk_run SET started_at = '2026-01-01T00:00:00.000000Z', finished_at = '2026-01-01T00:00:01.000000Z'");
    let list = list(&[]).well().stdout;
    assert!(list.contains("sync-emails has not succeeded for"), "{list}");
    let other = Ended::of(
        world
            .installation
            .command("subscription-status", &[])
            .env("EMAIL_BACKEND", "console")
            .env("DEFAULT_FROM_EMAIL", "a@example.com")
            .spawn()
            .unwrap(),
    )
    .well();
    assert!(other.stderr.contains("WARN sync-emails has not succeeded for"), "{other:#?}");
}

fn a_run_is_pinged_and_measured_from_its_beginning_to_its_end(backend: Backend) {
    let Some(world) = World::new(backend, "/dev/null".as_ref()) else { return };
    let (url, pings) = listener("200 OK");
    let folder = world.installation.folder.join("metrics");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let settings = [("ECHODESK_PING_URL", url.as_str()), ("ECHODESK_METRICS_FOLDER", folder.as_str())];
    let metrics = || std::fs::read_to_string(format!("{folder}/echodesk_sync_emails.prom")).unwrap();
    let next = || pings.recv_timeout(Duration::from_secs(20)).unwrap();

    let _ = sync(&world, &[], &settings).well();
    let (start, end) = (next(), next());
    assert_eq!((path(&start), path(&end)), ("/sync-emails/start", "/sync-emails"));
    assert!(end.1.starts_with("exit code 0\n") && end.1.contains("mailboxes"), "{end:?}");
    assert_eq!(start.0.split("rid=").nth(1), end.0.split("rid=").nth(1), "the same run");
    let well = metrics();
    assert!(well.contains("last_exit_code{job=\"sync-emails\"} 0\n"), "{well}");
    let success =
        |text: &str| text.lines().find(|line| line.starts_with("echodesk_job_last_success")).unwrap().to_owned();

    world.mailbox("a@example.com", "p", 9, &[]);
    assert_eq!(sync(&world, &[], &settings).code, Some(1));
    let (start, end) = (next(), next());
    assert_eq!((path(&start), path(&end)), ("/sync-emails/start", "/sync-emails/fail"));
    let badly = metrics();
    assert!(
        badly.contains("exit_code{job=\"sync-emails\"} 1\n") && badly.contains("what=\"failed_mailboxes\"} 1\n"),
        "{badly}"
    );
    assert_eq!(success(&well), success(&badly));

    // Settings that are wrong and a database that is away are failures of a run as well.
    assert_eq!(sync(&world, &[], &[settings[0], settings[1], ("ECHODESK_TIME_ZONE", "nowhere")]).code, Some(2));
    let (_, end) = (next(), next());
    assert!(path(&end) == "/sync-emails/fail" && end.1.contains("ECHODESK_TIME_ZONE"), "{end:?}");
    let away = [settings[0], settings[1], ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")];
    assert_eq!(sync(&world, &[], &away).code, Some(75));
    let (_, end) = (next(), next());
    assert!(end.1.starts_with("exit code 75\n"), "{end:?}");
    assert_eq!(success(&well), success(&metrics()), "what was known stays");

    // Neither a dry run nor one for a single tenant says anything of the job.
    let _ = sync(&world, &["--dry-run"], &settings);
    let _ = sync(&world, &["--tenant", "acme"], &settings);
    assert!(pings.try_recv().is_err());
}

#[test]
fn monitors_that_do_not_work_fail_no_run() {
    let Some(world) = World::new(Backend::Sqlite, "/dev/null".as_ref()) else { return };
    let (refusing, _pings) = listener("500 Oops");
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/hunter2", silent.local_addr().unwrap());
    let table = [
        ("ECHODESK_PING_URL", refusing.as_str(), "answered 500"),
        ("ECHODESK_PING_URL", "http://127.0.0.1:9/hunter2", "did not reach 127.0.0.1"),
        ("ECHODESK_PING_URL", silent.as_str(), "did not reach 127.0.0.1"),
        ("ECHODESK_PING_URL", "hunter2", "ECHODESK_PING_URL cannot be used"),
        ("ECHODESK_METRICS_FOLDER", "/nonexistent", "metrics were not written"),
        ("ECHODESK_OVERDUE_AFTER", "tomorrow", "ECHODESK_OVERDUE_AFTER cannot be used"),
    ];
    for (name, value, warning) in table {
        let ended = sync(&world, &[], &[(name, value)]).well();
        assert!(ended.stderr.contains(warning), "{warning}: {ended:#?}");
    }
}
