//! Taking the place of EchoDesk's own command, on its database as it stands.

use std::path::PathBuf;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, SandboxImap};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::mail;

const PUBLIC: &str = include_str!("../../fixtures/echodesk.sql");
const TENANT: &str = include_str!("../../fixtures/echodesk_tenant.sql");

/// Django's `SECRET_KEY`.
const KEY: &str = "django-insecure-key-of-the-tests";

/// Schema, address, password, and how Django's `Signer` signs it: computed with Python's hmac, so that
/// our code is not its own judge.
const MAILBOXES: [(&str, &str, &str, &str); 4] = [
    ("good", "info@good.example", "info: pass:word", "H30hIEc3aPvEkV2-SCjk9rLd5YmL7magWyVMLhFvg9k"),
    ("good", "sales@good.example", "sales-password", "QfUrdm52vvX3UJtkZMFuRABSIICzNIvu4maaKDmmt6I"),
    ("narrow", "info@narrow.example", "narrow-password", "wMwcyAmIA3ftpqUaAZcleYF2up8pUxK-FxHM3-wJJQk"),
    ("asleep", "info@asleep.example", "asleep-password", "Dt0JO-wJ5FcCewehrBa2Xld4K-0FQlHav7aSt9074cQ"),
];

/// Leaves what is ours out of a dump.
const THEIRS: [&str; 2] = ["--exclude-table=*.echodesk_*", "--exclude-table=*.__diesel*"];

/// EchoDesk's database with tenants of every kind, and the server that their mailboxes are on.
struct EchoDesk {
    postgres: &'static Postgres,
    server: SandboxImap,
    installation: Installation,
    _folder: TempDir,
}

impl EchoDesk {
    fn new() -> Option<Self> {
        let postgres = Postgres::shared()?;
        let folder = tempfile::tempdir().unwrap();
        let server = SandboxImap::start(mailstore(), Behaviour::default());
        let installation = Installation {
            database_url: postgres.database(),
            folder: folder.path().to_owned(),
            ca_file: server.ca_file(),
        };
        let this = Self { postgres, server, installation, _folder: folder };
        this.execute(PUBLIC);
        for name in ["public", "good", "narrow", "missing", "bare", "asleep"] {
            this.add_tenant(name);
        }
        for name in ["good", "narrow", "asleep"] {
            this.execute(&format!("CREATE SCHEMA {name}; SET search_path TO {name}; {TENANT}"));
        }
        this.execute(
            "CREATE SCHEMA bare; \
             ALTER TABLE narrow.social_integrations_emailmessage ALTER subject TYPE varchar(6), \
               ALTER folder TYPE varchar(7), ALTER from_name TYPE varchar(3); \
             ALTER TABLE narrow.social_integrations_emailconnection ALTER last_sync_error TYPE varchar(20)",
        );
        for (number, mailbox) in MAILBOXES.into_iter().enumerate() {
            this.add_connection(number, mailbox);
        }
        this.add_own_rows();
        Some(this)
    }

    fn add_tenant(&self, name: &str) {
        self.execute(&format!(
            "INSERT INTO tenants_tenant (domain_url, schema_name, name, description, created_on, is_active, admin_email, \
               admin_name, plan, max_users, max_storage, preferred_language, deployment_status, min_users_per_ticket, \
               only_superadmin_can_delete_tickets, ip_whitelist_enabled, superadmin_bypass_whitelist, payment_provider) \
             VALUES ('{name}.example', '{name}', '{name}', '', now(), '{name}' <> 'asleep', 'a@x', 'A', 'basic', 10, 1, \
               'ka', 'deployed', 0, false, false, true, 'bog')"
        ));
    }

    /// A row as EchoDesk writes it; every second one with STARTTLS.
    fn add_connection(&self, number: usize, (schema, address, password, signature): (&str, &str, &str, &str)) {
        let tls = number.is_multiple_of(2);
        let port = if tls { self.server.port() } else { self.server.starttls_port() };
        self.execute(&format!(
            "INSERT INTO {schema}.social_integrations_emailconnection (email_address, display_name, imap_server, \
               imap_port, imap_use_ssl, smtp_server, smtp_port, smtp_use_tls, smtp_use_ssl, username, \
               encrypted_password, is_active, last_sync_error, sync_folder, sync_days_back, created_at, updated_at, \
               signature_enabled, signature_html, signature_text, sync_failure_count) \
             VALUES ('{address}', 'Info', 'localhost', {port}, {tls}, 'smtp.example', 587, true, false, '{address}', \
               '{password}:{signature}', true, '', 'INBOX', 365, now(), now(), false, '', '', 0)"
        ));
    }

