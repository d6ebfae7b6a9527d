//! Column types that both back ends have, and the Rust values that go into them.
//!
//! Diesel's own types stop at either back end: SQLite has no `timestamptz`, `jsonb`, `date`,
//! `numeric` or `uuid`. Each type here says what it is on PostgreSQL and that it is text on SQLite, so that one
//! `table!` serves both.

mod amount;
mod id;
mod json;
mod time;
mod uuid;

pub(crate) use amount::{Amount, Exact, Readable};
pub(crate) use id::{Id, RowId};
pub(crate) use json::{Json, JsonText};
pub(crate) use time::{CalendarDate, Day, Moment, Stamp};
pub(crate) use uuid::{Uuid, UuidValue};
