//! The ledger of notices as a person sees it: listing, and trying again.

use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use echodesk_core::{NoticeId, StoreError, TenantId};
use jiff::Timestamp;

use super::CHUNK;
use crate::Store;
use crate::connection::{Connection, Place, on};
use crate::error::Outcome;
use crate::sql_types::{JsonText, RowId, Stamp};
use crate::tables::{notices, tenants};

/// Where a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeState {
    /// It waits to be sent.
    Queued,
    /// The mail server has taken it.
    Sent,
    /// It will not be sent until a person says so.
    Parked,
    /// It did not hold any more and was not sent.
    Withdrawn,
}

impl NoticeState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sent, Self::Parked, Self::Withdrawn];

    /// The name under which the table keeps it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Parked => "parked",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn read(code: &str) -> Self {
        // The table's own check allows no other.
        Self::ALL.into_iter().find(|state| state.code() == code).unwrap_or(Self::Parked)
    }

    /// The condition in the words of the partial indexes, which find the few that are open among millions
    /// that were sent.
    pub(super) fn condition(self) -> SqlLiteral<Bool> {
        diesel::dsl::sql(match self {
            Self::Queued => "state = 'queued'",
            Self::Sent => "state = 'sent'",
            Self::Parked => "state = 'parked'",
            Self::Withdrawn => "state = 'withdrawn'",
        })
    }
}

/// Which notices are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoticeFilter<'a> {
    /// In which states; none named means all.
    pub states: &'a [NoticeState],
    /// One tenant's; all otherwise.
    pub tenant: Option<TenantId>,
    /// Only those with a greater id.
    pub after: Option<NoticeId>,
    /// At most so many.
    pub limit: usize,
}

/// A notice, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeEntry {
    /// Its row.
    pub id: NoticeId,
    /// `schema_name` of the tenant, as it stands in the table; none if there is no such tenant any more.
    pub schema: Option<String>,
    /// Its kind, as [`NoticeKind::code`](echodesk_core::notice::NoticeKind::code) names it.
    pub kind: String,
    /// What it is about, for example `subscription:7`.
    pub subject_key: String,
    /// Which occurrence.
    pub period: String,
    /// Where it stands.
    pub state: NoticeState,
    /// How often sending it was tried.
    pub attempts: u32,
    /// From when on it is tried again.
    pub not_before: Option<Timestamp>,
    /// The address that it was sent to.
    pub sent_to: Option<String>,
    /// Why it was not sent the last time, or why it was parked or withdrawn.
    pub why: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When it was sent, parked or withdrawn.
    pub closed_at: Option<Timestamp>,
    /// Until when a run has claimed it; that may be over.
    pub claimed_until: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = notices)]
struct Row {
    id: i64,
    kind: String,
    subject_key: String,
    period: String,
    state: String,
    attempts: i32,
    not_before: Option<Stamp>,
    sent_to: Option<String>,
    why: Option<String>,
    created_at: Stamp,
    closed_at: Option<Stamp>,
    claimed_until: Option<Stamp>,
}

impl Row {
    fn read(self, schema: Option<String>) -> NoticeEntry {
        NoticeEntry {
            id: NoticeId(self.id),
            schema,
            kind: self.kind,
            subject_key: self.subject_key,
            period: self.period,
            state: NoticeState::read(&self.state),
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            not_before: self.not_before.map(Into::into),
            sent_to: self.sent_to,
            why: self.why,
            decided_at: self.created_at.into(),
            closed_at: self.closed_at.map(Into::into),
            claimed_until: self.claimed_until.map(Into::into),
        }
    }
}

impl Store {
    /// Notices, ascending by id. Claims nothing.
    ///
    /// # Errors
    /// The database is away.
    pub fn notices(&self, filter: &NoticeFilter<'_>) -> Result<Vec<NoticeEntry>, StoreError> {
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.read(Place::Public, "reading the notices", |c| {
            let rows: Vec<(Row, Option<String>)> = on!(c, |c| {
                let mut query = notices::table
                    .left_join(tenants::table.on(tenants::id.eq(notices::tenant_id)))
                    .order(notices::id)
                    .limit(limit)
                    .select((Row::as_select(), tenants::schema_name.nullable()))
                    .into_boxed();
                if let [state] = filter.states {
                    query = query.filter(state.condition());
                } else if !filter.states.is_empty() {
                    query = query.filter(notices::state.eq_any(filter.states.iter().map(|state| state.code())));
                }
                if let Some(tenant) = filter.tenant {
                    query = query.filter(notices::tenant_id.eq(RowId(tenant.0)));
                }
                if let Some(after) = filter.after {
                    query = query.filter(notices::id.gt(after.0));
                }
                query.load(c)
            })?;
            Ok(rows.into_iter().map(|(row, schema)| row.read(schema)).collect())
        })
    }

