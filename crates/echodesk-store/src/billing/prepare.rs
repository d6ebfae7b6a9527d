//! Writing a charge down before the bank is called.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use echodesk_billing::ports::{NewAttempt, Prepared};
use echodesk_billing::rules::due::FOREIGN_ORDER_HOLDS_FOR;
use echodesk_core::AttemptId;
use jiff::Timestamp;
use serde_json::json;

use super::seen::SubscriptionRow;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Amount, Exact, Id, JsonText, Moment, RowId, Stamp, Uuid, UuidValue};
use crate::tables::payment_orders;

/// A subscription, locked, with what its tenant decides.
#[derive(QueryableByName)]
struct Locked {
    #[diesel(embed)]
    subscription: SubscriptionRow,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    tenant_active: bool,
    #[diesel(sql_type = Text)]
    provider: String,
}

/// An attempt and its order, unless anything is not as it was when the charge was decided.
pub(crate) fn prepare(connection: &mut Connection, new: &NewAttempt<'_>, with_retries: bool) -> Outcome<Prepared> {
    let charge = new.charge;
    let unchanged = lock(connection, charge.subscription.0)?.is_some_and(|locked| {
        // Attempts are looked at below, by a statement that begins once the lock is ours.
        locked.subscription.seen((locked.tenant_active, locked.provider), charge.seen.last_attempt) == charge.seen
    });
    if !unchanged {
        return Ok(Prepared::Changed);
    }
    let Some(id) = insert_attempt(connection, new, with_retries)? else { return Ok(Prepared::Changed) };
    insert_order(connection, new)?;
    Ok(Prepared::Written(Box::new(new.written(id))))
}

fn lock(connection: &mut Connection, subscription: i64) -> Outcome<Option<Locked>> {
    // Not FOR UPDATE: others may go on referring to the row.
    let lock = if connection.is_postgres() { " FOR NO KEY UPDATE OF s" } else { "" };
    let query = format!(
        "SELECT s.id, s.is_active, s.expires_at, s.next_billing_date, s.agent_count, s.parent_order_id, \
           t.is_active AS tenant_active, t.payment_provider AS provider \
         FROM public.tenants_tenant_subscription s JOIN public.tenants_tenant t ON t.id = s.tenant_id \
         WHERE s.id = $1{lock}"
    );
    Ok(on!(connection, |c| diesel::sql_query(&query).bind::<Id, _>(RowId(subscription)).get_result(c).optional())?)
}

/// None if there is an open attempt, a newer one than was seen, or somebody else charges the card.
fn insert_attempt(connection: &mut Connection, new: &NewAttempt<'_>, with_retries: bool) -> Outcome<Option<AttemptId>> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }

    let charge = new.charge;
    let no_retry = if with_retries {
        " AND NOT EXISTS (SELECT 1 FROM public.tenants_payment_retry_schedule r \
            WHERE r.subscription_id = $1 AND r.status IN ('pending', 'executing'))"
    } else {
        ""
    };
    // Numbers in the order of their first use: that is how SQLite counts them.
    let query = format!(
        "INSERT INTO public.echodesk_charge_attempt (subscription_id, tenant_id, schema_name, period, number, order_id, \
           idempotency_key, parent_order_id, amount, currency, state, prepared_at, claimed_by, claimed_until, sender, \
           updated_at) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'prepared', $11, $12, $13, $12, $11 \
         WHERE coalesce((SELECT max(a.id) FROM public.echodesk_charge_attempt a WHERE a.subscription_id = $1), 0) = $14 \
           AND NOT EXISTS (SELECT 1 FROM public.tenants_payment_order o \
             WHERE o.tenant_id = $2 AND o.status = 'pending' AND o.created_at > $15 \
               AND (o.order_id LIKE 'REC-%' OR o.order_id LIKE 'RETRY-%') \
               AND NOT EXISTS (SELECT 1 FROM public.echodesk_charge_attempt b WHERE b.order_id = o.order_id)){no_retry} \
         ON CONFLICT DO NOTHING RETURNING id"
    );
    let run = UuidValue(new.claim.run.0);
    let inserted: Option<Inserted> = on!(connection, |c| diesel::sql_query(&query)
        .bind::<Id, _>(RowId(charge.subscription.0))
        .bind::<Id, _>(RowId(charge.tenant.id.0))
        .bind::<Text, _>(charge.tenant.schema.as_str())
        .bind::<Moment, _>(Stamp::from(charge.period))
        .bind::<Integer, _>(i32::try_from(charge.number).unwrap_or(i32::MAX))
        .bind::<Text, _>(new.order.as_str())
        .bind::<Uuid, _>(UuidValue(new.key))
        .bind::<Text, _>(charge.parent.as_str())
        .bind::<Amount, _>(Exact(charge.amount.amount()))
        .bind::<Text, _>(charge.amount.currency().to_string())
        .bind::<Moment, _>(Stamp::from(new.claim.now))
        .bind::<Uuid, _>(run)
        .bind::<Moment, _>(Stamp::from(new.claim.until))
        .bind::<BigInt, _>(charge.seen.last_attempt.map_or(0, |last| last.0))
        .bind::<Moment, _>(Stamp::from(new.claim.now.checked_sub(FOREIGN_ORDER_HOLDS_FOR).unwrap_or(Timestamp::MIN)))
        .get_result(c)
        .optional())?;
    Ok(inserted.map(|inserted| AttemptId(inserted.id)))
}

/// Every column that EchoDesk fills, as it fills them: its web hook must know what to do with it.
fn insert_order(connection: &mut Connection, new: &NewAttempt<'_>) -> Outcome<()> {
    let charge = new.charge;
    let now = Stamp::from(new.claim.now);
    let metadata = json!({
        "type": "recurring",
        "parent_order_id": charge.parent,
        "subscription_id": charge.subscription,
    });
    let row = (
        payment_orders::order_id.eq(new.order.as_str()),
        payment_orders::amount.eq(Exact(charge.amount.amount())),
        payment_orders::currency.eq(charge.amount.currency().to_string()),
        payment_orders::agent_count.eq(charge.agent_count),
        payment_orders::status.eq("pending"),
        payment_orders::payment_url.eq(""),
        payment_orders::metadata.eq(JsonText(metadata.to_string())),
        payment_orders::created_at.eq(now),
        payment_orders::updated_at.eq(now),
        payment_orders::tenant_id.eq(Some(RowId(charge.tenant.id.0))),
        payment_orders::card_saved.eq(false),
        payment_orders::is_trial_payment.eq(false),
        payment_orders::payment_provider.eq("bog"),
    );
    on!(connection, |c| diesel::insert_into(payment_orders::table).values(row).execute(c))?;
    Ok(())
}
