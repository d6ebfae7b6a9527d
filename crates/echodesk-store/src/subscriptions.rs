//! Adding a subscription, as EchoDesk would.

use diesel::prelude::*;
use echodesk_billing::Money;
use echodesk_billing::model::BankOrderId;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::json;

use crate::Store;
use crate::catalog;
use crate::connection::{Connection, Place, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Exact, JsonText, RowId, Stamp};
use crate::tables::{features, payment_orders, selected_features, subscriptions};
use crate::tenants::refuse_unknown_columns;

/// A subscription to be added.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Whose it is; nobody has two.
    pub tenant: TenantId,
    /// `expires_at` and `next_billing_date`.
    pub expires_at: Timestamp,
    /// `agent_count`.
    pub agents: u32,
    /// What an agent costs a month: the price of its only feature.
    pub price_per_agent: Money,
    /// What a month costs, and so what the card's order cost.
    pub month: Money,
    /// The bank's name of the order on which a card was saved, if one was; at most 95 characters.
    pub card: Option<BankOrderId>,
}

impl Store {
    /// Adds a subscription with a feature of its price and, if there is a card, the paid order on which
    /// that was saved. What EchoDesk fills by itself is filled with EchoDesk's own defaults.
    ///
    /// # Errors
    /// [`Conflict`](echodesk_core::StoreErrorKind::Conflict) if the tenant has a subscription already, or
    /// the card's order is another tenant's or cost something else; a column must be filled that this
    /// version does not know; the database is away.
    pub fn add_subscription(
        &self,
        subscription: &NewSubscription,
        now: Timestamp,
    ) -> Result<SubscriptionId, StoreError> {
        let what = format!("adding a subscription to tenant {}", subscription.tenant);
        self.write(Place::Public, &what, |c| add(c, subscription, now))
    }
}

fn add(connection: &mut Connection, new: &NewSubscription, now: Timestamp) -> Outcome<SubscriptionId> {
    for table in [catalog::SUBSCRIPTIONS, catalog::FEATURES, catalog::SELECTED_FEATURES, catalog::ORDERS] {
        refuse_unknown_columns(connection, "public", table)?;
    }
    let agents = i32::try_from(new.agents).map_err(|_| Failure::Refused("so many agents do not fit".to_owned()))?;
    refuse_second(connection, new.tenant)?;
    let feature = feature_of(connection, new.price_per_agent.amount(), now)?;
    let (stamp, expires_at) = (Stamp::from(now), Stamp::from(new.expires_at));
    let zero = Exact(Decimal::ZERO);
    let row = (
        subscriptions::is_active.eq(true),
        subscriptions::starts_at.eq(stamp),
        subscriptions::expires_at.eq(expires_at),
        subscriptions::agent_count.eq(agents),
        subscriptions::current_users.eq(0),
        subscriptions::whatsapp_messages_used.eq(0),
        subscriptions::storage_used_gb.eq(zero),
        subscriptions::next_billing_date.eq(expires_at),
        // What the card's order has paid is in these dates.
        subscriptions::last_billed_at.eq(new.card.as_ref().map(|_| stamp)),
        subscriptions::created_at.eq(stamp),
        subscriptions::updated_at.eq(stamp),
        subscriptions::tenant_id.eq(RowId(new.tenant.0)),
        subscriptions::is_trial.eq(false),
        subscriptions::parent_order_id.eq(new.card.as_ref().map(BankOrderId::as_str)),
        subscriptions::trial_converted.eq(false),
        subscriptions::subscription_type.eq("paid"),
        subscriptions::failed_payment_count.eq(0),
        subscriptions::payment_status.eq(if new.card.is_some() { "current" } else { "no_card" }),
    );
    let id: RowId = on!(&mut *connection, |c| diesel::insert_into(subscriptions::table)
        .values(row)
        .returning(subscriptions::id)
        .get_result(c))?;
    let link = (selected_features::tenantsubscription_id.eq(id), selected_features::feature_id.eq(feature));
    on!(&mut *connection, |c| diesel::insert_into(selected_features::table).values(link).execute(c))?;
    if let Some(card) = &new.card {
        add_card_order(connection, new, card, agents, stamp)?;
    }
    Ok(SubscriptionId(id.0))
}

