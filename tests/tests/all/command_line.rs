//! What processes say and how they end: standard error, standard output, exit codes.

use std::path::Path;

use diesel::prelude::*;
use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, SandboxImap};
use serde_json::Value;

use crate::support::{Backend, TENANT, World, mail};

/// Two mailboxes, the first with three messages, the second with a password that the server refuses.
fn good_and_bad() -> (SandboxImap, World) {
    let mut account = Account::new("pw");
    for number in 0..3 {
        account.append("INBOX", SystemClock::new().now(), &[], mail(number, 1000));
    }
    let server = SandboxImap::start(Mailstore::with("good@example.com", account), Behaviour::default());
    let world = World::new(Backend::Sqlite, &server.ca_file()).unwrap();
    world.mailbox("good@example.com", "pw", server.port(), &[]);
    world.mailbox("bad@example.com", "not-the-password", server.port(), &[]);
    (server, world)
}

fn with<'a>(lines: &[&'a str], parts: &[&str]) -> &'a str {
    let found: Vec<&&str> = lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).collect();
    assert_eq!(found.len(), 1, "one line with {parts:?}: {lines:#?}");
    found[0]
}

/// A tenant whose mailboxes cannot be read: its schema has a name that nobody can use.
fn break_a_tenant(world: &World) {
    let added = ["tenant", "add", "ghost", "--name", "Ghost", "--admin-email", "ghost@example.com"];
    let _ = world.installation.echodesk(&added, "").well();
    let file = world.installation.folder.join("data/public.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let rename = "UPDATE tenants_tenant SET schema_name = 'gh/ost' WHERE schema_name = 'ghost'";
    assert_eq!(diesel::sql_query(rename).execute(&mut database).unwrap(), 1);
}

fn assert_no_secrets(ended: &Ended) {
    assert!(!ended.stderr.contains("not-the-password"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("sender"), "no correspondents: {}", ended.stderr);
}

#[test]
fn a_run_logs_its_beginning_and_every_mailbox_as_text() {
    let (_server, world) = good_and_bad();
    break_a_tenant(&world);
    let ended = world.installation.sync(&[]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let _ = with(&lines, &[" INFO sync begins", "sqlite://", "mailboxes=2"]);
    let done = with(&lines, &[" INFO mailbox done", "tenant=\"acme\"", "connection=1", "outcome=\"synced\""]);
    for field in ["stored=3", "duplicate=0", "reduced=0", "failed=0", "pending=0", "bytes=", "round_trips=", "seconds="]
    {
        assert!(done.contains(field), "{field}: {done}");
    }
    let _ = with(&lines, &[" WARN mailbox failed", "connection=2", "error=\"", "switched_off=true"]);
    let _ = with(&lines, &[" WARN ", "gh/ost"]);
    assert_no_secrets(&ended);
}

#[test]
fn a_run_logs_its_beginning_and_every_mailbox_as_json() {
    let (_server, world) = good_and_bad();
    break_a_tenant(&world);
    let ended = world.installation.sync(&["--log-format", "json"]);
    let events: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let event = |message: &str| {
        let mut found = events.iter().filter(|event| event["message"] == message);
        let first = found.next().unwrap_or_else(|| panic!("no {message:?}: {events:#?}"));
        assert!(found.next().is_none(), "{message:?} is said once: {events:#?}");
        first
    };
    let begins = event("sync begins");
    assert_eq!((begins["level"].as_str(), begins["mailboxes"].as_u64()), (Some("INFO"), Some(2)));
    assert_eq!(begins["database"], world.installation.database_url.as_str());
    let done = event("mailbox done");
    assert_eq!((done["tenant"].as_str(), done["connection"].as_u64()), (Some(TENANT), Some(1)));
    assert_eq!((done["outcome"].as_str(), done["stored"].as_u64()), (Some("synced"), Some(3)));
    for field in ["duplicate", "reduced", "failed", "pending", "bytes", "round_trips", "seconds"] {
        assert!(done[field].is_number(), "{field}: {done}");
    }
    let failed = event("mailbox failed");
    assert_eq!((failed["level"].as_str(), failed["connection"].as_u64()), (Some("WARN"), Some(2)));
    assert_eq!((failed["switched_off"].as_bool(), failed["error"].is_string()), (Some(true), true));
    let ghosts = events.iter().filter(|event| event["level"] == "WARN" && event.to_string().contains("gh/ost")).count();
    assert_eq!(ghosts, 1, "{events:#?}");
    assert_no_secrets(&ended);
}

#[test]
fn a_dry_run_says_what_would_be_switched_off_and_nowhere_that_it_was() {
    let (_server, world) = good_and_bad();
    let ended = world.installation.sync(&["--dry-run"]);
    assert!(ended.stdout.contains("(would be switched off)"), "{}", ended.stdout);
    assert!(ended.stderr.contains("switched_off=false would_be_switched_off=true"), "{}", ended.stderr);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains("(switched off"), "{ended:#?}");
}

#[test]
fn a_run_over_nothing_names_the_database_as_a_warning() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let installation = &world.installation;
    let mut command = installation.command("sync-emails", &[]);
    let ended = Ended::of(command.spawn().unwrap()).well();
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let _ = with(&lines, &[" WARN ", "no mailboxes", installation.database_url.as_str(), "mailboxes=0"]);
}

/// `echodesk` with these settings in `.env`, and none of them in the environment.
fn with_dot_env(world: &World, settings: &str, arguments: &[&str]) -> Ended {
    std::fs::write(world.installation.folder.join(".env"), settings).unwrap();
    let mut command = world.installation.command("echodesk", arguments);
    let command = command.env_remove("DATABASE_URL").env_remove("ECHODESK_SECRET_KEY");
    Ended::of(command.spawn().unwrap())
}

#[test]
fn a_setting_of_dot_env_is_taken_literally() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let ended = with_dot_env(&world, "DATABASE_URL=sqlite://$PATH(#) \\'x\n", &["tenant", "list"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains("no database in $PATH(#) \\'x: "), "{}", ended.stderr);
    let ended = with_dot_env(&world, "# fine\nhunter2\n", &["tenant", "list"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), "error: .env, line 2: expected NAME=value\n"));
}