    /// What EchoDesk's own command has stored: message 1 as it is, message 2 with the Message-ID bare
    /// and another subject, and something else under the Message-ID of message 3.
    fn add_own_rows(&self) {
        for (id, from, subject, date) in [
            ("<m1@example.com>", "sender1@example.com", "Message 1", "current_date"),
            ("m2@example.com", "Sender2@Example.com", "Message  2", "current_date"),
            ("<m3@example.com>", "forger@example.net", "Not message 3", "'2024-05-01 10:00:00+00'"),
        ] {
            self.execute(&format!(
                "SET timezone TO 'UTC'; \
                 INSERT INTO good.social_integrations_emailmessage (message_id, thread_id, in_reply_to, \"references\", \
                   from_email, from_name, to_emails, cc_emails, bcc_emails, reply_to, subject, body_text, body_html, \
                   attachments, timestamp, folder, uid, is_from_business, is_read, is_starred, is_answered, is_draft, \
                   labels, is_read_by_staff, read_by_staff_at, is_deleted, deleted_at, created_at, updated_at, \
                   connection_id, ai_summary) \
                 VALUES ('{id}', 'of EchoDesk', '', '', '{from}', 'Sender', '[]', '[]', '[]', '', '{subject}', \
                   'as EchoDesk has read it', '', '[]', {date}, 'INBOX', '77', false, false, false, false, false, \
                   '[\"vip\"]', true, now(), true, now(), now(), now(), 1, 'a summary')"
            ));
        }
    }

    fn execute(&self, sql: &str) -> String {
        self.postgres.execute(&self.installation.database_url, sql)
    }

    /// The lines that a query answers.
    fn lines(&self, sql: &str) -> Vec<String> {
        self.execute(sql).lines().map(str::to_owned).collect()
    }

    fn dump(&self, arguments: &[&str]) -> String {
        self.postgres.dump(&self.installation.database_url, &[&THEIRS, arguments].concat())
    }

    /// Runs a program with EchoDesk's own settings, and this `SECRET_KEY`.
    fn run(&self, program: &str, arguments: &[&str], key: Option<&str>) -> Ended {
        let url = self.installation.database_url.strip_prefix("postgres://").unwrap();
        let (user, place) = url.split_once('@').unwrap();
        let ((user, password), (place, name)) = (user.split_once(':').unwrap(), place.split_once('/').unwrap());
        let (host, port) = place.split_once(':').unwrap();
        let mut command = self.installation.command(program, arguments);
        command.env_remove("DATABASE_URL").env("ECHODESK_CA_FILE", &self.installation.ca_file);
        command.envs([("DB_NAME", name), ("DB_USER", user), ("DB_PASSWORD", password), ("DB_HOST", host)]);
        command.env("DB_PORT", port).envs(key.map(|key| ("SECRET_KEY", key)));
        let ended = Ended::of(command.spawn().unwrap());
        let all = format!("{ended:?}");
        assert!(!all.contains("panicked"), "{ended:#?}");
        for (_, _, password, signature) in MAILBOXES {
            assert!(!all.contains(password) && !all.contains(signature), "{ended:#?}");
        }
        ended
    }

    fn migrate(&self) -> Ended {
        self.run("echodesk", &["migrate"], None).well()
    }

    fn sync(&self, arguments: &[&str], key: Option<&str>) -> (Ended, Value) {
        let file = self.report_file();
        let _ = std::fs::remove_file(&file);
        let ended = self.run("sync-emails", &[&["--report", &file.display().to_string()], arguments].concat(), key);
        let report = std::fs::read(&file).unwrap_or_else(|error| panic!("{error}: {ended:#?}"));
        (ended, serde_json::from_slice(&report).unwrap())
    }

    fn report_file(&self) -> PathBuf {
        self.installation.folder.join("report.json")
    }

