//! Leases: who may work on a mailbox, until when.

use diesel::prelude::*;
use echodesk_mail::model::MailboxKey;
use echodesk_mail::ports::Lease;
use jiff::Timestamp;

use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Stamp, UuidValue};
use crate::tables::leases;

/// What a lease on a mailbox is called.
fn resource(mailbox: &MailboxKey) -> String {
    format!("mailbox:{mailbox}")
}

/// Takes the lease if it is free, has run out, or is the caller's already.
pub(crate) fn acquire(
    connection: &mut Connection,
    mailbox: &MailboxKey,
    lease: &Lease,
    now: Timestamp,
) -> Outcome<bool> {
    use diesel::query_dsl::methods::FilterDsl;

    let (holder, until, now) = (UuidValue(lease.holder.0), Stamp::from(lease.until), Stamp::from(now));
    let row = (leases::resource.eq(resource(mailbox)), leases::holder.eq(holder), leases::until.eq(until));
    let taken: Vec<String> = on!(connection, |c| diesel::insert_into(leases::table)
        .values(row)
        .on_conflict(leases::resource)
        .do_update()
        .set((leases::holder.eq(holder), leases::until.eq(until)))
        .filter(leases::until.le(now).or(leases::holder.eq(holder)))
        .returning(leases::resource)
        .get_results(c))?;
    Ok(!taken.is_empty())
}

/// Puts off the end of the lease, if it is the caller's still.
pub(crate) fn renew(connection: &mut Connection, mailbox: &MailboxKey, lease: &Lease) -> Outcome<bool> {
    let held = leases::table
        .filter(leases::resource.eq(resource(mailbox)))
        .filter(leases::holder.eq(UuidValue(lease.holder.0)));
    let until = Stamp::from(lease.until);
    let rows = on!(connection, |c| diesel::update(held).set(leases::until.eq(until)).execute(c))?;
    Ok(rows == 1)
}

/// Until when the lease is somebody's, be that over or not.
pub(crate) fn held_until(connection: &mut Connection, mailbox: &MailboxKey) -> Outcome<Option<Timestamp>> {
    let until: Option<Stamp> = on!(connection, |c| leases::table
        .filter(leases::resource.eq(resource(mailbox)))
        .select(leases::until)
        .first(c)
        .optional())?;
    Ok(until.map(Into::into))
}

/// Gives the lease back, if it is the caller's.
pub(crate) fn release(connection: &mut Connection, mailbox: &MailboxKey, lease: &Lease) -> Outcome<()> {
    let held = leases::table
        .filter(leases::resource.eq(resource(mailbox)))
        .filter(leases::holder.eq(UuidValue(lease.holder.0)));
    on!(connection, |c| diesel::delete(held).execute(c))?;
    Ok(())
}

/// Fails unless the lease is the caller's, and keeps it so until the transaction ends: the update
/// changes nothing, but its lock makes whoever wants to take the lease over wait. That the time is
/// up does not matter as long as nobody has taken over.
pub(crate) fn hold(connection: &mut Connection, mailbox: &MailboxKey, lease: &Lease) -> Outcome<()> {
    let holder = UuidValue(lease.holder.0);
    let held = leases::table.filter(leases::resource.eq(resource(mailbox))).filter(leases::holder.eq(holder));
    let rows = on!(connection, |c| diesel::update(held).set(leases::holder.eq(holder)).execute(c))?;
    if rows == 1 { Ok(()) } else { Err(Failure::LeaseLost) }
}
