//! The truth about subscriptions: what was captured and until when that pays. Kept by what happens at the bank and in
//! EchoDesk, and held against the tables after every write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::{SchemaName, SubscriptionId, TenantId};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::trace::TenantNumber;
use crate::world::customers::Profile;

/// What a payment buys.
pub const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The truth about one subscription.
#[derive(Clone, Debug)]
pub struct Account {
    /// Which it is.
    pub number: TenantNumber,
    /// `tenants_tenant.id`.
    pub tenant: TenantId,
    /// `tenants_tenant_subscription.id`.
    pub subscription: SubscriptionId,
    /// The tenant's schema.
    pub schema: SchemaName,
    /// What its customer is like.
    pub profile: Profile,
    /// What a month costs.
    pub price: Decimal,
    /// The bank's name of the order whose card is charged, if there is one.
    pub card: Option<String>,
    /// Until when it is paid, by what has been booked.
    pub expires_at: Timestamp,
    /// Since when it is suspended, if it is.
    pub suspended_at: Option<Timestamp>,
    /// All money that the bank has moved for it.
    pub captures: Vec<Capture>,
    /// Orders of ours that the bank has not answered, by our names of them. Nobody knows whether it has them.
    pub unknown: BTreeSet<String>,
    /// How many notices of suspensions there are.
    pub suspension_notices: usize,
    /// Orders that are marked as paid in the database.
    pub booked: BTreeSet<String>,
    /// How things stood when each charge of ours was decided.
    pub decided: BTreeMap<String, Decided>,
    /// When a run or a callback of ours has settled an order as paid.
    pub settled: BTreeMap<String, Timestamp>,
    /// What EchoDesk has planned to charge itself.
    pub retries: Vec<Retry>,
}

/// How a subscription really stood when a charge was written down, or when the bank took one that was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// When that was.
    pub at: Timestamp,
    /// What a month cost.
    pub price: Decimal,
    /// Until when it was paid: what the charge pays for begins then.
    pub expires_at: Timestamp,
    /// Whether it was active.
    pub active: bool,
}

/// A charge that EchoDesk has planned after a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Its row.
    pub row: i64,
    /// What it pays for begins then: what the order that was refused would have paid for.
    pub period: Timestamp,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When EchoDesk has begun to charge for it, and the order of that.
    pub begun: Option<(Timestamp, String)>,
}

/// Money that the bank has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// `external_order_id`.
    pub order: String,
    /// How much.
    pub amount: Decimal,
    /// Who asked the bank for it.
    pub payer: Payer,
    /// What it pays for begins then: until then the subscription was paid when the charge was decided.
    pub period: Timestamp,
    /// When the money moved.
    pub at: Timestamp,
}

/// Who asked the bank for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// A run of ours.
    Renewal,
    /// EchoDesk's own command for retries.
    EchoDesk,
    /// The customer, on EchoDesk's page.
    Customer,
}

impl Payer {
    /// Who has made an order, by its name.
    #[must_use]
    pub fn of(order: &str) -> Self {
        match order {
            order if order.starts_with("REC-") => Self::Renewal,
            order if order.starts_with("RETRY-") => Self::EchoDesk,
            _ => Self::Customer,
        }
    }
}

impl Account {
    /// How it stands now.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Decided {
        let active = self.suspended_at.is_none();
        Decided { at: now, price: self.price, expires_at: self.expires_at, active }
    }

    /// Money that has moved and is not booked yet.
    pub fn unbooked(&self) -> impl Iterator<Item = &Capture> {
        self.captures.iter().filter(|capture| !self.booked.contains(&capture.order))
    }

    /// The capture of an order.
    #[must_use]
    pub fn capture(&self, order: &str) -> Option<&Capture> {
        self.captures.iter().find(|capture| capture.order == order)
    }
}

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Accounts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<TenantNumber, Account>,
    by_subscription: BTreeMap<i64, TenantNumber>,
    by_tenant: BTreeMap<i64, TenantNumber>,
    by_attempt: BTreeMap<i64, TenantNumber>,
    by_notice: BTreeMap<i64, TenantNumber>,
}

impl Accounts {
    /// A new customer.
    pub fn add(&self, account: Account) {
        let mut state = self.lock();
        state.by_subscription.insert(account.subscription.0, account.number);
        state.by_tenant.insert(account.tenant.0, account.number);
        state.accounts.insert(account.number, account);
    }

    /// All numbers.
    #[must_use]
    pub fn numbers(&self) -> Vec<TenantNumber> {
        self.lock().accounts.keys().copied().collect()
    }

    /// Whose subscription it is.
    #[must_use]
    pub fn of_subscription(&self, id: SubscriptionId) -> Option<TenantNumber> {
        self.lock().by_subscription.get(&id.0).copied()
    }

    /// Who that is.
    #[must_use]
    pub fn of_tenant(&self, id: TenantId) -> Option<TenantNumber> {
        self.lock().by_tenant.get(&id.0).copied()
    }

    /// Whose attempt it is, if anybody has said so.
    #[must_use]
    pub fn of_attempt(&self, id: echodesk_core::AttemptId) -> Option<TenantNumber> {
        self.lock().by_attempt.get(&id.0).copied()
    }

    /// Remembers whose attempt it is.
    pub fn attempt_is_of(&self, id: echodesk_core::AttemptId, tenant: TenantNumber) {
        self.lock().by_attempt.insert(id.0, tenant);
    }

    /// Whose notice it is, if anybody has said so.
    #[must_use]
    pub fn of_notice(&self, id: echodesk_core::NoticeId) -> Option<TenantNumber> {
        self.lock().by_notice.get(&id.0).copied()
    }

    /// Remembers whose notice it is.
    pub fn notice_is_of(&self, id: echodesk_core::NoticeId, tenant: TenantNumber) {
        self.lock().by_notice.insert(id.0, tenant);
    }

    /// Looks at an account.
    ///
    /// # Panics
    /// If there is none of that number.
    pub fn read<T>(&self, number: TenantNumber, look: impl FnOnce(&Account) -> T) -> T {
        look(&self.lock().accounts[&number])
    }

    /// Changes an account.
    ///
    /// # Panics
    /// If there is none of that number.
    #[expect(clippy::expect_used, reason = "numbers come from this list")]
    pub fn change<T>(&self, number: TenantNumber, change: impl FnOnce(&mut Account) -> T) -> T {
        change(self.lock().accounts.get_mut(&number).expect("a tenant of the simulation"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
