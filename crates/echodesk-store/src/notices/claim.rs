//! Claiming a page of notices, with what their delivery depends on.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use echodesk_core::notice::NoticeKind;
use echodesk_core::{NoticeId, RunId, SchemaName, TenantId};
use echodesk_notify::ports::{Claim, Page, Queued, Situation, SubscriptionSituation};
use jiff::Timestamp;

use super::refusals::{Refusals, refusals};
use super::subscriptions::{is_about_one, situations};
use super::{CHUNK, NoticeState};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Id, Json, JsonText, Moment, RowId, Stamp, Uuid, UuidValue};
use crate::tables::{notices, tenants};
use crate::tenants::Row as TenantRow;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Id)]
    tenant_id: RowId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    subject_key: String,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = Json)]
    payload: JsonText,
    #[diesel(sql_type = Moment)]
    created_at: Stamp,
    #[diesel(sql_type = Integer)]
    attempts: i32,
}

/// Whom notices are for.
struct Recipient {
    tenant: TenantRow,
    schema: SchemaName,
    sign_in_url: Option<String>,
}

/// A page of claimed notices, ascending by id. Those that can go to nobody are closed on the way and the
/// page filled up with those that follow: they must not stand in anybody's way.
pub(super) fn page(
    connection: &mut Connection,
    claim: &Claim,
    tenant: Option<TenantId>,
    limit: usize,
) -> Outcome<Page> {
    let mut page = Page::default();
    while page.notices.len() < limit {
        let wanted = (limit - page.notices.len()).min(CHUNK);
        let rows = take(connection, claim, tenant, wanted)?;
        let is_last = rows.len() < wanted;
        with_recipients(connection, rows, claim.now, &mut page)?;
        if is_last {
            break;
        }
    }
    Ok(page)
}

