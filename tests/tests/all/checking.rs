//! `echodesk check`: an installation that is all right, one in which everything is wrong, and servers that hang.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::moving_clock::MovingClock;
use echodesk_tests::processes::{Ended, SECRET_KEY};
use echodesk_tests::sandbox::imap::{self, Account, Mailstore, SandboxImap};
use echodesk_tests::sandbox::smtp::{self, Login, SandboxSmtp};
use serde_json::Value;

use crate::payments::world::{PaymentWorld, silent};
use crate::support::{Backend, World};

/// What must be nowhere in what is said.
const SECRETS: [&str; 5] = ["hunter2", "hunter3", "sandbox secret", SECRET_KEY, "aHVudGVyM"];

/// Everything around an installation: mail servers, a bank, and the installation itself with a mailbox.
struct Surroundings {
    imap: SandboxImap,
    smtp: SandboxSmtp,
    world: PaymentWorld,
}

impl Surroundings {
    fn new(password: &str) -> Self {
        let imap = SandboxImap::start(
            Mailstore::with("info@acme.example", Account::new("hunter2")),
            imap::Behaviour::default(),
        );
        let smtp = SandboxSmtp::start(smtp::Behaviour::default().with_login(Login::new("mailer", "hunter2")));
        let world = World::new(Backend::Sqlite, "/dev/null".as_ref()).unwrap();
        world.installation.bind("localhost");
        world.mailbox("info@acme.example", password, imap.port(), &[]);
        Self { imap, smtp, world: PaymentWorld::of(world, silent()) }
    }

    /// With `.env` of this content, which others on the machine may read or not.
    fn with_dot_env(self, mode: u32, content: &str) -> Self {
        let path = self.world.world.installation.folder.join(".env");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        self
    }

    fn set(&mut self, settings: &[(&'static str, &str)]) {
        settings.iter().for_each(|(name, value)| self.world.set(name, value));
    }

    fn set_mail(&mut self) {
        let (port, ca) = (self.smtp.port().to_string(), self.smtp.ca_file().display().to_string());
        self.set(&[
            ("EMAIL_HOST", "localhost"),
            ("EMAIL_PORT", &port),
            ("EMAIL_USE_TLS", "True"),
            ("EMAIL_HOST_USER", "mailer"),
            ("EMAIL_HOST_PASSWORD", "hunter2"),
            ("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>"),
            ("ECHODESK_CA_FILE", &ca),
        ]);
    }

    fn folder(&self) -> String {
        self.world.world.installation.folder.display().to_string()
    }

    fn check(&self, arguments: &[&str]) -> Ended {
        // The two mail servers have authorities of their own: the flag is for mailboxes.
        let ca_file = self.imap.ca_file().display().to_string();
        let command = [&["check", "--ca-file", &ca_file], arguments].concat();
        let ended = Ended::of(self.world.command("echodesk", &command).spawn().unwrap());
        for secret in SECRETS {
            assert!(!format!("{ended:?}").contains(secret), "{secret}: {ended:#?}");
        }
        assert_eq!(ended.stderr, "", "{ended:#?}");
        ended
    }

    /// Without what differs from time to time.
    fn redacted(&self, text: &str) -> String {
        let text = text.replace(&self.folder(), "FOLDER");
        let mut lines = Vec::new();
        for line in text.lines() {
            let words: Vec<String> = line.split(' ').map(redacted_word).collect();
            lines.push(words.join(" "));
        }
        lines.join("\n")
    }
}

/// `localhost:40123` without its port, `(0.1` and `0.1` without their seconds.
fn redacted_word(word: &str) -> String {
    let bare = word.trim_start_matches('(');
    if bare.len() < 5 && bare.contains('.') && bare.parse::<f64>().is_ok() {
        return word.replace(bare, "N");
    }
    let mut parts = word.split(':').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if (4..=5).contains(&digits) { format!("PORT{}", &part[digits..]) } else { part.to_owned() }
    });
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| text + ":" + &part)
}

