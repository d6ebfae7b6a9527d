//! The ledger of charge attempts, and the subscriptions that they renew.

use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{Attempt, AttemptState, BankOrderId, Candidate, Charge, OrderId, Refusal};
use crate::rules::period::Window;

/// What renewals need from a database. Every method is one transaction: done wholly or not at all.
///
/// Runs on several hosts and callbacks call it at once; nothing but the store keeps them apart. The
/// [front page](crate#a-store-of-your-own) lists what must hold, and
/// `testing::check_billing_store` (feature `testing`) checks it on any implementation.
///
/// Methods block; runs call them from threads that may. An error of the kind
/// [`Unavailable`](echodesk_core::StoreErrorKind::Unavailable) ends a run early, any other is a failure of the one
/// subscription that was worked on. Methods that take an attempt's id fail if there is no such attempt.
pub trait BillingStore: Send + Sync {
    /// Subscriptions whose renewal date is in the window, of all tenants or of one, ascending by id
    /// after `after`, at most `limit`.
    ///
    /// # Errors
    /// The database is away, or a row cannot be read; it is named.
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError>;

    /// Writes an attempt and its pending payment order down, claimed by the caller's run. Does nothing
    /// but say so if the subscription is not as it was when the charge was decided: under a lock on its
    /// row, [`Charge::seen`] is compared, and that EchoDesk has neither scheduled a retry nor made a
    /// renewal order of its own. Unique indices make a second open attempt impossible, and a second one with the order
    /// id or the key of any other, whatever has become of that: the bank tells charges apart by them.
    ///
    /// # Errors
    /// The database is away.
    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError>;

    /// Claims attempts for a run and returns them, ascending by id after `after`, at most `limit`. See
    /// [`Claims`] for which; a claim that another run holds and that has not run out is respected.
    ///
    /// # Errors
    /// The database is away.
    fn claim(
        &self,
        claim: &Claim,
        which: Claims,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError>;

    /// Cancels retries that EchoDesk has scheduled for an order of ours although its period was paid by
    /// another: its web hook does so when a rejection arrives late. Returns how many.
    ///
    /// # Errors
    /// The database is away.
    fn cancel_overtaken_retries(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Gives claims of a run back: those on the attempts named, or all. Others' stay as they are.
    ///
    /// # Errors
    /// The database is away.
    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError>;

    /// The bank has made an order of an attempt: `accepted`, and the payment order gets the bank's name
    /// of it. Changes nothing if a callback was faster; if the bank's name is another one than was
    /// known, that becomes the attempt's trouble. Returns the attempt as it is then.
    ///
    /// # Errors
    /// The database is away.
    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, now: Timestamp) -> Result<Attempt, StoreError>;

    /// What the bank did is not known: `unknown`, unless a callback has told meanwhile. Returns the
    /// attempt as it is then.
    ///
    /// # Errors
    /// The database is away.
    fn unanswered(&self, attempt: AttemptId, why: &str, now: Timestamp) -> Result<Attempt, StoreError>;

    /// The attempt was certainly never sent: closed as `not_sent`, its order `cancelled`. Only its own
    /// run may say so, and only while it is `prepared` and claimed by that run without interruption:
    /// anybody else might be about to send it. That the run has claimed it again afterwards does not help. Returns
    /// whether it was closed.
    ///
    /// # Errors
    /// The database is away.
    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Writes down what only a person can put right, or takes it off.
    ///
    /// # Errors
    /// The database is away.
    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, now: Timestamp) -> Result<(), StoreError>;

    /// Closes an attempt by a final answer, with everything that follows, as
    /// [`closing`](crate::rules::settle::closing) says:
    ///
    /// - paid: order `paid`; subscription extended ([`extend`](crate::rules::period::extend)),
    ///   `payment_status` `current`, counters reset, a suspension lifted with its notice; event and
    ///   invoice; EchoDesk's pending retries cancelled;
    /// - failed: order `failed`; `payment_status`, `failed_payment_count`, `last_payment_failure`; event;
    ///   a notice if the refusal is the customer's business.
    ///
    /// What EchoDesk's own web hook has done already is not done again
    /// ([`order_status`](crate::rules::settle::order_status)). A refusal that is only the answer to a call
    /// closes nothing that another call has overtaken ([`Settlement::is_overtaken`]). Trouble that stands is left for
    /// a person, unless a person settles. The claim of the run that
    /// settles is given back with it.
    ///
    /// # Errors
    /// The database is away; there is no such attempt.
    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError>;

    /// An attempt by our name of its order.
    ///
    /// # Errors
    /// The database is away.
    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError>;

