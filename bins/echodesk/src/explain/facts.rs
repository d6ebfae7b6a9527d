//! All that the story is made of, as it was read.

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::StatusStore as _;
use echodesk_billing::rules::due::Policy;
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_billing::run::{Outcome, Phase, RenewalEvent, RenewalObserver, RenewalOptions, preview};
use echodesk_core::{StoreError, StoreErrorKind, Tenant};
use echodesk_job::identity::{self, Acts};
use echodesk_job::{JobError, Needs, NoticeSettings, one_line, readiness, tenant, time_zone};
use echodesk_store::{BillingStory, MailboxStory, Newest, NoticeStory, RunEntry, Store};
use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};

use crate::cli::ExplainArgs;
use crate::command::World;
use crate::error::CommandError;

/// Rows of each ledger that are read, the newest.
const ROWS: usize = 500;
/// Messages of each mailbox that could not be stored, the newest.
const MESSAGES: usize = 20;
/// More charges that are open or in trouble no tenant has.
const OPEN: usize = 100;

/// The jobs that work for tenants, in the order in which they are told of.
pub(super) const JOBS: [&str; 3] = [PAYMENTS, STATUS, MAIL];
pub(super) const PAYMENTS: &str = "recurring-payments";
pub(super) const STATUS: &str = "subscription-status";
pub(super) const MAIL: &str = "sync-emails";

/// What is known of a tenant, at a moment. What cannot be read is there as the reason why.
pub(super) struct Facts {
    pub(super) now: Timestamp,
    pub(super) tenant: Tenant,
    pub(super) since: Option<Timestamp>,
    pub(super) days: u32,
    pub(super) renewals: Policy,
    pub(super) expiry: ExpiryPolicy,
    /// Why no payments can be made at all: for each problem, what it is and what to do.
    pub(super) not_ready: Vec<String>,
    pub(super) billing: Result<Billing, String>,
    pub(super) notices: Newest<NoticeStory>,
    pub(super) mail: Result<Vec<MailboxStory>, String>,
    /// Runs for this tenant alone.
    pub(super) runs: Newest<RunEntry>,
    /// The last run of each job that was for it or for all.
    pub(super) last_runs: Vec<(&'static str, Option<RunEntry>)>,
}

/// Of a tenant's subscription.
#[derive(Default)]
pub(super) struct Billing {
    pub(super) story: BillingStory,
    pub(super) accounts: Vec<Account>,
    /// Suspensions of ours that nobody has lifted.
    pub(super) suspensions: Vec<Suspension>,
    /// What the next run does about charges that are open or in trouble.
    pub(super) open: Vec<RenewalEvent>,
}

impl Facts {
    /// Whether everything could be read.
    pub(super) fn is_whole(&self) -> bool {
        self.billing.is_ok() && self.mail.is_ok()
    }
}

pub(super) fn gather(store: &Store, world: &World, args: &ExplainArgs) -> Result<Facts, CommandError> {
    let environment = &world.settings.environment;
    let (exempt, zone) = (tenant::exempt(environment)?, time_zone::billing(environment)?);
    let (mut not_ready, now) = (not_ready(store)?, world.clock.now());
    not_ready.extend(not_ours(store, world)?);
    let found = tenant::find(store, &args.tenant)?;
    let renewals = Policy {
        days_before: args.days_before,
        grace_days: args.grace_days,
        exempt: exempt.clone(),
        time_zone: zone.clone(),
        ..Policy::default()
    };
    let mut last_runs = Vec::new();
    for job in JOBS {
        last_runs.push((job, store.last_run(job, &found.schema)?));
    }
    Ok(Facts {
        now,
        since: args.since,
        days: args.days,
        not_ready,
        billing: or_why(billing(store, &found, &renewals, now))?,
        notices: store.notice_story(found.id, ROWS)?,
        mail: store.mail_story(&found, MESSAGES, now)?.map_err(|problem| problem.to_string()),
        runs: store.runs_for(&found.schema, ROWS)?,
        last_runs,
        expiry: ExpiryPolicy { grace_days: args.grace_days, exempt, time_zone: zone },
        renewals,
        tenant: found,
    })
}

/// What keeps payments from being made, where everything else works.
fn not_ready(store: &Store) -> Result<Vec<String>, CommandError> {
    match readiness::check(store, Needs::Billing) {
        Ok(()) => Ok(Vec::new()),
        Err(JobError::NotReady { problems }) => {
            // What keeps everything from working is an error.
            readiness::check(store, Needs::Mail)?;
            Ok(problems)
        }
        Err(error) => Err(error.into()),
    }
}

/// Why a run with these settings would leave this database alone, if it would.
fn not_ours(store: &Store, world: &World) -> Result<Option<String>, CommandError> {
    let environment = &world.settings.environment;
    let notices = match NoticeSettings::read(&world.settings) {
        Ok(notices) => notices,
        Err(error) => return Ok(Some(one_line(&error))),
    };
    match identity::guard(store, environment, &notices, Acts { charges: true, must_mail: true }) {
        Ok(_) => Ok(None),
        Err(error @ (JobError::NotBound { .. } | JobError::NotOurs { .. })) => {
            let line = one_line(&error);
            Ok(Some(line.strip_prefix("nothing was done: ").unwrap_or(&line).to_owned()))
        }
        // That its table is missing is told already.
        Err(JobError::Store(error)) if error.kind != StoreErrorKind::Unavailable => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A database that is away is an error; anything else is told in its place.
fn or_why<T>(read: Result<T, StoreError>) -> Result<Result<T, String>, CommandError> {
    match read {
        Err(error) if error.kind != StoreErrorKind::Unavailable => Ok(Err(one_line(&error))),
        read => Ok(Ok(read?)),
    }
}

fn billing(store: &Store, tenant: &Tenant, policy: &Policy, now: Timestamp) -> Result<Billing, StoreError> {
    let options = RenewalOptions { policy: policy.clone(), tenant: Some(tenant.clone()), ..RenewalOptions::default() };
    let seen = Seen::default();
    preview(store, &seen, &options, now)?;
    Ok(Billing {
        story: store.billing_story(tenant.id, ROWS)?,
        accounts: store.accounts_of(tenant.id, now)?,
        suspensions: store.suspensions(Some(tenant.id), None, OPEN)?,
        open: seen.of_orders(),
    })
}

/// What a dry run tells.
#[derive(Default)]
struct Seen(Mutex<Vec<RenewalEvent>>);

impl RenewalObserver for Seen {
    fn begun(&self, _: Phase) {}

    fn event(&self, event: &RenewalEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

impl Seen {
    /// Of orders that there are. What is due is judged from the account, which also is there if it is not due.
    fn of_orders(self) -> Vec<RenewalEvent> {
        let mut events = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        events.retain(|event| matches!(event.outcome, Outcome::WouldSettle(_) | Outcome::NeedsPerson(_)));
        events
    }
}
