//! `tenants_payment_retry_schedule`: charges that EchoDesk itself has planned. The table is EchoDesk's
//! alone, and is there or not.

use diesel::prelude::*;
use diesel::sql_types::Bool;
use echodesk_core::SubscriptionId;
use jiff::Timestamp;

use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Moment, RowId, Stamp};
use crate::tables::echodesk_retries;

/// What EchoDesk's own command will do, or is doing.
pub(crate) const PLANNED: [&str; 2] = ["pending", "executing"];

/// Whether the table is there.
pub(crate) fn exist(connection: &mut Connection) -> Outcome<bool> {
    #[derive(QueryableByName)]
    struct There {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let question = if connection.is_postgres() {
        "SELECT to_regclass('public.tenants_payment_retry_schedule') IS NOT NULL AS there"
    } else {
        "SELECT EXISTS (SELECT 1 FROM public.sqlite_master \
         WHERE type = 'table' AND name = 'tenants_payment_retry_schedule') AS there"
    };
    let found: There = on!(connection, |c| diesel::sql_query(question).get_result(c))?;
    Ok(found.there)
}

/// When EchoDesk will charge each of some subscriptions, if it will: the earliest of its plans.
pub(crate) fn planned(
    connection: &mut Connection,
    subscriptions: &[RowId],
) -> Outcome<Vec<(SubscriptionId, Timestamp)>> {
    let rows: Vec<(RowId, Stamp)> = on!(connection, |c| echodesk_retries::table
        .filter(echodesk_retries::subscription_id.eq_any(subscriptions))
        .filter(echodesk_retries::status.eq_any(PLANNED))
        .select((echodesk_retries::subscription_id, echodesk_retries::scheduled_for))
        .order(echodesk_retries::scheduled_for)
        .load(c))?;
    Ok(rows.into_iter().map(|(subscription, at)| (SubscriptionId(subscription.0), at.into())).collect())
}

/// Cancels what EchoDesk has planned for a subscription that is paid now. One that is being executed
/// cannot be stopped any more.
pub(crate) fn cancel(
    connection: &mut Connection,
    subscription: SubscriptionId,
    why: &str,
    now: Timestamp,
) -> Outcome<()> {
    let pending = echodesk_retries::table
        .filter(echodesk_retries::subscription_id.eq(RowId(subscription.0)))
        .filter(echodesk_retries::status.eq("pending"));
    let cancelled = (
        echodesk_retries::status.eq("cancelled"),
        echodesk_retries::skip_reason.eq(why),
        echodesk_retries::executed_at.eq(Some(Stamp::from(now))),
    );
    on!(connection, |c| diesel::update(pending).set(cancelled).execute(c))?;
    Ok(())
}

/// Cancels what EchoDesk has planned for orders of ours whose period another order of ours has paid. Its
/// web hook plans a retry whenever it is told of a rejection, however late.
pub(crate) fn cancel_overtaken(connection: &mut Connection, now: Timestamp) -> Outcome<usize> {
    let query = "UPDATE public.tenants_payment_retry_schedule \
         SET status = 'cancelled', skip_reason = 'the period is paid by another order', executed_at = $1 \
         WHERE status = 'pending' AND payment_order_id IN (\
           SELECT o.id FROM public.tenants_payment_order o \
           JOIN public.echodesk_charge_attempt a ON a.order_id = o.order_id \
           JOIN public.echodesk_charge_attempt p ON p.subscription_id = a.subscription_id \
             AND p.period = a.period AND p.state = 'paid')";
    Ok(on!(connection, |c| diesel::sql_query(query).bind::<Moment, _>(Stamp::from(now)).execute(c))?)
}