/// In one statement: on PostgreSQL whoever claims at the same time goes on to the rows behind.
fn take(connection: &mut Connection, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Outcome<Vec<Row>> {
    // Numbers in the order of their first use: that is how SQLite counts them. The state is said in the words
    // of the partial index. What a run holds it does not claim again, should its clock jump ahead.
    let due = "SELECT id FROM public.echodesk_notice WHERE state = 'queued' \
         AND (claimed_until IS NULL OR (claimed_until <= $1 AND claimed_by <> $2)) \
         AND (not_before IS NULL OR not_before <= $1) AND ($3 OR tenant_id = $4) ORDER BY id LIMIT $5";
    let columns = "n.id, n.tenant_id, n.kind, n.subject_key, n.period, n.payload, n.created_at, n.attempts";
    let query = if connection.is_postgres() {
        // Evaluated once whatever the plan is, so that no more are claimed than are asked for.
        format!(
            "WITH due AS MATERIALIZED ({due} FOR UPDATE SKIP LOCKED) \
             UPDATE public.echodesk_notice n SET claimed_by = $2, claimed_until = $6 FROM due WHERE n.id = due.id \
             RETURNING {columns}"
        )
    } else {
        format!(
            "WITH due AS MATERIALIZED ({due}) \
             UPDATE public.echodesk_notice SET claimed_by = $2, claimed_until = $6 WHERE id IN (SELECT id FROM due) \
             RETURNING {}",
            columns.replace("n.", "")
        )
    };
    let mut rows: Vec<Row> = on!(connection, |c| diesel::sql_query(&query)
        .bind::<Moment, _>(Stamp::from(claim.now))
        .bind::<Uuid, _>(UuidValue(claim.run.0))
        .bind::<Bool, _>(tenant.is_none())
        .bind::<Id, _>(RowId(tenant.map_or(0, |tenant| tenant.0)))
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind::<Moment, _>(Stamp::from(claim.until))
        .load(c))?;
    // RETURNING promises no order.
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

/// A notice that a run holds, as things stand now. Reads only.
pub(super) fn one(
    connection: &mut Connection,
    run: RunId,
    notice: NoticeId,
    now: Timestamp,
) -> Outcome<Option<Queued>> {
    let query = "SELECT id, tenant_id, kind, subject_key, period, payload, created_at, attempts \
         FROM public.echodesk_notice \
         WHERE id = $1 AND state = 'queued' AND claimed_by = $2 AND claimed_until > $3";
    let row: Option<Row> = on!(&mut *connection, |c| diesel::sql_query(query)
        .bind::<BigInt, _>(notice.0)
        .bind::<Uuid, _>(UuidValue(run.0))
        .bind::<Moment, _>(Stamp::from(now))
        .get_result(c)
        .optional())?;
    let Some(row) = row else { return Ok(None) };
    let recipients = recipients(connection, std::slice::from_ref(&row))?;
    // Whoever is gone by now is seen to by the next claim.
    let Some(Ok(recipient)) = recipients.get(&row.tenant_id) else { return Ok(None) };
    let about = is_about_one(&row.subject_key);
    let situations = situations(connection, about.then_some(row.tenant_id).into_iter().collect())?;
    let refusals = refusals(connection, [(row.tenant_id, row.kind.as_str())])?;
    let subscription = row.subscription(&situations, &refusals);
    Ok(Some(row.queued(recipient, Situation { subscription, mailbox_active: None })))
}

fn with_recipients(connection: &mut Connection, rows: Vec<Row>, now: Timestamp, page: &mut Page) -> Outcome<()> {
    let recipients = recipients(connection, &rows)?;
    let subjects = rows.iter().filter(|row| is_about_one(&row.subject_key)).map(|row| row.tenant_id);
    let situations = situations(connection, subjects.collect())?;
    let refusals = refusals(connection, rows.iter().map(|row| (row.tenant_id, row.kind.as_str())))?;
    let mut nobody = Vec::new();
    for row in rows {
        match recipients.get(&row.tenant_id) {
            None => nobody.push(row.id),
            Some(Err(why)) => {
                close(connection, &[row.id], NoticeState::Parked, why, now)?;
                page.parked += 1;
            }
            Some(Ok(recipient)) => {
                let subscription = row.subscription(&situations, &refusals);
                page.notices.push(row.queued(recipient, Situation { subscription, mailbox_active: None }));
            }
        }
    }
    close(connection, &nobody, NoticeState::Withdrawn, "there is no such tenant any more", now)?;
    page.withdrawn += u64::try_from(nobody.len()).unwrap_or(u64::MAX);
    Ok(())
}

/// By tenant; why there is none if the tenant cannot be worked for.
fn recipients(connection: &mut Connection, rows: &[Row]) -> Outcome<HashMap<RowId, Result<Recipient, String>>> {
    let mut ids: Vec<RowId> = rows.iter().map(|row| row.tenant_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let found: Vec<(TenantRow, Option<String>)> = on!(connection, |c| tenants::table
        .filter(tenants::id.eq_any(&ids))
        .select((TenantRow::as_select(), tenants::frontend_url))
        .load(c))?;
    let recipient = |(tenant, url): (TenantRow, Option<String>)| {
        let sign_in_url = url.filter(|url| !url.trim().is_empty());
        let id = tenant.id();
        let recipient = match tenant.schema_name().parse() {
            Ok(schema) => Ok(Recipient { tenant, schema, sign_in_url }),
            Err(error) => Err(format!("the tenant's schema name cannot be used: {error}")),
        };
        (id, recipient)
    };
    Ok(found.into_iter().map(recipient).collect())
}

fn close(connection: &mut Connection, ids: &[i64], state: NoticeState, why: &str, now: Timestamp) -> Outcome<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let closed = (
        notices::state.eq(state.code()),
        notices::why.eq(Some(why)),
        notices::closed_at.eq(Some(Stamp::from(now))),
        notices::claimed_by.eq(None::<UuidValue>),
        notices::claimed_until.eq(None::<Stamp>),
    );
    on!(connection, |c| diesel::update(notices::table.filter(notices::id.eq_any(ids))).set(closed).execute(c))?;
    Ok(())
}

impl Row {
    /// None if it is about no subscription, or there is none.
    fn subscription(
        &self,
        situations: &HashMap<RowId, SubscriptionSituation>,
        refusals: &Refusals,
    ) -> Option<SubscriptionSituation> {
        let situation = situations.get(&self.tenant_id).filter(|_| is_about_one(&self.subject_key))?;
        let refused_since = refusals.get(&self.tenant_id).is_some_and(|last| *last > self.id);
        Some(SubscriptionSituation { refused_since, ..situation.clone() })
    }

    fn queued(self, recipient: &Recipient, situation: Situation) -> Queued {
        Queued {
            id: NoticeId(self.id),
            tenant: recipient.tenant.clone().into_tenant(recipient.schema.clone()),
            sign_in_url: recipient.sign_in_url.clone(),
            kind: read(&self.payload, &self.kind),
            code: self.kind,
            subject_key: self.subject_key,
            period: self.period,
            decided_at: self.created_at.into(),
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            situation,
        }
    }
}

fn read(payload: &JsonText, code: &str) -> Result<NoticeKind, String> {
    let kind: NoticeKind =
        serde_json::from_str(&payload.0).map_err(|error| format!("its payload cannot be read: {error}"))?;
    if kind.code() == code { Ok(kind) } else { Err(format!("its payload is of another kind, {}", kind.code())) }
}