    /// How often somebody has tried to log in.
    fn logins(&self) -> usize {
        self.server.log().iter().filter(|line| line.starts_with("LOGIN") || line.starts_with("AUTHENTICATE")).count()
    }
}

fn mailstore() -> Mailstore {
    let mut store = Mailstore::default();
    let now = SystemClock::new().now();
    for ((_, address, password, _), mails) in MAILBOXES.into_iter().zip([
        &[("INBOX", 1), ("INBOX", 2), ("INBOX", 3), ("INBOX", 4), ("Archive/2026", 5)][..],
        &[("INBOX", 1), ("INBOX", 6)],
        &[("INBOX", 7), ("Archive/2026", 8)],
        &[("INBOX", 9)],
    ]) {
        let mut account = Account::new(password);
        for (folder, number) in mails {
            account.append(folder, now, &[], mail(*number, 1000));
        }
        store.add(address, account);
    }
    store
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} in {value:#}"))
}

/// What is said of tenants as a whole, by their names.
fn notes(report: &Value) -> Vec<(&str, &str, &str)> {
    let all = report["tenants"].as_array().unwrap().iter();
    all.map(|note| (text(note, "tenant"), text(note, "outcome"), text(note, "message"))).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value:#}"))
}

#[test]
fn an_installation_is_taken_over_as_it_stands() {
    let Some(world) = EchoDesk::new() else { return };
    let (schema, others) =
        (world.dump(&["--schema-only"]), world.dump(&["--data-only", "--exclude-table=*.social_integrations_*"]));
    assert!(schema.contains("CREATE TABLE narrow.social_integrations_emailmessage"), "{schema}");
    assert!(others.contains("COPY good.django_migrations"), "{others}");
    let all_data = world.dump(&["--data-only"]);

    let migrated = world.migrate();
    for line in [
        "good: migrated (",
        "asleep: migrated (",
        "missing: skipped: schema missing does not exist\n",
        "bare: skipped: schema bare has no table ",
    ] {
        assert!(migrated.stdout.contains(line), "{line}: {migrated:#?}");
    }
    assert_eq!(world.dump(&["--schema-only"]), schema, "EchoDesk's tables are altered");
    assert_eq!(world.dump(&["--data-only"]), all_data, "EchoDesk's rows are altered");
    assert!(world.migrate().stdout.contains("good: up to date\n"));

    let checked = world.run("echodesk", &["check"], Some(KEY));
    assert_eq!(checked.code, Some(1), "{checked:#?}");
    let line_of = |start: &str, part: &str| {
        let found = checked.stdout.lines().any(|line| line.starts_with(start) && line.contains(part));
        assert!(found, "{start} … {part}: {checked:#?}");
    };
    line_of("ok", "info@good.example: logged in to localhost:");
    line_of("ok", "sales@good.example: logged in to localhost:");
    line_of("ok", "info@narrow.example: logged in to localhost:");
    line_of("FAILED", "schema missing does not exist -> ");
    line_of("FAILED", "schema bare has no table ");
    assert!(!checked.stdout.contains("asleep"), "nobody asked for a tenant that is not active: {checked:#?}");

    let connections = "SELECT to_jsonb(c) - 'last_sync_at' - 'updated_at' FROM good.social_integrations_emailconnection c \
                       UNION ALL SELECT to_jsonb(c) - 'last_sync_at' - 'updated_at' \
                       FROM narrow.social_integrations_emailconnection c ORDER BY 1";
    let own_rows = "SELECT to_jsonb(m) - 'folder' - 'uid' - 'updated_at' FROM good.social_integrations_emailmessage m \
                    WHERE body_text = 'as EchoDesk has read it' ORDER BY id";
    let (connections_before, own_rows_before) = (world.lines(connections), world.lines(own_rows));
    assert_eq!((connections_before.len(), own_rows_before.len()), (3, 3));

    let (ended, report) = world.sync(&[], Some(KEY));
    assert_eq!(ended.code, Some(1), "two tenants are broken: {ended:#?}");
    let notes = notes(&report);
    assert_eq!(
        notes.iter().map(|note| (note.0, note.1)).collect::<Vec<_>>(),
        [("bare", "failed"), ("missing", "failed")]
    );
    for (tenant, _, message) in notes {
        assert!(ended.stdout.contains(&format!("tenant {tenant}: FAILED: {message}")), "{ended:#?}");
    }
    let totals = &report["totals"];
    assert_eq!(
        (number(totals, "synced"), number(totals, "failed"), number(totals, "mailboxes")),
        (3, 0, 3),
        "{report:#}"
    );
    // Messages 3 to 8 are new; 1, which two mailboxes have, and 2 are EchoDesk's.
    let new = number(totals, "stored") + number(totals, "reduced");
    assert_eq!((new, number(totals, "duplicate")), (6, 3), "{report:#}");

    assert_eq!(world.lines(own_rows), own_rows_before, "what EchoDesk and its people have written stays");
    assert_eq!(world.lines(connections), connections_before);
    let good = "SELECT message_id || ' ' || subject FROM good.social_integrations_emailmessage ORDER BY subject, id";
    let stored = world.lines(good);
    assert_eq!(stored.len(), 7, "{stored:#?}");
    assert!(stored[2].starts_with("<m3@example.com>#") && stored[2].ends_with(" Message 3"), "{stored:#?}");
    let narrow =
        "SELECT subject || '/' || from_name || '/' || folder FROM narrow.social_integrations_emailmessage ORDER BY id";
    let mut narrow = world.lines(narrow);
    narrow.sort();
    assert_eq!(narrow, ["Messag/Sen/Archive", "Messag/Sen/INBOX"]);
    let as_echodesk_fills_them = "SELECT count(*) FROM good.social_integrations_emailmessage \
        WHERE thread_id ~ '^[0-9a-f]{32}$' AND reply_to = '' AND body_text LIKE '%The end of%' AND labels = '[]' \
        AND attachments = '[]' AND bcc_emails = '[]' AND to_emails = '[{\"name\": \"\", \"email\": \"user@example.com\"}]' \
        AND NOT is_read_by_staff AND read_by_staff_at IS NULL AND NOT is_deleted AND deleted_at IS NULL \
        AND deleted_by_id IS NULL AND ai_summary IS NULL AND created_at > now() - interval '1 hour' AND uid ~ '^[0-9]+$'";
    assert_eq!(world.lines(as_echodesk_fills_them), ["4"]);
    assert_eq!(world.lines("SELECT count(*) FROM asleep.social_integrations_emailmessage"), ["0"]);
    let never = "SELECT count(*) FROM asleep.social_integrations_emailconnection WHERE last_sync_at IS NULL";
    assert_eq!(world.lines(never), ["1"]);

    let (_, again) = world.sync(&[], Some(KEY));
    let totals = &again["totals"];
    assert_eq!(
        (number(totals, "stored"), number(totals, "duplicate"), number(totals, "synced")),
        (0, 0, 3),
        "{again:#}"
    );
    assert_eq!(world.lines(good), stored);
    assert_eq!(world.dump(&["--schema-only"]), schema, "EchoDesk's tables are altered");
    let others_now = world.dump(&["--data-only", "--exclude-table=*.social_integrations_*"]);
    assert_eq!(others_now, others, "rows that are none of our business are altered");

    let (ended, report) = world.sync(&["--tenant", "asleep"], Some(KEY));
    assert_eq!((ended.code, report["tenants"][0]["outcome"].as_str()), (Some(0), Some("inactive")), "{ended:#?}");
    let ended = world.run("sync-emails", &["--tenant", "gud"], Some(KEY));
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains("good"), "{ended:#?}");
}