#[test]
fn an_installation_that_is_all_right_has_nothing_that_failed() {
    let mut all = Surroundings::new("hunter2").with_dot_env(
        0o600,
        "# ours\nSECRET_KEY=hunter2\nECHODESK_TIME_ZONE=Asia/Tbilisi\nECHODESK_EXEMPT_TENANTS=acme\nEMAIL_SUBJECT_PREFIX=x\n",
    );
    all.set_mail();
    all.world = all.world.serving_callbacks();
    let key = all.folder() + "/bank.pem";
    all.set(&[("BOG_PUBLIC_KEY_FILE", &key)]);
    let ended = all.check(&[]).well();
    insta::assert_snapshot!(all.redacted(&ended.stdout));
    assert_eq!((all.smtp.count(), all.world.bank.captures().len()), (0, 0), "nothing was sent or charged");
    assert_eq!(all.smtp.log().last().map(String::as_str), Some("QUIT"));
    assert_eq!(all.world.bank.tokens_issued(), 1);
}

#[test]
fn where_everything_is_wrong_each_line_says_what_to_do() {
    let mut all = Surroundings::new("hunter3").with_dot_env(
        0o644,
        "# ours\nSECRET_KEY=hunter2\n\nDATABSE_URL=postgres://bob:hunter2@db/x\nDEFAULT_FORM_EMAIL=hunter2\n\
         ECHODESK_TIME_ZONE=Asia/Tiflis\nECHODESK_EXEMPT_TENANTS=acne\nBOG_WHATEVER_ELSE=hunter2\n",
    );
    all.set_mail();
    let nowhere = format!("{}/hunter2/callback", all.world.bank.api_url());
    all.set(&[
        ("SECRET_KEYS", "hunter2"),
        ("EMAIL_HOST_PASSWORD", "hunter3"),
        ("BOG_CLIENT_SECRET", "hunter3"),
        ("BOG_CALLBACK_URL", &nowhere),
        ("BOG_PUBLIC_KEY_FILE", "/nowhere/key.pem"),
        ("ECHODESK_ATTACHMENTS", "file:///dev/null/attachments"),
    ]);
    let ended = all.check(&[]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    insta::assert_snapshot!(all.redacted(&ended.stdout));

    let as_json = all.check(&["--json"]);
    assert_eq!(as_json.code, Some(1));
    let rows: Vec<Value> = serde_json::from_str(&as_json.stdout).unwrap();
    assert_eq!(rows.len(), ended.stdout.lines().count());
    for row in &rows {
        let fields: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["check", "detail", "remedy", "subject", "verdict"]);
        assert_eq!(row["verdict"] == "ok", row["remedy"].is_null(), "{row}");
    }
    assert!(rows.iter().any(|row| row["check"] == "email" && row["verdict"] == "failed"), "{rows:#?}");
}

#[test]
fn offline_nobody_is_connected_to() {
    let mut all = Surroundings::new("hunter2");
    all.set_mail();
    all.set(&[("BOG_CALLBACK_URL", "https://jobs.example.com/api/payments/webhook/")]);
    let ended = all.check(&["--offline"]).well();
    for part in ["ok      bank http://127.0.0.1:", "set; not called", "ok      email: mail server localhost:"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:#?}");
    }
    assert!(!ended.stdout.contains("info@acme.example"), "{ended:#?}");
    assert_eq!((all.world.bank.requests().len(), all.smtp.connections()), (0, 0));
    assert!(all.imap.log().is_empty());
}

