//! An installation with subscriptions, a bank, and the programs that run against both.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, SandboxBank};
use jiff::{SignedDuration, Timestamp};

use super::callback_server::CallbackServer;
use super::run::{Ran, Run, assert_discreet};
use crate::support::{Backend, PATIENCE, World};

/// What each subscription of these worlds costs a month: two agents at 25 lari.
pub(crate) const PRICE: &str = "50";

pub(crate) struct PaymentWorld {
    pub(crate) bank: SandboxBank,
    pub(crate) world: World,
    /// Takes the bank's callbacks, if anybody does.
    server: Option<CallbackServer>,
    settings: Vec<(&'static str, String)>,
    /// The renewal date of each tenant, less what was paid for.
    pub(crate) dates: RefCell<BTreeMap<String, Timestamp>>,
    runs: Cell<usize>,
}

/// A bank that settles at once and calls nobody back.
pub(crate) fn silent() -> Behaviour {
    Behaviour { callbacks: Callbacks::lost(), ..Behaviour::default() }
}

/// A bank whose charges stay `processing` until a test settles them.
pub(crate) fn by_hand() -> Behaviour {
    Behaviour { settle_after: None, ..Behaviour::default() }
}

impl PaymentWorld {
    /// `None` where the back end's server is not installed.
    pub(crate) fn new(backend: Backend, behaviour: Behaviour) -> Option<Self> {
        Some(Self::of(World::new(backend, "/dev/null".as_ref())?, behaviour))
    }

    /// One whose callbacks are served by `echodesk callbacks serve`.
    pub(crate) fn with_callbacks(backend: Backend, behaviour: Behaviour) -> Option<Self> {
        Some(Self::new(backend, behaviour)?.serving_callbacks())
    }

    pub(crate) fn serving_callbacks(mut self) -> Self {
        let server = CallbackServer::start(&self);
        self.settings.push(("BOG_CALLBACK_URL", server.url()));
        self.server = Some(server);
        self
    }

    pub(crate) fn of(world: World, behaviour: Behaviour) -> Self {
        let bank = SandboxBank::start(behaviour);
        let settings = vec![
            ("BOG_CLIENT_ID", bank.client_id().to_owned()),
            ("BOG_CLIENT_SECRET", bank.client_secret().to_owned()),
            ("BOG_AUTH_URL", bank.token_url()),
            ("BOG_API_BASE_URL", bank.api_url()),
        ];
        Self { bank, world, server: None, settings, dates: RefCell::default(), runs: Cell::new(0) }
    }

    pub(super) fn server(&self) -> &CallbackServer {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.settings.push((name, value.to_owned()));
    }

    /// A program with the bank's settings beside those of the installation.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.world.installation.command(program, arguments);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn echodesk(&self, arguments: &[&str]) -> Ended {
        let ended = Ended::of(self.command("echodesk", arguments).spawn().unwrap());
        assert_discreet(&ended);
        ended
    }

    /// A tenant whose subscription ends in so many days, with a card of the bank's for its price.
    pub(crate) fn subscribe(&self, tenant: &str, days: i64, card: Card) {
        self.bank.add_card(&card_of(tenant), PRICE, card);
        self.subscribe_with(tenant, days, &["--price", "25.00", "--card", &card_of(tenant)]);
    }

    pub(crate) fn subscribe_with(&self, tenant: &str, days: i64, more: &[&str]) {
        if tenant != crate::support::TENANT {
            let add = ["tenant", "add", tenant, "--name", tenant, "--admin-email", "admin@example.com"];
            let _ = self.echodesk(&add).well();
        }
        let expires = in_days(days);
        let text = expires.to_string();
        let subscribe = ["tenant", "subscribe", tenant, "--expires", &text, "--agents", "2"];
        let _ = self.echodesk(&[&subscribe[..], more].concat()).well();
        self.dates.borrow_mut().insert(tenant.to_owned(), expires);
    }

    /// Starts `recurring-payments`. Unless told otherwise it waits a second for charges to settle.
    pub(crate) fn start(&self, arguments: &[&str]) -> Run {
        self.runs.set(self.runs.get() + 1);
        let file = self.world.installation.folder.join(format!("payments-{}.json", self.runs.get()));
        let name = file.display().to_string();
        let mut all = vec!["--report", &name];
        if !arguments.contains(&"--settle-for") {
            all.extend(["--settle-for", "1s"]);
        }
        all.extend(arguments);
        Run { child: self.command("recurring-payments", &all).spawn().unwrap(), file }
    }

