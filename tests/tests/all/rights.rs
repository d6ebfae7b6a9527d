//! The rights that docs/replacing-the-django-commands.md lists are enough, word by word, and what is lacking is told
//! with the statement that grants it.

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::Card;
use echodesk_tests::sandbox::imap::{self, Account, Mailstore, SandboxImap};

use crate::payments::world::{PaymentWorld, silent};
use crate::support::{TENANT, World, mail};

const PUBLIC: &str = include_str!("../../fixtures/echodesk.sql");
const PAGE: &str = include_str!("../../../docs/replacing-the-django-commands.md");
const ADDRESS: &str = "info@acme.example";

/// The rows of the table: what, and the rights.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let table = PAGE.split("| what | rights |\n|---|---|\n").nth(1).unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|')).map(|line| {
        let (what, rights) = line.trim_matches('|').split_once('|').unwrap();
        (what, quoted(rights))
    });
    rows.collect()
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The database of an EchoDesk with one tenant, and a user with the rights of the page.
struct Granted {
    world: PaymentWorld,
    imap: SandboxImap,
    postgres: &'static Postgres,
    /// The database's address, as its owner.
    owner: String,
    role: String,
}

impl Granted {
    fn new() -> Option<Self> {
        let postgres = Postgres::shared()?;
        let owner = postgres.database();
        let _ = postgres.execute(&owner, PUBLIC);
        let mut account = Account::new("hunter2");
        account.append("INBOX", SystemClock::new().now(), &[], mail(1, 1000));
        let imap = SandboxImap::start(Mailstore::with(ADDRESS, account), imap::Behaviour::default());
        let world = World::on(Some(owner.clone()), &imap.ca_file());
        world.mailbox(ADDRESS, "hunter2", imap.port(), &[]);
        let mut world = PaymentWorld::of(world, silent());
        world.subscribe(TENANT, 2, Card::pays());
        world.subscribe_with("bell", -1, &["--price", "25.00"]);
        world.set("EMAIL_BACKEND", "file");
        world.set("EMAIL_FILE_PATH", &world.world.installation.folder.join("notices").display().to_string());
        world.set("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");
        // Users belong to the whole server, which tests share.
        let role = format!("role_of_{}", owner.rsplit('/').next().unwrap());
        let mut this = Self { world, imap, postgres, owner, role };
        this.grant();
        let (user, place) = this.owner.split_once('@').unwrap();
        let scheme = user.split_once("://").unwrap().0;
        this.world.world.installation.database_url = format!("{scheme}://{0}:{0}@{place}", this.role);
        Some(this)
    }

    fn execute(&self, sql: &str) -> String {
        self.postgres.execute(&self.owner, sql)
    }

    /// Exactly what the page says.
    fn grant(&self) {
        let role = &self.role;
        self.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{role}'; REVOKE ALL ON SCHEMA public FROM PUBLIC"));
        for (what, rights) in rows() {
            if what.contains("sequences") {
                // This installation draws its ids from no sequence of that kind.
                assert_eq!(rights, ["USAGE"]);
                continue;
            }
            let schemas = match (what.contains("`public`"), what.contains("each tenant's schema")) {
                (_, false) => "public",
                (false, true) => "acme, bell",
                (true, true) => "public, acme, bell",
            };
            if rights == ["USAGE"] {
                self.execute(&format!("GRANT USAGE ON SCHEMA {schemas} TO {role}"));
                continue;
            }
            for name in quoted(what).into_iter().filter(|name| *name != "public") {
                let pattern = name.replace('_', "\\_").replace('…', "%");
                let tables = self.execute(&format!(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
                     WHERE tablename LIKE '{pattern}' AND schemaname = ANY(string_to_array('{schemas}', ', '))"
                ));
                let tables: Vec<&str> = tables.lines().collect();
                assert!(!tables.is_empty(), "{name}: there is no such table");
                self.execute(&format!("GRANT {} ON {} TO {role}", rights.join(", "), tables.join(", ")));
            }
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = self.world.command(program, arguments);
        command.env("ECHODESK_CA_FILE", self.imap.ca_file());
        Ended::of(command.spawn().unwrap())
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.execute(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.role));
    }
}

