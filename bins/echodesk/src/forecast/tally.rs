//! What a forecast adds up to.

use std::collections::BTreeMap;

use echodesk_billing::forecast::{Forecasted, What};
use echodesk_billing::model::Account;
use echodesk_core::{SchemaName, SubscriptionId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// With more events than these only the totals are kept: nobody reads so many, and they take memory.
const MOST_EVENTS: usize = 100_000;

/// An event with whose it is.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) tenant: SchemaName,
    pub(super) subscription: SubscriptionId,
    pub(super) event: Forecasted,
}

/// Events, and how many of each.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By time and tenant, once they are sorted; none if there are too many.
    pub(super) events: Vec<Row>,
    /// How many events were left out because they are too many: none or all.
    pub(super) left_out: u64,
    /// By day in UTC.
    pub(super) days: BTreeMap<Date, Totals>,
    pub(super) totals: Totals,
}

/// How many of each.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) charges: u64,
    /// What is charged, by currency.
    pub(super) amounts: BTreeMap<String, Decimal>,
    /// By kind.
    pub(super) mails: BTreeMap<&'static str, u64>,
    pub(super) suspensions: u64,
    pub(super) reactivations: u64,
    pub(super) not_charged: u64,
    pub(super) withheld: u64,
}

impl Tally {
    pub(super) fn add(&mut self, account: &Account, events: Vec<Forecasted>) {
        for event in events {
            let day = event.at.to_zoned(TimeZone::UTC).date();
            self.days.entry(day).or_default().count(&event.what);
            self.totals.count(&event.what);
            if self.left_out > 0 {
                self.left_out += 1;
                continue;
            }
            let candidate = &account.candidate;
            let (tenant, subscription) = (candidate.tenant.schema.clone(), candidate.subscription);
            self.events.push(Row { tenant, subscription, event });
            if self.events.len() > MOST_EVENTS {
                self.left_out = self.events.len() as u64;
                self.events = Vec::new();
            }
        }
    }

    /// What happens to one tenant at one time stays in its order.
    pub(super) fn sort(&mut self) {
        self.events.sort_by(|a, b| a.event.at.cmp(&b.event.at).then_with(|| a.tenant.cmp(&b.tenant)));
    }
}

impl Totals {
    fn count(&mut self, what: &What) {
        match what {
            What::Charge { amount, .. } => {
                self.charges += 1;
                let sum = self.amounts.entry(amount.currency().to_string()).or_default();
                *sum = sum.saturating_add(amount.amount());
            }
            What::Notice { kind, .. } => *self.mails.entry(kind).or_default() += 1,
            What::Suspend { .. } => self.suspensions += 1,
            What::Reactivate { .. } => self.reactivations += 1,
            What::NotCharged(_) => self.not_charged += 1,
            What::Withheld { .. } => self.withheld += 1,
        }
    }

    /// Of all kinds.
    pub(super) fn all_mails(&self) -> u64 {
        self.mails.values().sum()
    }

    /// The amounts as people read them: `150.00 GEL`.
    pub(super) fn money(&self) -> String {
        let sums: Vec<String> = self.amounts.iter().map(|(currency, sum)| format!("{sum:.2} {currency}")).collect();
        if sums.is_empty() { "-".to_owned() } else { sums.join(" + ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, now};

    #[test]
    fn too_many_events_are_counted_and_not_kept() {
        let bench = Bench::subscribed();
        let tenant = bench.store.tenants_list().unwrap().remove(0).id;
        let account = bench.store.accounts_of(tenant, now()).unwrap().remove(0);
        let mut tally = Tally::default();
        let job = echodesk_billing::forecast::Job::SubscriptionStatus;
        let warning = Forecasted { at: now(), job, what: What::Notice { kind: "grace_warning", about: now() } };
        tally.add(&account, vec![warning.clone(); MOST_EVENTS]);
        assert_eq!((tally.events.len(), tally.left_out), (MOST_EVENTS, 0));
        tally.add(&account, vec![warning; 2]);
        assert_eq!((tally.events.len(), tally.left_out), (0, MOST_EVENTS as u64 + 2));
        assert_eq!((tally.days.len(), tally.totals.all_mails()), (1, MOST_EVENTS as u64 + 2));
    }
}
