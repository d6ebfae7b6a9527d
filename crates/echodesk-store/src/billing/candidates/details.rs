//! What else decides about the subscriptions of a page.

use std::collections::HashMap;

use diesel::dsl::{exists, max, not};
use diesel::prelude::*;
use echodesk_billing::model::{BankOrderId, Candidate, CardOrder, PastAttempt};
use echodesk_billing::rules::due::FOREIGN_ORDER_HOLDS_FOR;
use echodesk_billing::rules::period::renewal_date;
use echodesk_core::{AttemptId, SubscriptionId};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::super::ledger::{OPEN, PastRow, money};
use super::super::retries;
use super::super::seen::bank_order;
use super::{Due, Wanted};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Readable, RowId, Stamp};
use crate::tables::{attempts, features, payment_orders, selected_features};

/// Attempts for renewal dates as near as this to the present one are told.
const NEAR: SignedDuration = SignedDuration::from_hours(60 * 24);

/// By subscription or by tenant.
#[derive(Default)]
pub(super) struct Details {
    prices: HashMap<i64, Vec<Decimal>>,
    card_orders: HashMap<i64, Vec<CardOrderRow>>,
    attempts: HashMap<i64, Vec<PastAttempt>>,
    last_attempts: HashMap<i64, AttemptId>,
    retries: HashMap<i64, Timestamp>,
    foreign: HashMap<i64, String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_orders)]
struct CardOrderRow {
    id: RowId,
    tenant_id: Option<RowId>,
    bog_order_id: Option<String>,
    status: String,
    card_saved: bool,
    paid_at: Option<Stamp>,
    amount: Readable,
    currency: String,
}

impl Details {
    pub(super) fn load(connection: &mut Connection, wanted: &Wanted<'_>, page: &[Due]) -> Outcome<Self> {
        let ids: Vec<RowId> = page.iter().map(|due| due.row.id).collect();
        let tenants: Vec<RowId> = page.iter().map(|due| due.tenant.id()).collect();
        let mut details = Self::default();
        details.load_prices(connection, &ids)?;
        details.load_card_orders(connection, page, &tenants)?;
        details.load_attempts(connection, page, &ids)?;
        details.load_foreign(connection, &tenants, wanted.now)?;
        if wanted.with_retries {
            for (subscription, at) in retries::planned(connection, &ids)? {
                details.retries.entry(subscription.0).or_insert(at);
            }
        }
        Ok(details)
    }

    pub(super) fn complete(&mut self, due: Due) -> Candidate {
        let (id, tenant) = (due.row.id.0, due.tenant.id().0);
        let active = due.tenant.is_active();
        let seen = due.row.seen((active, due.provider), self.last_attempts.get(&id).copied());
        let renewal = renewal_date(&seen);
        let near = |period: Timestamp| renewal.is_some_and(|date| period.duration_since(date).abs() <= NEAR);
        let mut past = self.attempts.remove(&id).unwrap_or_default();
        past.retain(|attempt| attempt.state.is_open() || near(attempt.period));
        let card_orders = self.card_orders.get(&tenant).map_or(&[][..], Vec::as_slice);
        Candidate {
            subscription: SubscriptionId(id),
            tenant: due.tenant.into_tenant(due.schema),
            feature_prices: self.prices.remove(&id).unwrap_or_default(),
            own_card_order: seen.parent.as_ref().and_then(|parent| own(card_orders, parent)),
            newest_card_order: newest(card_orders),
            attempts: past,
            echodesk_retry: self.retries.get(&id).copied(),
            foreign_order: self.foreign.remove(&tenant),
            seen,
        }
    }

    fn load_prices(&mut self, connection: &mut Connection, ids: &[RowId]) -> Outcome<()> {
        let rows: Vec<(RowId, Readable)> = on!(connection, |c| selected_features::table
            .inner_join(features::table)
            .filter(selected_features::tenantsubscription_id.eq_any(ids))
            .select((selected_features::tenantsubscription_id, features::price_per_user_gel))
            .load(c))?;
        for (subscription, price) in rows {
            // A price that is no number must cost those without the feature nothing: it becomes one
            // that no subscription can cost, which is reported for each that has the feature.
            self.prices.entry(subscription.0).or_default().push(price.0.unwrap_or(Decimal::MAX));
        }
        // The sum is refused by the price at which it overflows: by the one to blame.
        self.prices.values_mut().for_each(|prices| prices.sort());
        Ok(())
    }