fn refuse_second(connection: &mut Connection, tenant: TenantId) -> Outcome<()> {
    let found: Option<Option<Stamp>> = on!(connection, |c| subscriptions::table
        .filter(subscriptions::tenant_id.eq(RowId(tenant.0)))
        .select(subscriptions::expires_at)
        .first(c)
        .optional())?;
    match found {
        None => Ok(()),
        Some(None) => Err(Failure::Conflict("it has one already, which never expires".to_owned())),
        Some(Some(expires_at)) => {
            let expires_at = Timestamp::from(expires_at);
            Err(Failure::Conflict(format!("it has one already, which expires at {expires_at:.0}")))
        }
    }
}

/// A feature of ours that costs as much, made if there is none. EchoDesk's own are left alone: their
/// prices are EchoDesk's to change.
fn feature_of(connection: &mut Connection, price: Decimal, now: Timestamp) -> Outcome<RowId> {
    let key = format!("echodesk-jobs-{price:.2}");
    let found: Option<(RowId, Exact)> = on!(&mut *connection, |c| features::table
        .filter(features::key.eq(&key))
        .select((features::id, features::price_per_user_gel))
        .first(c)
        .optional())?;
    match found {
        Some((id, Exact(found))) if found == price => return Ok(id),
        Some((_, Exact(found))) => {
            return Err(Failure::Conflict(format!("the price of feature {key} was changed to {found}")));
        }
        None => {}
    }
    let stamp = Stamp::from(now);
    let row = (
        features::key.eq(&key),
        features::name.eq(format!("{price:.2} GEL per agent and month")),
        features::description.eq("Made by `echodesk tenant subscribe`"),
        features::category.eq("core"),
        features::icon.eq(""),
        features::sort_order.eq(0),
        features::is_active.eq(true),
        features::created_at.eq(stamp),
        features::updated_at.eq(stamp),
        features::price_per_user_gel.eq(Exact(price)),
        features::price_unlimited_gel.eq(Exact(Decimal::ZERO)),
    );
    Ok(on!(connection, |c| diesel::insert_into(features::table).values(row).returning(features::id).get_result(c))?)
}

/// The order on which the card was saved, with what it cost: a saved card is charged no other amount.
fn add_card_order(
    connection: &mut Connection,
    new: &NewSubscription,
    card: &BankOrderId,
    agents: i32,
    now: Stamp,
) -> Outcome<()> {
    let found: Vec<(Option<RowId>, Exact, String)> = on!(&mut *connection, |c| payment_orders::table
        .filter(payment_orders::bog_order_id.eq(card.as_str()))
        .select((payment_orders::tenant_id, payment_orders::amount, payment_orders::order_id))
        .load(c))?;
    for (tenant, Exact(amount), order) in &found {
        if *tenant != Some(RowId(new.tenant.0)) {
            return Err(Failure::Conflict(format!(
                "the bank's order {card} is that of another tenant's order {order}"
            )));
        }
        if *amount != new.month.amount() {
            return Err(Failure::Conflict(format!(
                "order {order}, on which the card was saved, cost {amount:.2} and a month costs {}: the card cannot be \
                 charged that",
                new.month
            )));
        }
    }
    if !found.is_empty() {
        return Ok(());
    }
    let metadata = json!({ "type": "subscription", "made_by": "echodesk tenant subscribe" });
    let row = (
        payment_orders::order_id.eq(format!("CARD-{card}")),
        payment_orders::amount.eq(Exact(new.month.amount())),
        payment_orders::currency.eq(new.month.currency().to_string()),
        payment_orders::agent_count.eq(agents),
        payment_orders::status.eq("paid"),
        payment_orders::payment_url.eq(""),
        payment_orders::metadata.eq(JsonText(metadata.to_string())),
        payment_orders::created_at.eq(now),
        payment_orders::updated_at.eq(now),
        payment_orders::paid_at.eq(now),
        payment_orders::tenant_id.eq(RowId(new.tenant.0)),
        payment_orders::bog_order_id.eq(card.as_str()),
        payment_orders::card_saved.eq(true),
        payment_orders::is_trial_payment.eq(false),
        payment_orders::payment_provider.eq("bog"),
    );
    on!(connection, |c| diesel::insert_into(payment_orders::table).values(row).execute(c))?;
    Ok(())
}
