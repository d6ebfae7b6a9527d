//! Notices that were decided and wait to be sent.

use echodesk_core::notice::NoticeKind;
use echodesk_core::{NoticeId, RunId, StoreError, Tenant, TenantId};
use jiff::Timestamp;

/// The outbox. Every method is one transaction: done wholly or not at all.
pub trait Outbox: Send + Sync {
    /// Claims queued notices for a run and returns them, oldest first, at most `limit`: those whose time has
    /// come and that nobody has claimed, or whose claim has run out. What is returned is not returned to
    /// anybody again, not to the same run either, until its claim ends. Those that can go to nobody are closed
    /// on the way, and only counted.
    ///
    /// # Errors
    /// The database is away.
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError>;

    /// A notice that the run holds, as things stand now; none if it does not hold it any more. Asked again
    /// right before sending where some time has passed since the claim: the customer may have paid meanwhile.
    ///
    /// # Errors
    /// The database is away.
    fn look_again(&self, run: RunId, notice: NoticeId, now: Timestamp) -> Result<Option<Queued>, StoreError>;

    /// Writes down what became of notices. A notice that the run does not hold any more (its claim ran
    /// out and another took it, or it is not queued any more) is left as it is, unless it was sent: that is
    /// true whoever holds it.
    ///
    /// # Errors
    /// The database is away; then nothing was written.
    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], now: Timestamp) -> Result<(), StoreError>;

    /// Gives all claims of a run back.
    ///
    /// # Errors
    /// The database is away.
    fn release(&self, run: RunId) -> Result<(), StoreError>;

    /// How many notices wait, claimed or not, for their time or for a person.
    ///
    /// # Errors
    /// The database is away.
    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError>;
}

/// What was claimed at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The notices, oldest first.
    pub notices: Vec<Queued>,
    /// How many were parked on the way: nobody can tell whom they are for.
    pub parked: u64,
    /// How many were withdrawn on the way: their tenant is gone.
    pub withdrawn: u64,
}

/// Notices that were not sent, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Those that are to be sent.
    pub queued: u64,
    /// Those of the queued that were tried in vain before.
    pub tried: u64,
    /// Those that are not sent until a person says so.
    pub parked: u64,
}

/// The right to deliver notices until a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// When it ends by itself, should the run die.
    pub until: Timestamp,
    /// The time now.
    pub now: Timestamp,
}

/// A claimed notice, with all that its delivery depends on, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its row.
    pub id: NoticeId,
    /// Whom it is for.
    pub tenant: Tenant,
    /// Where the tenant signs in (`frontend_url`), if that is known.
    pub sign_in_url: Option<String>,
    /// What it says; an error text if the row cannot be read.
    pub kind: Result<NoticeKind, String>,
    /// The kind's name.
    pub code: String,
    /// What it is about, for example `subscription:7`.
    pub subject_key: String,
    /// Which occurrence.
    pub period: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// How often sending it was tried before.
    pub attempts: u32,
    /// How things stand with what it is about.
    pub situation: Situation,
}

/// How things stand when a notice is about to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The tenant's subscription; none if it has none.
    pub subscription: Option<SubscriptionSituation>,
    /// Whether the mailbox that the notice is about is active; none if it is about none, or it was deleted.
    pub mailbox_active: Option<bool>,
}

/// A subscription, as far as notices speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionSituation {
    /// Whether it is active.
    pub active: bool,
    /// When it expires or has expired.
    pub expires_at: Option<Timestamp>,
    /// `next_billing_date`.
    pub next_billing_date: Option<Timestamp>,
    /// Whether a charge is open: money may have come.
    pub charge_open: bool,
    /// Who bills it (`tenants_tenant.payment_provider`); `bog` is the bank that we charge cards at.
    pub provider: String,
    /// Whether a later notice tells that the card was refused or can only be charged another amount.
    pub refused_since: bool,
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The mail server has taken it, for this address.
    Sent {
        /// The address.
        to: String,
    },
    /// It was not tried, and nothing is wrong with it: it is looked at again from this time on.
    Later {
        /// From when on.
        not_before: Timestamp,
        /// Why it was kept back.
        why: String,
    },
    /// It was tried in vain, and is tried again from this time on.
    TryAgain {
        /// From when on.
        not_before: Timestamp,
        /// Why it was not sent.
        why: String,
    },
    /// It will not be sent until a person says so.
    Parked {
        /// Why.
        why: String,
    },
    /// It does not hold any more and is not sent.
    Withdrawn {
        /// Why.
        why: String,
    },
    /// Nothing: it is given back as it was, and not counted as tried.
    Back,
}
