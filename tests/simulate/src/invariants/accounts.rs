//! After every write: what the tables say of a subscription is what follows from the money that has moved.

use std::collections::BTreeSet;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Nullable, Text};
use jiff::{SignedDuration, Timestamp};

use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::accounts::{Account, MONTH};
use crate::world::bank::OrderState;
use crate::world::echodesk::moment;

/// What a host's clock may be wrong by, and a run's time.
pub(crate) const CLOCKS_WRONG_BY: SignedDuration = SignedDuration::from_mins(65);

/// Days of 24 hours from expiry to suspension.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A subscription as the tables have it.
#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    tenant_active: bool,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Nullable<Text>)]
    expires_at: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    next_billing_date: Option<String>,
}

impl World {
    /// Orders of a tenant that the tables call paid.
    pub(crate) fn paid_orders(&self, tenant: i64) -> BTreeSet<String> {
        let paid = format!(
            "SELECT order_id AS value FROM tenants_payment_order WHERE tenant_id = {tenant} AND status = 'paid'"
        );
        self.database.values(&paid).into_iter().flatten().collect()
    }

    /// Something was written for a tenant, or for several.
    pub(crate) fn check_after_write(&self, tenant: Option<TenantNumber>) {
        if let Some(tenant) = tenant {
            self.check_account(tenant);
        }
        self.check_new_notices();
    }

    /// Holds a subscription against the truth.
    pub(crate) fn check_account(&self, number: TenantNumber) {
        let account = self.accounts.read(number, Clone::clone);
        let rows: Vec<Row> = self.database.rows(&format!(
            "SELECT t.is_active AS tenant_active, s.is_active AS active, CAST(s.expires_at AS text) AS expires_at, \
               CAST(s.next_billing_date AS text) AS next_billing_date \
             FROM tenants_tenant t JOIN tenants_tenant_subscription s ON s.tenant_id = t.id WHERE t.id = {}",
            account.tenant
        ));
        let Some(row) = rows.first() else {
            return self.violated(Invariant::DataKept, number, "its rows are gone".to_owned());
        };
        let account = self.check_bookings(account, row);
        let expires_at = moment(row.expires_at.as_deref());
        if expires_at != Some(account.expires_at) || moment(row.next_billing_date.as_deref()) != expires_at {
            let what = format!("it is paid until {}, and the tables say {row:?}", account.expires_at);
            self.violated(Invariant::OneExtension, number, what);
        }
        self.check_standing(&account, row);
    }

    /// Orders that are newly called paid: each must have been captured, and moves the date.
    fn check_bookings(&self, account: Account, row: &Row) -> Account {
        let number = account.number;
        let paid = self.paid_orders(account.tenant.0);
        let new: Vec<String> = paid.difference(&account.booked).cloned().collect();
        if let Some(order) = account.booked.difference(&paid).next() {
            self.violated(Invariant::OneExtension, number, format!("order {order} is not paid any more"));
        }
        for order in new {
            if account.capture(&order).is_none() {
                self.violated(
                    Invariant::OneExtension,
                    number,
                    format!("order {order} is called paid, and no money has moved"),
                );
                continue;
            }
            let found = moment(row.expires_at.as_deref());
            let until = self.extended(&account, found);
            self.trace.note(number, format_args!("{order} is booked: paid until {until}"));
            self.accounts.change(number, |account| {
                account.booked.insert(order);
                account.expires_at = until;
            });
        }
        self.accounts.read(number, Clone::clone)
    }

    /// Until when a payment that is booked now pays.
    fn extended(&self, account: &Account, found: Option<Timestamp>) -> Timestamp {
        let from_old = account.expires_at + MONTH;
        if account.suspended_at.is_none() {
            return from_old;
        }
        // From the payment on, by the clock of whoever booked it.
        let from_now = self.time.now() + MONTH;
        match found {
            Some(found) if found.duration_since(from_now).abs() <= CLOCKS_WRONG_BY => found,
            _ => from_now,
        }
    }

    fn check_standing(&self, account: &Account, row: &Row) {
        let (number, now) = (account.number, self.time.now());
        if row.active != row.tenant_active {
            let what = format!("tenant and subscription do not stand alike: {row:?}");
            return self.violated(Invariant::DataKept, number, what);
        }
        match (account.suspended_at, row.active) {
            (None, false) => {
                self.check_suspension(account, now);
                self.count(|counts| counts.suspensions += 1);
                self.trace.note(number, format_args!("suspended"));
                self.accounts.change(number, |account| account.suspended_at = Some(now));
            }
            (Some(_), true) => {
                if account.expires_at <= now - CLOCKS_WRONG_BY {
                    let what = format!("it is active again, and was paid until {} only", account.expires_at);
                    self.violated(Invariant::OneExtension, number, what);
                }
                self.count(|counts| counts.reactivations += 1);
                self.trace.note(number, format_args!("active again"));
                self.accounts.change(number, |account| account.suspended_at = None);
            }
            _ => {}
        }
    }

    fn check_suspension(&self, account: &Account, now: Timestamp) {
        let number = account.number;
        if let Some(capture) = account.unbooked().next() {
            let what = format!("it is suspended although {} was captured", capture.order);
            self.violated(Invariant::NoWrongSuspension, number, what);
        }
        if let Some(order) = self.bank.undecided(number).first() {
            let what = format!("it is suspended although the bank has not decided on {order}");
            self.violated(Invariant::NoWrongSuspension, number, what);
        }
        let decided = |order: &String| {
            let orders = self.bank.of_external(order);
            !orders.is_empty() && orders.iter().all(|order| order.state != OrderState::Processing)
        };
        if let Some(order) = account.unknown.iter().find(|order| !decided(order)) {
            let what = format!("it is suspended although nobody knows what became of {order}");
            self.violated(Invariant::NoWrongSuspension, number, what);
        }
        if now < account.expires_at + GRACE - CLOCKS_WRONG_BY {
            let what = format!("it is suspended, and was paid until {}", account.expires_at);
            self.violated(Invariant::FullGrace, number, what);
        }
        let queued = self.database.values(&format!(
            "SELECT CAST(count(*) AS text) AS value FROM echodesk_notice WHERE kind = 'suspended' AND tenant_id = {} \
               AND subject_key = 'subscription:{}'",
            account.tenant, account.subscription
        ));
        let queued: usize = queued.first().and_then(Option::as_deref).and_then(|count| count.parse().ok()).unwrap_or(0);
        let before = self.accounts.change(number, |account| std::mem::replace(&mut account.suspension_notices, queued));
        if queued != before + 1 {
            let what = format!("it is suspended with {} notices instead of one", queued - before.min(queued));
            self.violated(Invariant::FullGrace, number, what);
        }
    }
}