#[test]
fn servers_that_say_nothing_are_waited_for_at_once_and_not_for_long() {
    let mut all = Surroundings::new("hunter2");
    all.set_mail();
    // It takes connections and says nothing.
    let silent = TcpListener::bind("localhost:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    all.world.world.mailbox("slow@acme.example", "hunter2", port, &[]);
    let (text, token) = (port.to_string(), format!("http://localhost:{port}/token"));
    let hook = format!("http://localhost:{port}/api/payments/webhook/");
    all.set(&[("EMAIL_PORT", &text), ("BOG_AUTH_URL", &token), ("BOG_CALLBACK_URL", &hook)]);
    let clock = SystemClock::new();
    let ended = all.check(&[]);
    // One after another would take four times as long as the longest.
    assert!(clock.elapsed() < Duration::from_secs(25), "{:?}", clock.elapsed());
    assert_eq!(ended.code, Some(1));
    for part in ["bank http://localhost:", "callback http://localhost:", "email mail server", "slow@acme.example"] {
        let line = ended.stdout.lines().find(|line| line.starts_with("FAILED") && line.contains(part));
        assert!(
            line.is_some_and(|line| line.contains("no answer") || line.contains("10s") || line.contains("10 s")),
            "{part}: {ended:#?}"
        );
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_apart_from_a_bank_that_is_not_there() {
    let mut all = Surroundings::new("hunter2");
    for (address, part) in [
        (format!("https://localhost:{}/token", all.smtp.tls_port()), "certificate"),
        ("https://bank.invalid/token".to_owned(), "spelled right in BOG_AUTH_URL"),
        (format!("{}/nothing", all.world.bank.api_url()), "the bank's token address?"),
        ("http://127.0.0.1:1/token".to_owned(), "may this machine connect"),
    ] {
        all.set(&[("BOG_AUTH_URL", &address)]);
        let ended = all.check(&[]);
        let line = ended.stdout.lines().find(|line| line.starts_with("FAILED  bank")).unwrap_or_default();
        assert!(ended.code == Some(1) && line.contains(part), "{part}: {ended:#?}");
    }
}

#[test]
fn settings_that_name_no_database_are_one_line_among_others() {
    let world = World::new(Backend::Sqlite, "/dev/null".as_ref()).unwrap();
    let mut command = world.installation.command("echodesk", &["check"]);
    command.env_remove("DATABASE_URL").env("DB_NAME", "echodesk").env("DB_PORT", "hunter2");
    let ended = Ended::of(command.env("ECHODESK_TIMEZONE", "x").spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    for part in ["FAILED  database: ", "DB_PORT", "did you mean ECHODESK_TIME_ZONE?"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:#?}");
    }
    assert!(!ended.stdout.contains("hunter2"), "{ended:#?}");
    assert_eq!(
        Ended::of(world.installation.command("echodesk", &["check", "--nonsense"]).spawn().unwrap()).code,
        Some(2)
    );
}

#[test]
fn what_could_not_be_looked_at_is_told_by_name() {
    let world = World::new(Backend::Sqlite, "/dev/null".as_ref()).unwrap();
    let checks = |settings: &[(&str, &str)]| {
        let mut command = world.installation.command("echodesk", &["check"]);
        command.env_remove("DATABASE_URL").envs(settings.iter().copied());
        let ended = Ended::of(command.spawn().unwrap());
        let left_out = ended.stdout.lines().filter(|line| line.contains(": not looked at, because "));
        left_out.map(|line| line.split([' ', ':']).nth(1).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let away = format!("sqlite://{}/nowhere", world.installation.folder.display());
    let away = checks(&[("DATABASE_URL", &away), ("BOG_CLIENT_ID", "shop")]);
    assert_eq!(away, ["tables", "identity", "job", "attachments", "mailboxes"]);
    assert_eq!(
        checks(&[("DB_NAME", "echodesk"), ("DB_PORT", "hunter2")]),
        ["tables", "identity", "job", "bank", "callback", "email", "attachments", "mailboxes"]
    );
}

#[test]
fn before_migrate_only_the_line_of_the_tables_speaks_of_missing_tables() {
    let Some(world) = World::new(Backend::Postgres, "/dev/null".as_ref()) else { return };
    world.execute("DROP TABLE public.echodesk_identity, public.echodesk_run");
    let ended = world.installation.echodesk(&["check"], "");
    assert!(!ended.stdout.contains("does not exist"), "{ended:#?}");
    for part in ["FAILED  tables public: ", "warning identity: not looked at", "warning job: not looked at"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:#?}");
    }
}

#[test]
fn the_clock_of_a_server_is_compared_with_that_of_this_machine() {
    let Some(world) = World::new(Backend::Postgres, "/dev/null".as_ref()) else { return };
    let ended = world.installation.echodesk(&["check"], "").well();
    assert!(ended.stdout.contains("ok      clock: "), "{ended:#?}");
    assert!(ended.stdout.contains("warning bank: not set up"), "{ended:#?}");
    let mut ahead = world.installation.command("echodesk", &["check"]);
    let clock = MovingClock::build().unwrap();
    let ended = Ended::of(clock.command(&mut ahead, "2040-01-01T00:00:00Z".parse().unwrap()).spawn().unwrap());
    assert!(ended.stdout.contains("FAILED  clock: ") && ended.stdout.contains("NTP"), "{ended:#?}");
}
