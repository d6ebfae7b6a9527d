//! After a run of the watch that nothing has disturbed: whoever is due something has it. A model of its own of what is
//! promised, which demands only what is certain.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::invariants::accounts::GRACE;
use crate::invariants::truth::{day, days_between};
use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::accounts::{Account, MONTH};
use crate::world::notices::Occurrence;

/// Money that came so shortly before an expiry may be for what follows it, as far as anybody can tell.
const MAY_BE_FOR_THIS: SignedDuration = SignedDuration::from_hours(15 * 24);

/// Where EchoDesk plans its own charges, if it does.
const RETRIES: &str = "tenants_payment_retry_schedule";

/// What must not change during a run for the run to be held to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    expires_at: Timestamp,
    suspended_at: Option<Timestamp>,
    captured: usize,
    booked: usize,
    is_barred: bool,
}

impl World {
    /// How all accounts stand.
    pub(crate) fn standings(&self) -> BTreeMap<TenantNumber, Standing> {
        let barred = self.barred();
        let standing = |number| self.accounts.read(number, |account| self.standing(account, &barred));
        self.accounts.numbers().into_iter().map(|number| (number, standing(number))).collect()
    }

    fn standing(&self, account: &Account, barred: &[String]) -> Standing {
        let unbooked = account.unbooked().next().is_some();
        let undecided = !self.bank.undecided(account.number).is_empty();
        Standing {
            expires_at: account.expires_at,
            suspended_at: account.suspended_at,
            captured: account.captures.len(),
            booked: account.booked.len(),
            is_barred: unbooked || undecided || barred.contains(&account.tenant.to_string()),
        }
    }

    /// Tenants with an attempt, an order or a plan of EchoDesk's that is open: nothing is done about them.
    fn barred(&self) -> Vec<String> {
        let mut open = "SELECT CAST(tenant_id AS text) AS value FROM echodesk_charge_attempt WHERE closed_at IS NULL \
             UNION SELECT CAST(tenant_id AS text) FROM tenants_payment_order WHERE status = 'pending'"
            .to_owned();
        if self.database.tables().iter().any(|table| table == RETRIES) {
            open += &format!(
                " UNION SELECT CAST(s.tenant_id AS text) FROM {RETRIES} r \
                 JOIN tenants_tenant_subscription s ON s.id = r.subscription_id \
                 WHERE r.status IN ('pending', 'executing')"
            );
        }
        self.database.values(&open).into_iter().flatten().collect()
    }

    /// Holds a run that has just ended to what it had to do.
    pub(crate) fn check_nobody_forgotten(&self, before: &BTreeMap<TenantNumber, Standing>) {
        let (now, barred) = (self.time.now(), self.barred());
        for (number, was) in before {
            let account = self.accounts.read(*number, Clone::clone);
            let is = self.standing(&account, &barred);
            // Its own suspensions and reactivations are what a run is to change.
            let is_same = Standing { suspended_at: was.suspended_at, ..is.clone() } == *was;
            if is.is_barred || !is_same {
                continue;
            }
            match account.suspended_at {
                Some(since) if account.expires_at > now => {
                    let what = format!("it is paid until {}, and suspended since {since}", account.expires_at);
                    self.violated(Invariant::DataKept, *number, what);
                }
                Some(_) => {}
                None => self.check_told(&account, now),
            }
        }
    }

    fn check_told(&self, account: &Account, now: Timestamp) {
        let expires_at = account.expires_at;
        let may_be_for_this = |at: Timestamp| at > expires_at - MAY_BE_FOR_THIS && now < at.max(expires_at) + MONTH;
        if account.captures.iter().any(|capture| may_be_for_this(capture.at)) {
            return;
        }
        let due = match days_between(now, expires_at, &self.billing_zone) {
            _ if now >= expires_at + GRACE => {
                let what = format!("it was paid until {expires_at}, and is not suspended");
                return self.violated(Invariant::NobodyForgotten, account.number, what);
            }
            _ if now >= expires_at => Occurrence::GraceWarning(expires_at, day(now, &self.billing_zone)),
            0..=3 => Occurrence::UrgentReminder(expires_at),
            4..=7 => Occurrence::Reminder(expires_at),
            _ => return,
        };
        if !self.notices.has(account.number, due.clone()) {
            self.violated(Invariant::NobodyForgotten, account.number, format!("it was not told of {due:?}"));
        }
    }
}
