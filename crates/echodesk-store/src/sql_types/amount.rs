//! Amounts: `numeric` on PostgreSQL, exact decimal text on SQLite. Never a float on the way.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Numeric, SqlType, Text};
use diesel::sqlite::Sqlite;
use rust_decimal::Decimal;

/// `numeric` or text. Not called so: Diesel's `table!` would take a type of that name for its own.
#[derive(Clone, Copy, Debug, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1700, array_oid = 1231))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Amount;

/// An exact number; written with two decimals at least. Reading what is no number is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Amount)]
pub(crate) struct Exact(pub(crate) Decimal);

/// A number as far as it can be read, else why not: for rows of which one must not hold up the rest.
#[derive(Clone, Debug, PartialEq, Eq, FromSqlRow)]
#[diesel(sql_type = Amount)]
pub(crate) struct Readable(pub(crate) Result<Decimal, String>);

impl ToSql<Amount, Pg> for Exact {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <Decimal as ToSql<Numeric, Pg>>::to_sql(&self.0, out)
    }
}

impl ToSql<Amount, Sqlite> for Exact {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let decimals = usize::try_from(self.0.scale().max(2))?;
        out.set_value(format!("{:.decimals$}", self.0));
        Ok(IsNull::No)
    }
}

impl FromSql<Amount, Pg> for Exact {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <Decimal as FromSql<Numeric, Pg>>::from_sql(value).map(Self)
    }
}

impl FromSql<Amount, Sqlite> for Exact {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(Decimal::from_str_exact(&text)?))
    }
}

impl<B: Backend> FromSql<Amount, B> for Readable
where
    Exact: FromSql<Amount, B>,
{
    fn from_sql(value: B::RawValue<'_>) -> deserialize::Result<Self> {
        let read = <Exact as FromSql<Amount, B>>::from_sql(value);
        Ok(Self(read.map(|number| number.0).map_err(|error| error.to_string())))
    }
}
