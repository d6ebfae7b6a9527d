//! An installation whose clock is moved, and a mail server that keeps what it is handed.

use std::cell::Cell;
use std::process::{Child, Command};

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::moving_clock::MovingClock;
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::smtp::{Behaviour, ReceivedMail, SandboxSmtp};
use jiff::Timestamp;

use crate::payments::run::{Ran, Run};
use crate::support::{Backend, World};

const PUBLIC: &str = include_str!("../../../fixtures/echodesk.sql");

/// What the database is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Sqlite,
    Postgres,
    /// The tables are EchoDesk's own, as Django makes them.
    EchoDesk,
}

/// Makes a test for each kind of database of a function that takes one.
macro_rules! everywhere {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name($crate::status::world::Place::Sqlite); })+
        }
        mod on_postgres {
            $(#[test] fn $name() { super::$name($crate::status::world::Place::Postgres); })+
        }
        mod beside_echodesk {
            $(#[test] fn $name() { super::$name($crate::status::world::Place::EchoDesk); })+
        }
    };
}
pub(crate) use everywhere;

pub(crate) struct StatusWorld {
    pub(crate) world: World,
    pub(crate) mails: SandboxSmtp,
    pub(crate) settings: Vec<(&'static str, String)>,
    clock: MovingClock,
    runs: Cell<usize>,
}

impl StatusWorld {
    /// `None` where the database's server is not installed.
    pub(crate) fn new(place: Place) -> Option<Self> {
        let nowhere = "/dev/null".as_ref();
        let world = match place {
            Place::Sqlite => World::new(Backend::Sqlite, nowhere)?,
            Place::Postgres => World::new(Backend::Postgres, nowhere)?,
            Place::EchoDesk => {
                let postgres = Postgres::shared()?;
                let url = postgres.database();
                let _ = postgres.execute(&url, PUBLIC);
                World::on(Some(url), nowhere)
            }
        };
        Some(Self::of(world))
    }

    /// In an installation that is there already.
    pub(crate) fn of(world: World) -> Self {
        let mails = SandboxSmtp::start(Behaviour::plain());
        let mut settings = mails.settings();
        settings.push(("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>".to_owned()));
        // Reading the machine's certificates is most of what a run costs, and here is no TLS.
        settings.retain(|(name, _)| *name != "ECHODESK_CA_FILE");
        let none = world.installation.folder.join("no-certificates.pem");
        std::fs::write(&none, "").unwrap();
        settings.push(("SSL_CERT_FILE", none.display().to_string()));
        settings.push(("SSL_CERT_DIR", world.installation.folder.display().to_string()));
        Self { world, mails, settings, clock: MovingClock::build().unwrap(), runs: Cell::new(0) }
    }

    /// Replaces a setting.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
    }