#[test]
fn a_rotated_secret_key_is_told_and_switches_nothing_off() {
    let Some(world) = EchoDesk::new() else { return };
    let _ = world.migrate();
    let state = "SELECT is_active, auto_disabled_at IS NULL, sync_failure_count, last_sync_at IS NULL, last_sync_error \
                 FROM good.social_integrations_emailconnection ORDER BY id";
    // More often than passing failures would be forgiven.
    for key in [Some("rotated"), None, Some("rotated"), Some("rotated"), Some("rotated"), Some("rotated")] {
        let (ended, report) = world.sync(&["--tenant", "good"], key);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        let reason = if key.is_some() { "SECRET_KEY was rotated" } else { "SECRET_KEY is not set" };
        for mailbox in report["mailboxes"].as_array().unwrap() {
            assert_eq!(mailbox["outcome"], "failed", "{mailbox:#}");
            assert_eq!(mailbox["switched_off"], false, "{mailbox:#}");
            assert!(mailbox["error"].as_str().unwrap().contains(reason), "{mailbox:#}");
        }
        assert_eq!(ended.stdout.matches(reason).count(), 2, "{ended:#?}");
        for line in world.lines(state) {
            assert!(line.starts_with("t|t|0|t|") && line.contains(reason), "{line}");
        }
    }
    let (_, report) = world.sync(&["--tenant", "narrow"], Some("rotated"));
    assert_eq!(report["mailboxes"][0]["outcome"], "failed", "{report:#}");
    let cut = "SELECT length(last_sync_error) FROM narrow.social_integrations_emailconnection";
    assert_eq!(world.lines(cut), ["20"], "the reason is cut to what the column takes");
    assert_eq!(world.logins(), 0, "a password whose signature is wrong is sent to nobody");
    let checked = world.run("echodesk", &["check", "--tenant", "good"], Some("rotated"));
    assert_eq!(checked.code, Some(1));
    assert_eq!(checked.stdout.matches("-> set SECRET_KEY to the value that the password was signed with").count(), 2);

    let (ended, report) = world.sync(&["--tenant", "good"], Some(KEY));
    assert_eq!((ended.code, number(&report["totals"], "synced")), (Some(0), 2), "{report:#}");
    assert_eq!(world.lines(state), ["t|t|0|f|"; 2], "the error is gone");
}

