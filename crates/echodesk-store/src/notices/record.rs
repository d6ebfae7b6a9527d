//! Writing down what became of notices.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use echodesk_core::{NoticeId, RunId};
use echodesk_notify::ports::Fate;
use jiff::Timestamp;

use crate::connection::Connection;
use crate::error::Outcome;
use crate::sql_types::{Moment, Stamp, Uuid, UuidValue};
use crate::text::cut;

/// Servers may say a lot.
const TEXT_CHARS: usize = 1000;

/// A fate as columns.
struct Columns {
    id: i64,
    fate: &'static str,
    not_before: Option<Stamp>,
    text: Option<String>,
}

impl Columns {
    fn new(id: NoticeId, fate: &Fate) -> Self {
        let (fate, not_before, text) = match fate {
            Fate::Sent { to } => ("sent", None, Some(to)),
            Fate::Later { not_before, why } => ("later", Some(Stamp::from(*not_before)), Some(why)),
            Fate::TryAgain { not_before, why } => ("again", Some(Stamp::from(*not_before)), Some(why)),
            Fate::Parked { why } => ("parked", None, Some(why)),
            Fate::Withdrawn { why } => ("withdrawn", None, Some(why)),
            Fate::Back => ("back", None, None),
        };
        Self { id: id.0, fate, not_before, text: text.map(|text| cut(text, TEXT_CHARS).into_owned()) }
    }
}

/// What becomes of a row `n` by a fate `f`.
const CHANGE: &str = "\
    state = CASE WHEN f.fate IN ('later', 'again', 'back') THEN 'queued' ELSE f.fate END, \
    attempts = n.attempts + CASE WHEN f.fate IN ('sent', 'again', 'parked') THEN 1 ELSE 0 END, \
    not_before = CASE WHEN f.fate IN ('later', 'again') THEN f.not_before WHEN f.fate = 'back' THEN n.not_before END, \
    sent_to = CASE WHEN f.fate = 'sent' THEN f.said END, \
    why = CASE f.fate WHEN 'sent' THEN NULL WHEN 'back' THEN n.why ELSE f.said END, \
    closed_at = CASE WHEN f.fate NOT IN ('later', 'again', 'back') THEN f.at END, \
    claimed_by = NULL, claimed_until = NULL";

/// That it was sent is true whoever holds it; all else counts only from the run that holds it.
const WHERE: &str = "n.id = f.id AND n.state <> 'sent' \
    AND (f.fate = 'sent' OR (n.state = 'queued' AND n.claimed_by = f.run))";

pub(super) fn record(
    connection: &mut Connection,
    run: RunId,
    fates: &[(NoticeId, Fate)],
    now: Timestamp,
) -> Outcome<()> {
    let columns = fates.iter().map(|(id, fate)| Columns::new(*id, fate));
    let (run, now) = (UuidValue(run.0), Stamp::from(now));
    match connection {
        Connection::Postgres(c) => all(c, columns, run, now),
        Connection::Sqlite(c) => one_by_one(c, columns, run, now),
    }
}

fn all(
    connection: &mut PgConnection,
    columns: impl Iterator<Item = Columns>,
    run: UuidValue,
    now: Stamp,
) -> Outcome<()> {
    let (mut ids, mut fates, mut times, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for column in columns {
        ids.push(column.id);
        fates.push(column.fate);
        times.push(column.not_before);
        texts.push(column.text);
    }
    let query = format!(
        "UPDATE public.echodesk_notice n SET {CHANGE} FROM (\
           SELECT id, fate, not_before, said, $5 AS run, $6 AS at \
           FROM unnest($1, $2, $3, $4) AS u (id, fate, not_before, said)) f \
         WHERE {WHERE}"
    );
    diesel::sql_query(query)
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Text>, _>(fates)
        .bind::<Array<Nullable<Moment>>, _>(times)
        .bind::<Array<Nullable<Text>>, _>(texts)
        .bind::<Uuid, _>(run)
        .bind::<Moment, _>(now)
        .execute(connection)?;
    Ok(())
}

fn one_by_one(
    connection: &mut SqliteConnection,
    columns: impl Iterator<Item = Columns>,
    run: UuidValue,
    now: Stamp,
) -> Outcome<()> {
    // Numbers in the order of their first use: that is how SQLite counts them. The id is said once more, since
    // SQLite would look through the whole table for one that comes from another.
    let query = format!(
        "WITH f AS MATERIALIZED (SELECT $1 AS id, $2 AS fate, $3 AS not_before, $4 AS said, $5 AS run, $6 AS at) \
         UPDATE public.echodesk_notice AS n SET {CHANGE} FROM f WHERE n.id = $1 AND {WHERE}"
    );
    for column in columns {
        diesel::sql_query(&query)
            .bind::<BigInt, _>(column.id)
            .bind::<Text, _>(column.fate)
            .bind::<Nullable<Moment>, _>(column.not_before)
            .bind::<Nullable<Text>, _>(column.text)
            .bind::<Uuid, _>(run)
            .bind::<Moment, _>(now)
            .execute(connection)?;
    }
    Ok(())
}