    /// A program that is started at a moment.
    pub(crate) fn command(&self, at: &str, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.world.installation.command(program, arguments);
        self.clock.command(&mut command, moment(at));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `echodesk` at a moment.
    pub(crate) fn echodesk(&self, at: &str, arguments: &[&str]) -> Ended {
        let ended = Ended::of(self.command(at, "echodesk", arguments).spawn().unwrap());
        assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        ended
    }

    /// A tenant with a subscription and no card, whose admin's address is `TENANT@example.com`.
    pub(crate) fn subscribe(&self, tenant: &str, language: &str, expires: &str) {
        let before = "2027-01-01";
        if tenant != crate::support::TENANT {
            let (address, name) = (format!("{tenant}@example.com"), format!("Admin of {tenant}"));
            let add = ["tenant", "add", tenant, "--name", tenant, "--admin-email", &address, "--admin-name", &name];
            let _ = self.echodesk(before, &[&add[..], &["--language", language]].concat()).well();
        }
        let expires = moment(expires).to_string();
        let subscribe = ["tenant", "subscribe", tenant, "--expires", &expires, "--agents", "2", "--price", "25.00"];
        let _ = self.echodesk(before, &subscribe).well();
    }

    /// Starts `subscription-status` at a moment.
    pub(crate) fn start(&self, at: &str, arguments: &[&str]) -> Run {
        self.runs.set(self.runs.get() + 1);
        let file = self.world.installation.folder.join(format!("status-{}.json", self.runs.get()));
        let name = file.display().to_string();
        let all = [&["--report", &name], arguments].concat();
        Run { child: self.spawn(at, "subscription-status", &all), file }
    }

    fn spawn(&self, at: &str, program: &str, arguments: &[&str]) -> Child {
        self.command(at, program, arguments).spawn().unwrap()
    }

    /// Runs `subscription-status` at a moment to its end.
    pub(crate) fn run(&self, at: &str) -> Ran {
        self.start(at, &[]).end()
    }

    /// Runs it, which is to end well, and returns the mails of this run in the order of [`told`].
    pub(crate) fn day(&self, at: &str) -> Vec<String> {
        let before = self.mails.count();
        let _ = self.run(at).with_code(0);
        told(&self.mails.mails_since(before))
    }

    /// What the ledger says of all notices, oldest first: tenant, kind and state.
    pub(crate) fn ledger(&self) -> Vec<String> {
        self.world.public_texts(
            "SELECT t.schema_name || ' ' || n.kind || ' ' || n.state AS value FROM echodesk_notice n \
             JOIN tenants_tenant t ON t.id = n.tenant_id ORDER BY n.id",
        )
    }

    /// Kinds of a tenant's events, in their order.
    pub(crate) fn events(&self, tenant: &str) -> Vec<String> {
        self.world.public_texts(&format!(
            "SELECT e.event_type AS value FROM tenants_subscription_event e \
             JOIN tenants_tenant t ON t.id = e.tenant_id WHERE t.schema_name = '{tenant}' ORDER BY e.id"
        ))
    }

    /// Whether a tenant and its subscription are active. Both are, or neither is.
    pub(crate) fn is_active(&self, tenant: &str) -> bool {
        let states = self.world.public_texts(&format!(
            "SELECT CASE WHEN t.is_active THEN 'on' ELSE 'off' END || ' ' || CASE WHEN s.is_active THEN 'on' ELSE 'off' \
             END AS value FROM tenants_tenant t JOIN tenants_tenant_subscription s ON s.tenant_id = t.id \
             WHERE t.schema_name = '{tenant}'"
        ));
        match states[0].as_str() {
            "on on" => true,
            "off off" => false,
            half => panic!("{tenant} is {half}"),
        }
    }

    /// Moves the end of a tenant's subscription, and nothing else: what EchoDesk's web hook does with a payment.
    pub(crate) fn extend(&self, tenant: &str, until: &str) {
        self.world.execute(&extension(tenant, until));
    }
}

/// The statement by which a payment is booked.
pub(crate) fn extension(tenant: &str, until: &str) -> String {
    let until = format!("'{:.6}'", moment(until));
    format!(
        "UPDATE tenants_tenant_subscription SET expires_at = {until}, next_billing_date = {until} \
         WHERE tenant_id = (SELECT id FROM tenants_tenant WHERE schema_name = '{tenant}')"
    )
}

/// A day, at nine o'clock UTC, or a moment.
pub(crate) fn moment(text: &str) -> Timestamp {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T09:00:00Z") };
    whole.parse().unwrap()
}

/// What mails tell whom, in alphabetical order: `acme grace_warning 3`, with the days that the subject names.
pub(crate) fn told(mails: &[ReceivedMail]) -> Vec<String> {
    let mut told: Vec<String> = mails.iter().map(in_short).collect();
    told.sort();
    told
}

fn in_short(mail: &ReceivedMail) -> String {
    let tenant = mail.to[0].split('@').next().unwrap_or_default();
    let subject = mail.subject();
    let number: String = subject.chars().filter(char::is_ascii_digit).collect();
    format!("{tenant} {} {number}", kind(mail)).trim_end().to_owned()
}

/// Which notice a mail is, by its Message-ID: `<KIND.NUMBER.…@…>`.
pub(crate) fn kind(mail: &ReceivedMail) -> String {
    let id = mail.message_id();
    id.trim_start_matches('<').split('.').next().unwrap_or_default().to_owned()
}
