//! Moments and days: `timestamptz` and `date` on PostgreSQL, text of a fixed width on SQLite, so
//! that it sorts as the moments do.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Integer, SqlOrd, SqlType, Text};
use diesel::sqlite::Sqlite;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, civil};

/// `timestamptz` or text. Not called so: Diesel's `table!` would take a type of that name for its own.
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Moment;

impl SqlOrd for Moment {}

/// `date` or text.
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1082, array_oid = 1182))]
#[diesel(sqlite_type(name = "Text"))]
pub struct CalendarDate;

/// A moment, to the microsecond, within the years that both PostgreSQL and Django can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Moment)]
pub(crate) struct Stamp(Timestamp);

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = CalendarDate)]
pub(crate) struct Day(pub(crate) Date);

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts microseconds, in microseconds of Unix time.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
const POSTGRES_EPOCH_DAY: Date = civil::date(2000, 1, 1);

/// The years 1 to 9999, which is what Python's dates hold, in seconds of Unix time and a day short
/// on either side, so that a time zone cannot push a moment over the edge.
const EARLIEST: i64 = -62_135_510_400;
const LATEST: i64 = 253_402_214_399;

impl From<Timestamp> for Stamp {
    fn from(moment: Timestamp) -> Self {
        let seconds = moment.as_second();
        if (EARLIEST..=LATEST).contains(&seconds) {
            return Self(moment);
        }
        Self(Timestamp::from_second(seconds.clamp(EARLIEST, LATEST)).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl From<Stamp> for Timestamp {
    fn from(stamp: Stamp) -> Self {
        stamp.0
    }
}

impl ToSql<Moment, Pg> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0.as_nanosecond().div_euclid(1000) - i128::from(POSTGRES_EPOCH);
        out.write_all(&i64::try_from(micros)?.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Moment, Sqlite> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let utc = TimeZone::UTC.to_datetime(self.0);
        let micros = utc.subsec_nanosecond() / 1000;
        out.set_value(format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}Z",
            utc.year(),
            utc.month(),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second()
        ));
        Ok(IsNull::No)
    }
}

impl FromSql<Moment, Pg> for Stamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        // `infinity` and years that jiff does not know end at the nearest moment that it does.
        let since = SignedDuration::from_micros(micros.saturating_add(POSTGRES_EPOCH));
        let edge = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Ok(Self(Timestamp::UNIX_EPOCH.checked_add(since).unwrap_or(edge)))
    }
}

impl FromSql<Moment, Sqlite> for Stamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(text.parse()?))
    }
}

impl ToSql<CalendarDate, Pg> for Day {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let days = (self.0 - POSTGRES_EPOCH_DAY).get_days();
        out.write_all(&days.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<CalendarDate, Sqlite> for Day {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<CalendarDate, Pg> for Day {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let days = <i32 as FromSql<Integer, Pg>>::from_sql(value)?;
        Ok(Self(POSTGRES_EPOCH_DAY.checked_add(Span::new().try_days(days)?)?))
    }
}

impl FromSql<CalendarDate, Sqlite> for Day {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(text.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_that_no_database_can_hold_end_at_the_edge() {
        for (moment, year) in [(Timestamp::MIN, 1), (Timestamp::MAX, 9999)] {
            let kept: Timestamp = Stamp::from(moment).into();
            assert_eq!(TimeZone::UTC.to_datetime(kept).year(), year);
        }
        let now: Timestamp = "2026-11-22T10:00:00.123456789Z".parse().unwrap();
        assert_eq!(Timestamp::from(Stamp::from(now)), now);
    }
}
