//! What the bank has captured, and what the database makes of it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::world::PaymentWorld;

/// What a payment extends by.
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

impl PaymentWorld {
    /// The bank has captured so many charges of this tenant, each for another period, and each has
    /// extended the subscription once: one paid order, one event, one invoice, thirty days.
    pub(crate) fn assert_exact(&self, tenant: &str, captures: usize) {
        self.assert_captured_once();
        let orders = self.orders_of(tenant);
        let captured: Vec<_> = self
            .bank
            .captures()
            .into_iter()
            .filter(|capture| capture.external_id.as_ref().is_some_and(|order| orders.contains(order)))
            .collect();
        assert_eq!(captured.len(), captures, "{tenant}: {captured:#?}");
        let of_tenant = format!("tenant_id = (SELECT id FROM tenants_tenant WHERE schema_name = '{tenant}')");
        let booked = |source: &str| self.count(&format!("{source} AND {of_tenant}"));
        assert_eq!(booked("echodesk_charge_attempt WHERE state = 'paid'"), captures, "{tenant}: paid attempts");
        for capture in &captured {
            let (order, bank_order) = (capture.external_id.as_ref().unwrap(), &capture.order_id);
            let paid = format!(
                "tenants_payment_order WHERE order_id = '{order}' AND bog_order_id = '{bank_order}' \
                 AND status = 'paid' AND paid_at IS NOT NULL"
            );
            assert_eq!(booked(&paid), 1, "{tenant}: {order} is paid");
        }
        let renewals = "order_id LIKE 'REC-%' AND status = 'paid'";
        assert_eq!(booked(&format!("tenants_payment_order WHERE {renewals}")), captures, "{tenant}: paid orders");
        let invoices = format!(
            "tenants_invoice WHERE payment_order_id IN (SELECT id FROM tenants_payment_order WHERE {renewals})"
        );
        assert_eq!(booked(&invoices), captures, "{tenant}: invoices");
        let events = "tenants_subscription_event WHERE event_type = 'payment_success'";
        assert_eq!(booked(events), captures, "{tenant}: events");

        let expected = self.dates.borrow()[tenant] + MONTH * i32::try_from(captures).unwrap();
        for column in ["expires_at", "next_billing_date"] {
            assert_eq!(self.date(tenant, column), expected, "{tenant}: {column}");
        }
    }

    /// No subscription was charged twice for one period, and nothing was charged that is not in our books.
    pub(crate) fn assert_captured_once(&self) {
        let rows = self.world.public_texts(
            "SELECT order_id || ' ' || CAST(subscription_id AS text) || ' ' || CAST(period AS text) AS value \
             FROM echodesk_charge_attempt",
        );
        let periods: BTreeMap<&str, &str> = rows.iter().map(|row| row.split_once(' ').unwrap()).collect();
        let mut charged: BTreeMap<&str, String> = BTreeMap::new();
        for capture in self.bank.captures() {
            let order = capture.external_id.clone().unwrap_or_default();
            let period = periods.get(order.as_str());
            let period = period.unwrap_or_else(|| panic!("{order} was charged and never written down: {rows:#?}"));
            if let Some(other) = charged.insert(period, order.clone()) {
                panic!("{period} was charged twice: {other} and {order}");
            }
        }
    }

    /// No attempt is open, claimed or in trouble.
    pub(crate) fn assert_nothing_left(&self) {
        let left = self.world.public_texts(
            "SELECT order_id || ' ' || state || ' ' || coalesce(trouble, '') AS value FROM echodesk_charge_attempt \
             WHERE closed_at IS NULL OR claimed_by IS NOT NULL OR trouble IS NOT NULL",
        );
        assert!(left.is_empty(), "{left:#?}");
    }

    /// Our orders of a tenant, oldest first.
    pub(crate) fn orders_of(&self, tenant: &str) -> Vec<String> {
        self.world.public_texts(&format!(
            "SELECT order_id AS value FROM echodesk_charge_attempt WHERE schema_name = '{tenant}' ORDER BY id"
        ))
    }

    /// States of a tenant's attempts, oldest first, with who settled them.
    pub(crate) fn states_of(&self, tenant: &str) -> Vec<String> {
        self.world.public_texts(&format!(
            "SELECT state || coalesce(' by ' || settled_by, '') AS value FROM echodesk_charge_attempt \
             WHERE schema_name = '{tenant}' ORDER BY id"
        ))
    }

    /// A date of a tenant's subscription.
    pub(crate) fn date(&self, tenant: &str, column: &str) -> Timestamp {
        let rows = self.world.public_texts(&format!(
            "SELECT CAST({column} AS text) AS value FROM tenants_tenant_subscription \
             WHERE tenant_id = (SELECT id FROM tenants_tenant WHERE schema_name = '{tenant}')"
        ));
        rows[0].parse().unwrap()
    }
}