    /// Has notices tried again by the next delivery: parked ones are queued anew, as if they had never been
    /// tried, and queued ones that were to wait wait no longer. Of those named, or all; of all tenants or of
    /// one. Returns those that it changed, ascending.
    ///
    /// # Errors
    /// The database is away; then nothing was changed.
    pub fn retry_notices(
        &self,
        ids: Option<&[NoticeId]>,
        tenant: Option<TenantId>,
        now: Timestamp,
    ) -> Result<Vec<NoticeId>, StoreError> {
        self.write(Place::Public, "queueing notices again", |c| {
            let mut changed = Vec::new();
            match ids {
                None => changed.extend(retry(c, None, tenant, now)?),
                Some(ids) => {
                    for chunk in ids.chunks(CHUNK) {
                        changed.extend(retry(c, Some(chunk), tenant, now)?);
                    }
                }
            }
            changed.sort_unstable();
            Ok(changed.into_iter().map(NoticeId).collect())
        })
    }
}

/// Notices to a tenant with their payloads (JSON), newest first, at most `limit`.
pub(crate) fn newest_of(
    connection: &mut Connection,
    tenant: TenantId,
    limit: usize,
) -> Outcome<Vec<(NoticeEntry, String)>> {
    let rows: Vec<(Row, JsonText, Option<String>)> = on!(connection, |c| notices::table
        .left_join(tenants::table.on(tenants::id.eq(notices::tenant_id)))
        .filter(notices::tenant_id.eq(RowId(tenant.0)))
        .order(notices::id.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((Row::as_select(), notices::payload, tenants::schema_name.nullable()))
        .load(c))?;
    Ok(rows.into_iter().map(|(row, payload, schema)| (row.read(schema), payload.0)).collect())
}

fn retry(
    connection: &mut Connection,
    ids: Option<&[NoticeId]>,
    tenant: Option<TenantId>,
    now: Timestamp,
) -> Outcome<Vec<i64>> {
    let (waiting, parked) = (
        select(connection, NoticeState::Queued, ids, tenant, Some(now))?,
        select(connection, NoticeState::Parked, ids, tenant, None)?,
    );
    let mut changed = Vec::new();
    for chunk in waiting.chunks(CHUNK) {
        let due = notices::not_before.eq(None::<Stamp>);
        changed.extend(on!(&mut *connection, |c| diesel::update(notices::table)
            .filter(notices::id.eq_any(chunk))
            .filter(NoticeState::Queued.condition())
            .set(due)
            .returning(notices::id)
            .get_results::<i64>(c))?);
    }
    for chunk in parked.chunks(CHUNK) {
        let anew = (
            notices::state.eq(NoticeState::Queued.code()),
            notices::attempts.eq(0),
            notices::not_before.eq(None::<Stamp>),
            notices::closed_at.eq(None::<Stamp>),
        );
        changed.extend(on!(&mut *connection, |c| diesel::update(notices::table)
            .filter(notices::id.eq_any(chunk))
            .filter(NoticeState::Parked.condition())
            .set(anew)
            .returning(notices::id)
            .get_results::<i64>(c))?);
    }
    Ok(changed)
}

/// The ids of notices in a state; with a time, of those that are to wait beyond it.
fn select(
    connection: &mut Connection,
    state: NoticeState,
    ids: Option<&[NoticeId]>,
    tenant: Option<TenantId>,
    waiting_at: Option<Timestamp>,
) -> Outcome<Vec<i64>> {
    Ok(on!(connection, |c| {
        let mut query = notices::table.filter(state.condition()).order(notices::id).select(notices::id).into_boxed();
        if let Some(ids) = ids {
            query = query.filter(notices::id.eq_any(ids.iter().map(|id| id.0)));
        }
        if let Some(tenant) = tenant {
            query = query.filter(notices::tenant_id.eq(RowId(tenant.0)));
        }
        if let Some(now) = waiting_at {
            query = query.filter(notices::not_before.gt(Stamp::from(now)));
        }
        query.load(c)
    })?)
}