    /// Runs `recurring-payments` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).end()
    }

    /// Ends every claim, as time would: a killed process cannot give its own back.
    pub(crate) fn end_claims(&self) {
        self.world.execute("UPDATE echodesk_charge_attempt SET claimed_by = NULL, claimed_until = NULL");
    }

    /// Makes all attempts so many days older than they are.
    pub(crate) fn age_attempts(&self, days: u32) {
        let older = |column: &str| match self.world.backend() {
            Backend::Sqlite => format!("{column} = strftime('%Y-%m-%dT%H:%M:%f000Z', {column}, '-{days} days')"),
            Backend::Postgres => format!("{column} = {column} - interval '{days} days'"),
        };
        let (prepared, closed) = (older("prepared_at"), older("closed_at"));
        self.world.execute(&format!("UPDATE echodesk_charge_attempt SET {prepared}, {closed}"));
    }

    /// How many rows there are of what follows FROM, in the public schema.
    pub(crate) fn count(&self, source: &str) -> usize {
        let counted = self.world.public_texts(&format!("SELECT CAST(count(*) AS text) AS value FROM {source}"));
        counted[0].parse().unwrap()
    }

    /// Ends the server of callbacks as an operator would, and returns its exit code.
    pub(crate) fn stop_callbacks(&mut self) -> Option<i32> {
        self.server.as_mut().unwrap().stop()
    }

    /// Makes everything of a tenant so much older than it is.
    pub(crate) fn let_pass(&self, tenant: &str, time: SignedDuration) {
        let at = |moment: Timestamp| format!("'{:.6}'", moment - time);
        let (expires, billed) = (self.date(tenant, "expires_at"), self.date(tenant, "next_billing_date"));
        self.alter_subscription(tenant, &format!("expires_at = {}, next_billing_date = {}", at(expires), at(billed)));
        let attempts = self.world.public_texts(&format!(
            "SELECT CAST(id AS text) || ' ' || CAST(period AS text) AS value FROM echodesk_charge_attempt \
             WHERE schema_name = '{tenant}'"
        ));
        for attempt in attempts {
            let (id, period) = attempt.split_once(' ').unwrap();
            let period = at(period.parse().unwrap());
            self.world.execute(&format!("UPDATE echodesk_charge_attempt SET period = {period} WHERE id = {id}"));
        }
        let mut dates = self.dates.borrow_mut();
        let date = dates.get_mut(tenant).unwrap();
        *date -= time;
    }

    /// All rows of all tables of the public schema, and of the tenants' on PostgreSQL.
    pub(crate) fn dump(&self) -> String {
        self.world.dump().unwrap_or_else(|| {
            let tables = self.world.public_texts("SELECT name AS value FROM sqlite_schema WHERE type = 'table'");
            let rows = tables.iter().flat_map(|table| {
                let columns = format!("SELECT 'quote(\"' || name || '\")' AS value FROM pragma_table_info('{table}')");
                let all = self.world.public_texts(&columns).join(" || ', ' || ");
                self.world.public_texts(&format!("SELECT '{table}: ' || {all} AS value FROM \"{table}\""))
            });
            rows.collect::<Vec<_>>().join("\n")
        })
    }

    /// Changes the subscription of a tenant.
    pub(crate) fn alter_subscription(&self, tenant: &str, set: &str) {
        self.world.execute(&format!(
            "UPDATE tenants_tenant_subscription SET {set} \
             WHERE tenant_id = (SELECT id FROM tenants_tenant WHERE schema_name = '{tenant}')"
        ));
    }
}

/// The bank's id of the order on which a tenant's card was saved.
pub(crate) fn card_of(tenant: &str) -> String {
    format!("card-{tenant}")
}

/// A whole second so many days ahead.
fn in_days(days: i64) -> Timestamp {
    let then = SystemClock::new().now() + SignedDuration::from_hours(days * 24);
    Timestamp::from_second(then.as_second()).unwrap()
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !is_so() {
        assert!(clock.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