#[test]
fn two_databases_in_the_settings_are_warned_of() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let (one, other) = (format!("DATABASE_URL={}\n", world.installation.database_url), "DB_NAME=echodesk\n");
    let ended = with_dot_env(&world, &format!("{one}{other}"), &["tenant", "list"]).well();
    assert!(ended.stderr.contains(" WARN DATABASE_URL and DB_NAME are both set"), "{}", ended.stderr);
    assert!(ended.stdout.contains(TENANT), "DATABASE_URL is the one that is used: {}", ended.stdout);
    assert_eq!(with_dot_env(&world, &one, &["tenant", "list"]).well().stderr, "");
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let commands: [(&str, &[&str]); 4] = [
        ("echodesk", &["tenant", "list"]),
        ("echodesk", &["mailbox", "list", "--json"]),
        ("sync-emails", &[]),
        ("sync-emails", &["--report", "-"]),
    ];
    for (program, arguments) in commands {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = Ended::of(world.installation.command(program, arguments).stdout(full).spawn().unwrap());
        assert_eq!(ended.code, Some(1), "{program} {arguments:?}: {ended:#?}");
        assert!(ended.stderr.contains("standard output"), "{program} {arguments:?}: {ended:#?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let commands: [(&str, &[&str]); 3] =
        [("echodesk", &["tenant", "list"]), ("sync-emails", &[]), ("sync-emails", &["--report", "-"])];
    for (program, arguments) in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = Ended::of(world.installation.command(program, arguments).stdout(writer).spawn().unwrap());
        assert_eq!(ended.code, Some(0), "{program} {arguments:?}: {ended:#?}");
    }
}

fn checked(world: &World, arguments: &[&str]) -> String {
    let mut all = vec!["check"];
    all.extend(arguments);
    let ended = world.installation.echodesk(&all, "");
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    ended.stdout
}

#[test]
fn a_check_tells_the_port_without_tls_from_the_authority_that_is_not_trusted() {
    let (server, world) = good_and_bad();
    world.mailbox("port@example.com", "pw", server.starttls_port(), &[]);
    let text = checked(&world, &["--ca-file", server.ca_file().to_str().unwrap()]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(with(&lines, &["FAILED", "port@example.com"]).contains("use --starttls"), "{text}");
    assert!(with(&lines, &["ok", "good@example.com"]).contains("over TLS"), "{text}");
    let text = checked(&world, &[]);
    let lines: Vec<&str> = text.lines().collect();
    let untrusted = with(&lines, &["FAILED", "good@example.com"]);
    assert!(untrusted.contains("--ca-file") && !untrusted.contains("--starttls"), "{text}");
}

#[test]
fn a_check_of_a_damaged_file_is_about_the_file() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    for file in [format!("{TENANT}.sqlite3"), "public.sqlite3".to_owned()] {
        std::fs::write(world.installation.folder.join("data").join(&file), "no database".repeat(1000)).unwrap();
        let text = checked(&world, &[]);
        assert!(text.contains("backup") && !text.contains("DB_PASSWORD"), "{file}: {text}");
    }
}

#[test]
fn all_mailboxes_that_are_switched_off_can_be_switched_on_at_once() {
    let (server, world) = good_and_bad();
    world.mailbox("worse@example.com", "not-the-password", server.port(), &[]);
    assert_eq!(world.installation.sync(&[]).code, Some(1), "two of three are switched off");
    let all = ["mailbox", "enable", "--all", "--tenant", TENANT];
    let on = |id| format!("mailbox acme/{id} is switched on; the next run of sync-emails fetches its mail\n");
    assert_eq!(world.installation.echodesk(&all, "").well().stdout, on(2) + &on(3));
    assert_eq!(world.installation.echodesk(&all, "").well().stdout, "no mailbox is switched off\n");
    let ended = world.installation.echodesk(&["mailbox", "enable", "--all", "--tenant", "acne"], "");
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains("did you mean acme?"), "{}", ended.stderr);
}