    fn load_card_orders(&mut self, connection: &mut Connection, page: &[Due], tenants: &[RowId]) -> Outcome<()> {
        let parents: Vec<String> = page.iter().filter_map(|due| due.row.parent()).map(|parent| parent.0).collect();
        let rows: Vec<CardOrderRow> = on!(connection, |c| payment_orders::table
            .filter(payment_orders::tenant_id.eq_any(tenants))
            .filter(payment_orders::bog_order_id.is_not_null())
            .filter(
                payment_orders::card_saved
                    .eq(true)
                    .and(payment_orders::status.eq("paid"))
                    .or(payment_orders::bog_order_id.eq_any(&parents).assume_not_null()),
            )
            .select(CardOrderRow::as_select())
            .load(c))?;
        for row in rows {
            if let Some(tenant) = row.tenant_id {
                self.card_orders.entry(tenant.0).or_default().push(row);
            }
        }
        Ok(())
    }

    fn load_attempts(&mut self, connection: &mut Connection, page: &[Due], ids: &[RowId]) -> Outcome<()> {
        let earliest = page.iter().filter_map(|due| due.row.renewal_date()).min().unwrap_or(Timestamp::MAX);
        let since = earliest.checked_sub(NEAR).unwrap_or(Timestamp::MIN);
        let rows: Vec<PastRow> = on!(&mut *connection, |c| attempts::table
            .filter(attempts::subscription_id.eq_any(ids))
            .filter(attempts::period.ge(Stamp::from(since)).or(attempts::state.eq_any(OPEN)))
            .order(attempts::id)
            .select(PastRow::as_select())
            .load(c))?;
        for row in rows {
            let (subscription, past) = row.into_past()?;
            self.attempts.entry(subscription.0).or_default().push(past);
        }
        let last: Vec<(RowId, Option<i64>)> = on!(connection, |c| attempts::table
            .filter(attempts::subscription_id.eq_any(ids))
            .group_by(attempts::subscription_id)
            .select((attempts::subscription_id, max(attempts::id)))
            .load(c))?;
        self.last_attempts = last.into_iter().filter_map(|(id, last)| Some((id.0, AttemptId(last?)))).collect();
        Ok(())
    }

    fn load_foreign(&mut self, connection: &mut Connection, tenants: &[RowId], now: Timestamp) -> Outcome<()> {
        let since = now.checked_sub(FOREIGN_ORDER_HOLDS_FOR).unwrap_or(Timestamp::MIN);
        let ours = attempts::table.filter(attempts::order_id.eq(payment_orders::order_id));
        let rows: Vec<(Option<RowId>, String)> = on!(connection, |c| payment_orders::table
            .filter(payment_orders::tenant_id.eq_any(tenants))
            .filter(payment_orders::status.eq("pending"))
            .filter(payment_orders::order_id.like("REC-%").or(payment_orders::order_id.like("RETRY-%")))
            .filter(payment_orders::created_at.gt(Stamp::from(since)))
            .filter(not(exists(ours)))
            .order(payment_orders::id)
            .select((payment_orders::tenant_id, payment_orders::order_id))
            .load(c))?;
        self.foreign = rows.into_iter().filter_map(|(tenant, order)| Some((tenant?.0, order))).collect();
        Ok(())
    }
}

impl CardOrderRow {
    fn bank_order(&self) -> Option<BankOrderId> {
        self.bog_order_id.clone().and_then(bank_order)
    }

    fn card_order(&self) -> Option<CardOrder> {
        let amount = self.amount.0.clone().and_then(|amount| money(amount, &self.currency));
        Some(CardOrder { bank_order: self.bank_order()?, amount })
    }
}

/// The order on which a card was saved: should several be called the same, the newest.
fn own(orders: &[CardOrderRow], parent: &BankOrderId) -> Option<CardOrder> {
    orders.iter().filter(|order| order.bank_order().as_ref() == Some(parent)).max_by_key(|order| order.id)?.card_order()
}

fn newest(orders: &[CardOrderRow]) -> Option<CardOrder> {
    let saved = |order: &&CardOrderRow| order.card_saved && order.status == "paid" && order.bank_order().is_some();
    let when = |order: &&CardOrderRow| (order.paid_at.map(Timestamp::from), order.id);
    orders.iter().filter(saved).max_by_key(when)?.card_order()
}