/// What an operator does with it, who makes and changes nothing himself.
const LOOKING: [&[&str]; 8] = [
    &["check"],
    &["explain", TENANT],
    &["forecast"],
    &["identity", "show"],
    &["mailbox", "list"],
    &["notices", "list"],
    &["orders", "list"],
    &["runs", "list"],
];

#[test]
fn the_rights_of_the_page_are_enough_word_by_word() {
    let Some(granted) = Granted::new() else { return };
    let jobs: [(&str, &[&str]); 3] =
        [("sync-emails", &[]), ("recurring-payments", &["--settle-for", "1s"]), ("subscription-status", &[])];
    for (job, arguments) in jobs {
        let _ = granted.run(job, &[&["--dry-run"], arguments].concat()).well();
        let _ = granted.run(job, arguments).well();
    }
    assert_eq!(granted.execute("SELECT count(*) FROM acme.social_integrations_emailmessage").trim(), "1");
    assert_eq!(granted.world.bank.captures().len(), 1);
    let told = "SELECT string_agg(kind || ' ' || state, ', ' ORDER BY kind) FROM echodesk_notice";
    assert_eq!(granted.execute(told).trim(), "grace_warning sent, renewal_paid sent");
    // Suspending, too.
    granted.execute(
        "UPDATE tenants_tenant_subscription SET expires_at = now() - interval '9 days' WHERE tenant_id = \
                     (SELECT id FROM tenants_tenant WHERE schema_name = 'bell')",
    );
    let suspended = granted.run("subscription-status", &[]).well();
    assert!(suspended.stdout.contains("suspended"), "{suspended:#?}");
    for arguments in LOOKING {
        let ended = granted.run("echodesk", arguments).well();
        assert!(!format!("{ended:?}").contains("no right to"), "{ended:#?}");
    }
}

#[test]
fn what_is_lacking_is_told_with_its_grant_and_nothing_is_started() {
    let Some(granted) = Granted::new() else { return };
    let role = &granted.role;
    for (table, right) in [("__diesel_schema_migrations", "SELECT"), ("echodesk_run", "INSERT")] {
        granted.execute(&format!("REVOKE {right} ON {table} FROM {role}"));
        let grant = format!("GRANT {right} ON public.{table} TO {role}");
        for job in ["sync-emails", "recurring-payments", "subscription-status"] {
            let ended = granted.run(job, &[]);
            assert!(ended.code == Some(2) && ended.stderr.contains(&grant), "{grant}: {ended:#?}");
        }
        for arguments in [&["explain", TENANT][..], &["forecast"], &["runs", "list"]] {
            let ended = granted.run("echodesk", arguments);
            if right == "SELECT" {
                assert!(ended.code == Some(2) && ended.stderr.contains(&grant), "{grant}: {ended:#?}");
            } else {
                // Who only looks writes nothing.
                assert_eq!(ended.code, Some(0), "{ended:#?}");
            }
        }
        let checked = granted.run("echodesk", &["check"]);
        let mut failed = checked.stdout.lines().filter(|line| line.starts_with("FAILED"));
        assert!(failed.any(|line| line.contains("tables") && line.contains(&grant)), "{checked:#?}");
        granted.execute(&grant);
    }
    granted.execute(&format!("REVOKE SELECT ON acme.__diesel_schema_migrations FROM {role}"));
    let checked = granted.run("echodesk", &["check"]);
    let grant = format!("GRANT SELECT ON acme.__diesel_schema_migrations TO {role}");
    assert!(checked.code == Some(1) && checked.stdout.contains(&grant), "{checked:#?}");
}