#[test]
fn a_column_that_nobody_can_fill_is_named_and_its_tenant_is_left_alone() {
    let Some(world) = EchoDesk::new() else { return };
    let _ = world.migrate();
    world.execute(
        "ALTER TABLE good.social_integrations_emailmessage ADD COLUMN risk_class integer NOT NULL DEFAULT 0; \
         ALTER TABLE good.social_integrations_emailmessage ALTER risk_class DROP DEFAULT; \
         ALTER TABLE narrow.social_integrations_emailmessage ADD COLUMN harmless integer NOT NULL DEFAULT 0",
    );
    let column = "good.social_integrations_emailmessage.risk_class is NOT NULL without a default";
    let whole = |world: &EchoDesk| world.postgres.dump(&world.installation.database_url, &["--schema=good"]);
    let before = whole(&world);
    assert!(before.contains("echodesk_mail_item"), "ours is in it too");

    let checked = world.run("echodesk", &["check"], Some(KEY));
    let told = checked.stdout.lines().find(|line| line.starts_with("FAILED") && line.contains(column));
    assert!(told.is_some_and(|line| line.contains(" -> give ") && line.contains("a default")), "{checked:#?}");
    let logins = world.logins();
    for arguments in [&["--dry-run"][..], &[], &["--tenant", "good"]] {
        let (ended, report) = world.sync(arguments, Some(KEY));
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(notes(&report).iter().any(|(tenant, outcome, message)| {
            (*tenant, *outcome) == ("good", "failed") && message.contains(column)
        }));
        assert!(ended.stdout.contains(column), "{ended:#?}");
        assert!(
            report["mailboxes"].as_array().unwrap().iter().all(|mailbox| mailbox["tenant"] == "narrow"),
            "{report:#}"
        );
    }
    assert_eq!(whole(&world), before, "nothing is written for the tenant");
    assert_eq!(world.logins(), logins + 2, "only the other tenant's mailbox was opened, once a run");
    assert_eq!(world.lines("SELECT count(*) FROM narrow.social_integrations_emailmessage"), ["2"]);

    // The remedy that was given.
    world.execute("ALTER TABLE good.social_integrations_emailmessage ALTER risk_class SET DEFAULT 5");
    let (ended, report) = world.sync(&["--tenant", "good"], Some(KEY));
    assert_eq!((ended.code, number(&report["totals"], "synced")), (Some(0), 2), "{ended:#?}");
    assert_eq!(world.lines("SELECT count(*) FROM good.social_integrations_emailmessage WHERE risk_class = 5"), ["4"]);
}