    /// An attempt by the bank's name of its order.
    ///
    /// # Errors
    /// The database is away.
    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError>;

    /// The attempts that a run would see to, whoever has claimed them: open, or in trouble; of all tenants
    /// or of one, ascending by id after `after`, at most `limit`. Claims nothing.
    ///
    /// # Errors
    /// The database is away.
    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError>;

    /// Queues a notice; the same event queues it once.
    ///
    /// # Errors
    /// The database is away.
    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError>;
}

/// An attempt to be written down.
#[derive(Clone, Debug)]
pub struct NewAttempt<'a> {
    /// What is charged.
    pub charge: &'a Charge,
    /// Our name of the order.
    pub order: OrderId,
    /// The Idempotency-Key.
    pub key: Uuid,
    /// The run that will call the bank.
    pub claim: Claim,
}

impl NewAttempt<'_> {
    /// The attempt as it is once it is written down, under that id.
    #[must_use]
    pub fn written(&self, id: AttemptId) -> Attempt {
        let charge = self.charge;
        Attempt {
            id,
            subscription: charge.subscription,
            tenant: charge.tenant.id,
            schema: charge.tenant.schema.clone(),
            period: charge.period,
            number: charge.number,
            order: self.order.clone(),
            key: self.key,
            parent: charge.parent.clone(),
            amount: charge.amount,
            state: AttemptState::Prepared,
            bank_order: None,
            prepared_at: self.claim.now,
            refusal: None,
            last_error: None,
            trouble: None,
        }
    }
}

/// The right to work on attempts until a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// When it ends by itself, should the run die.
    pub until: Timestamp,
    /// The time now.
    pub now: Timestamp,
}

/// Which attempts are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// What earlier runs left: open, or in trouble; unclaimed, or with a claim that has run out.
    Left,
    /// What the run has claimed already, in whatever state it is by now; the claims are renewed.
    Mine,
}

/// Whether an attempt was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// It was; the bank may be called.
    Written(Box<Attempt>),
    /// The subscription has changed, another run was faster, or order id or key are another attempt's: nothing was
    /// written.
    Changed,
}

/// A final answer.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    /// `None` if it is paid; why not, otherwise.
    pub refusal: Option<&'a Refusal>,
    /// The bank's name of the order, if it is known now.
    pub bank_order: Option<&'a BankOrderId>,
    /// Who says so.
    pub source: Source<'a>,
    /// When.
    pub now: Timestamp,
    /// The run that settles, whose claim ends with this.
    pub run: Option<RunId>,
    /// Whose calendar days retries are planned by.
    pub time_zone: &'a jiff::tz::TimeZone,
}

impl Settlement<'_> {
    /// Whether it is a refusal that another call has overtaken: the bank has made an order of the attempt since; or
    /// something before the bank has refused the first call, and another run has taken the attempt over meanwhile and
    /// may call as well. `sender` is the run that has written it down, if nobody has claimed it as
    /// left behind since.
    ///
    /// Such an answer closes nothing; [`BillingStore::settle`] then says how the attempt stands
    /// ([`Settled::Already`]).
    #[must_use]
    pub fn is_overtaken(&self, attempt: &Attempt, sender: Option<RunId>) -> bool {
        let is_possible = match self.source {
            Source::Answer => attempt.bank_order.is_some(),
            Source::FirstAnswer => attempt.bank_order.is_some() || self.run.is_none() || sender != self.run,
            Source::Receipt | Source::Callback | Source::Person { .. } => false,
        };
        self.refusal.is_some() && is_possible
    }
}

/// Who says how a charge ended; kept in the audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The bank's answer to a call, about the payment itself: the same to whoever calls.
    Answer,
    /// The answer to the first call, which is not about the payment (something before it has refused the request): it
    /// counts only as long as nobody else can have called since.
    FirstAnswer,
    /// A receipt that was fetched.
    Receipt,
    /// A callback whose signature was verified.
    Callback,
    /// A person.
    Person {
        /// How they know.
        because: &'a str,
    },
}

/// What settling has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is paid now.
    Paid {
        /// `next_billing_date` from now on.
        until: Option<Timestamp>,
        /// Whether we have extended it, and not EchoDesk.
        extended: bool,
        /// Whether a suspension was lifted.
        reactivated: bool,
    },
    /// It has failed now; when it is tried again.
    Failed(crate::rules::retry::Next),
    /// It was settled before, and nothing has changed.
    Already(AttemptState),
    /// EchoDesk says that it is paid and the bank that it is not: left open, as trouble.
    Contradiction,
    /// EchoDesk has marked the order as paid a moment ago and is about to extend the subscription: left
    /// open, to be settled again.
    NotYet,
}