#[test]
fn settings_that_libpq_refuses_are_wrong_settings() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let ended = with_dot_env(&world, "DB_NAME=echodesk\nDB_SSLMODE=bogus\n", &["tenant", "list"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains("DB_SSLMODE: expected one of disable"), "{}", ended.stderr);
}

#[test]
fn a_check_of_starttls_on_a_port_with_tls_says_what_was_not_answered_and_why() {
    let (server, world) = good_and_bad();
    world.mailbox("port@example.com", "pw", server.port(), &["--starttls"]);
    let text = checked(&world, &["--ca-file", server.ca_file().to_str().unwrap()]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(with(&lines, &["FAILED", "port@example.com"]).contains("leave out --starttls"), "{text}");
}

#[test]
fn nobody_is_suspended_by_a_job_that_cannot_tell_them() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    // Settings are refused before the database is asked for: nobody listens there.
    let away = "postgres://nobody@127.0.0.1:1/nothing";
    let on_postgres = |arguments: &[&str]| {
        let mut command = world.installation.command("subscription-status", arguments);
        Ended::of(command.env("DATABASE_URL", away).spawn().unwrap())
    };
    let ended = on_postgres(&[]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains("EMAIL_BACKEND and EMAIL_HOST are not set"), "{}", ended.stderr);
    assert_eq!(on_postgres(&["--dry-run"]).code, Some(75), "a dry run gets as far as the database");
    let embedded = Ended::of(world.installation.command("subscription-status", &[]).spawn().unwrap()).well();
    assert!(embedded.stdout.starts_with("0 reminded, 0 urgently reminded, 0 in grace, 0 suspended; "), "{embedded:#?}");
}

#[test]
fn settings_of_notices_that_are_wrong_keep_every_job_from_starting() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let wrong = [
        ("EMAIL_HOST", "mx.example.com", "DEFAULT_FROM_EMAIL"),
        ("ECHODESK_NOTICE_TEMPLATES", "/nowhere/at-all", "ECHODESK_NOTICE_TEMPLATES"),
        ("ECHODESK_TIME_ZONE", "Nowhere", "ECHODESK_TIME_ZONE"),
    ];
    for (name, value, named) in wrong {
        for program in ["sync-emails", "subscription-status"] {
            let ended = Ended::of(world.installation.command(program, &[]).env(name, value).spawn().unwrap());
            assert_eq!(ended.code, Some(2), "{program} {name}: {ended:#?}");
            assert!(ended.stderr.contains(&format!("{named} cannot be used")), "{program}: {}", ended.stderr);
        }
    }
}

#[test]
fn an_exempt_tenant_that_is_nobody_is_named_with_where_it_stands() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let told = |flag: &[&str], setting: &str| {
        let mut command = world.installation.command("subscription-status", flag);
        let ended = Ended::of(command.env("ECHODESK_EXEMPT_TENANTS", setting).spawn().unwrap());
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        ended.stderr
    };
    assert!(told(&["--exempt", "acne"], "").contains("--exempt: no tenant acne; did you mean acme?"));
    assert!(told(&["--exempt", TENANT], "acne").contains("ECHODESK_EXEMPT_TENANTS: no tenant acne"));
}

#[test]
fn who_expires_is_reminded_by_a_mail_in_a_folder_and_machines_are_told() {
    let world = World::new(Backend::Sqlite, Path::new("/dev/null")).unwrap();
    let installation = &world.installation;
    let expires = SystemClock::new().now().checked_add(jiff::SignedDuration::from_hours(6 * 24)).unwrap().to_string();
    let subscribe = ["tenant", "subscribe", TENANT, "--expires", &expires, "--agents", "1", "--price", "10"];
    let _ = installation.echodesk(&subscribe, "").well();
    let run =
        |arguments: &[&str]| Ended::of(installation.command("subscription-status", arguments).spawn().unwrap()).well();
    let mails = || std::fs::read_dir(installation.folder.join("data/notices")).map_or(0, Iterator::count);
    assert!(run(&["--dry-run"]).stdout.contains("would remind"));
    assert_eq!(mails(), 0, "a dry run tells nobody");
    let report: Value = serde_json::from_str(&run(&["--report", "-"]).stdout).unwrap();
    assert_eq!((&report["totals"]["reminders"], &report["notices"]["delivered"]), (&1.into(), &1.into()));
    assert_eq!(report["subscriptions"][0]["outcome"], "reminded");
    assert_eq!(mails(), 1);
    assert_eq!(run(&["-q"]).stdout, "", "the second run has nothing to tell");
    assert_eq!(mails(), 1);
    let sent = installation.echodesk(&["notices", "list", "--sent"], "").well().stdout;
    assert!(sent.contains("subscription:1"), "{sent}");
}
