//! An embedded database with one subscription and a charge on its way, for tests of commands.

use std::sync::Arc;

use echodesk_billing::model::{Attempt, AttemptState, BankOrderId, OrderId};
use echodesk_billing::ports::Random as _;
use echodesk_billing::ports::{BillingStore as _, Claim, NewAttempt, Prepared, SystemRandom};
use echodesk_billing::rules::due::{Decision, Policy, judge};
use echodesk_core::{Clock, Environment, Language, ManualClock, RunId};
use echodesk_job::terminal::Terminal;
use echodesk_job::{GlobalArgs, Settings};
use echodesk_store::{Access, NewTenant, Store};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::cli::{Cli, Command, NoticesCommand, OrdersCommand, TenantCommand};
use crate::command::World;
use crate::error::CommandError;

/// A database of its own, in which it is 10 o'clock on 22 November 2026.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) store: Store,
    _folder: TempDir,
}

pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().display());
        let args = GlobalArgs { database_url: Some(url), ..GlobalArgs::default() };
        let settings = Settings::new(&args, Environment::default()).unwrap();
        let store = Store::open(&settings.database, Access::ReadWrite).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now()));
        let world = World { settings, clock, terminal: Terminal::new(Box::new(std::io::sink()), false) };
        let bench = Self { world, store, _folder: folder };
        bench.add_tenant("acme");
        bench
    }

    pub(crate) fn add_tenant(&self, schema: &str) {
        let tenant = NewTenant {
            schema: schema.parse().unwrap(),
            name: "Acme".to_owned(),
            admin_email: format!("a@{schema}.example"),
            admin_name: "Ana".to_owned(),
            language: Language::En,
            domain: format!("{schema}.localhost"),
        };
        self.store.add_tenant(&tenant, now()).unwrap();
    }

    /// One that has a subscription of 50 GEL a month, until 24 November, and a card.
    pub(crate) fn subscribed() -> Self {
        let bench = Self::new();
        bench.run("tenant subscribe acme --expires 2026-11-24 --agents 5 --price 10 --card card-1").unwrap();
        bench
    }

    /// Runs a command.
    pub(crate) fn run(&self, line: &str) -> Result<Answer, CommandError> {
        use clap::Parser as _;
        let cli = Cli::parse_from(std::iter::once("echodesk").chain(line.split_whitespace()));
        match cli.command {
            Command::Tenant(TenantCommand::Subscribe(args)) => crate::tenant::subscribe(&self.world, args),
            Command::Orders(OrdersCommand::List(args)) => crate::orders::list(&self.world, &args),
            Command::Orders(OrdersCommand::Resolve(args)) => crate::orders::resolve(&self.world, &args),
            Command::Notices(NoticesCommand::List(args)) => crate::notices::list(&self.world, &args),
            Command::Notices(NoticesCommand::Retry(args)) => crate::notices::retry(&self.world, &args),
            Command::Notices(NoticesCommand::Preview(args)) => crate::notices::preview(&self.world, &args),
            Command::Explain(args) => crate::explain::run(&self.world, &args),
            Command::Forecast(args) => crate::forecast::run(&self.world, &args),
            Command::SendTestEmail(args) => crate::notices::send_test(&self.world, &args),
            other => panic!("not for these tests: {other:?}"),
        }
    }

    /// Writes down what the rules say is to be charged; the run that did so has died.
    pub(crate) fn prepare(&self) -> Attempt {
        let claim = Claim { run: RunId::random(), until: now(), now: now() };
        self.prepare_by(claim)
    }

    pub(crate) fn prepare_by(&self, claim: Claim) -> Attempt {
        let window = Policy::default().window(now());
        let candidate = self.store.candidates(&window, None, None, 10, now()).unwrap().remove(0);
        let Decision::Charge(charge) = judge(&candidate, &Policy::default(), now()) else { panic!("not due") };
        let random = SystemRandom;
        let new = NewAttempt { charge: &charge, order: OrderId::renewal(random.uuid()), key: random.uuid(), claim };
        let Prepared::Written(attempt) = self.store.prepare(&new).unwrap() else { panic!("changed") };
        *attempt
    }

    /// The same, and the bank has accepted it.
    pub(crate) fn accepted(&self, bank_order: &str) -> Attempt {
        let attempt = self.prepare();
        self.store.accepted(attempt.id, &BankOrderId(bank_order.to_owned()), now()).unwrap()
    }

    pub(crate) fn state(&self, attempt: &Attempt) -> AttemptState {
        self.store.attempt_of_order(&attempt.order).unwrap().unwrap().state
    }
}
