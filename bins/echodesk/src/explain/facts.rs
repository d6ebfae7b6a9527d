//! All that the story is made of, as it was read.

use echodesk_billing::forecast::Schedule;
use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::StatusStore as _;
use echodesk_billing::rules::due::Policy;
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_billing::run::{Outcome, Phase, RenewalEvent, RenewalObserver, RenewalOptions, preview};
use echodesk_core::{StoreError, StoreErrorKind, Tenant};
use echodesk_job::{one_line, tenant};
use echodesk_store::{BillingStory, MailboxStory, Newest, NoticeStory, RunEntry, Store};
use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};

use crate::cli::ExplainArgs;
use crate::command::World;
use crate::error::CommandError;
use crate::refusals::{self, Refusal};

pub(super) use crate::refusals::{MAIL, PAYMENTS, STATUS};

/// Rows of each ledger that are read, the newest.
const ROWS: usize = 500;
/// Messages of each mailbox that could not be stored, the newest.
const MESSAGES: usize = 20;
/// More charges that are open or in trouble no tenant has.
const OPEN: usize = 100;

/// The jobs that work for tenants, in the order in which they are told of.
pub(super) const JOBS: [&str; 3] = [PAYMENTS, STATUS, MAIL];

/// What is known of a tenant, at a moment. What cannot be read is there as the reason why.
pub(super) struct Facts {
    pub(super) now: Timestamp,
    pub(super) tenant: Tenant,
    pub(super) since: Option<Timestamp>,
    pub(super) days: u32,
    pub(super) renewals: Policy,
    pub(super) expiry: ExpiryPolicy,
    pub(super) schedule: Schedule,
    /// Which jobs would not start here, and why.
    pub(super) refusals: Vec<Refusal>,
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
    let (renewals, expiry) = args.schedule.policies(environment)?;
    let (refusals, now) = (refusals::all(store, world)?, world.clock.now());
    let found = tenant::find(store, &args.tenant)?;
    let mut last_runs = Vec::new();
    for job in JOBS {
        last_runs.push((job, store.last_run(job, &found.schema)?));
    }
    Ok(Facts {
        now,
        since: args.since,
        days: args.days,
        schedule: args.schedule.schedule(),
        refusals,
        billing: or_why(billing(store, &found, &renewals, now))?,
        notices: store.notice_story(found.id, ROWS)?,
        mail: store.mail_story(&found, MESSAGES, now)?.map_err(|problem| problem.to_string()),
        runs: store.runs_for(&found.schema, ROWS)?,
        last_runs,
        expiry,
        renewals,
        tenant: found,
    })
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
