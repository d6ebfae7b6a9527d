//! Which run works on which attempts.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use echodesk_billing::model::Attempt;
use echodesk_billing::ports::{Claim, Claims};
use echodesk_core::{AttemptId, RunId, TenantId};

use super::ledger::{Row, rows};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp, UuidValue};
use crate::tables::attempts;

/// Values in one IN list: far below SQLite's 32,766 parameters.
const CHUNK: usize = 500;

/// Said in the words of the partial index, which is what finds these among millions that are closed.
pub(crate) const LEFT: &str = "(state IN ('prepared', 'unknown', 'accepted') OR trouble IS NOT NULL)";

/// Which attempts a page is of.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) after: Option<AttemptId>,
    pub(crate) limit: usize,
}

/// Claims attempts, or renews the claims on them, and returns them.
pub(crate) fn claim(connection: &mut Connection, claim: &Claim, which: Claims, page: Page) -> Outcome<Vec<Attempt>> {
    let ids = match which {
        Claims::Left => left(connection, claim, page)?,
        Claims::Mine => mine(connection, claim, page)?,
    };
    let run = UuidValue(claim.run.0);
    let until = attempts::claimed_until.eq(Some(Stamp::from(claim.until)));
    let mut claimed: Vec<Attempt> = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let chosen = attempts::table.filter(attempts::id.eq_any(chunk));
        let rows: Vec<Row> = match which {
            // Whoever wrote it down can no longer be sure that nobody else asks the bank.
            Claims::Left => on!(&mut *connection, |c| diesel::update(chosen)
                .set((until, attempts::claimed_by.eq(Some(run)), attempts::sender.eq(None::<UuidValue>)))
                .returning(Row::as_returning())
                .load(c))?,
            Claims::Mine => on!(&mut *connection, |c| diesel::update(chosen.filter(attempts::claimed_by.eq(run)))
                .set(until)
                .returning(Row::as_returning())
                .load(c))?,
        };
        for row in rows {
            claimed.push(row.into_attempt()?);
        }
    }
    // RETURNING promises no order.
    claimed.sort_by_key(|attempt| attempt.id);
    Ok(claimed)
}

/// What nobody works on. On PostgreSQL it is locked, which waits for whoever claims or settles at the
/// same time and looks again at what that has left.
fn left(connection: &mut Connection, claim: &Claim, page: Page) -> Outcome<Vec<i64>> {
    let free = attempts::table
        .filter(sql::<Bool>(LEFT))
        .filter(attempts::claimed_until.is_null().or(attempts::claimed_until.le(Stamp::from(claim.now))))
        .filter(attempts::tenant_id.eq(RowId(page.tenant_or_any())).or(page.tenant.is_none().into_sql::<Bool>()))
        .filter(attempts::id.gt(page.start()))
        .order(attempts::id)
        .limit(rows(page.limit))
        .select(attempts::id);
    Ok(match connection {
        Connection::Postgres(c) => free.for_update().load(c)?,
        Connection::Sqlite(c) => free.load(&mut **c)?,
    })
}

fn mine(connection: &mut Connection, claim: &Claim, page: Page) -> Outcome<Vec<i64>> {
    let held = attempts::table
        .filter(attempts::claimed_by.eq(UuidValue(claim.run.0)))
        .filter(attempts::tenant_id.eq(RowId(page.tenant_or_any())).or(page.tenant.is_none().into_sql::<Bool>()))
        .filter(attempts::id.gt(page.start()))
        .order(attempts::id)
        .limit(rows(page.limit))
        .select(attempts::id);
    Ok(on!(connection, |c| held.load(c))?)
}

impl Page {
    fn start(self) -> i64 {
        self.after.map_or(0, |after| after.0)
    }

    /// A tenant's id; that of none if all are meant, which is then said beside it.
    fn tenant_or_any(self) -> i64 {
        self.tenant.map_or(0, |tenant| tenant.0)
    }
}

/// Gives a run's claims back: those named, or all.
pub(crate) fn release(connection: &mut Connection, run: RunId, which: Option<&[AttemptId]>) -> Outcome<()> {
    let free = (attempts::claimed_by.eq(None::<UuidValue>), attempts::claimed_until.eq(None::<Stamp>));
    let held = attempts::table.filter(attempts::claimed_by.eq(UuidValue(run.0)));
    let Some(which) = which else {
        on!(connection, |c| diesel::update(held).set(free).execute(c))?;
        return Ok(());
    };
    for chunk in which.chunks(CHUNK) {
        let chunk: Vec<i64> = chunk.iter().map(|attempt| attempt.0).collect();
        on!(&mut *connection, |c| diesel::update(held.filter(attempts::id.eq_any(&chunk))).set(free).execute(c))?;
    }
    Ok(())
}
