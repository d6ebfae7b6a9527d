//! `tenants_invoice`: an invoice for each paid order, numbered `INV-YYYYMM-NNNN` as EchoDesk numbers
//! them, while EchoDesk may do so at the same time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use echodesk_billing::Money;
use echodesk_core::TenantId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Day, Exact, JsonText, RowId, Stamp};
use crate::tables::{invoice_months, invoices};

/// How often a number is looked for anew when EchoDesk was faster.
const TRIES: usize = 50;

/// An invoice for an order that is paid.
pub(crate) struct NewInvoice {
    pub(crate) amount: Money,
    pub(crate) tenant: TenantId,
    /// `tenants_payment_order.id`.
    pub(crate) order: RowId,
    pub(crate) agent_count: i32,
    pub(crate) description: String,
    pub(crate) now: Timestamp,
}

/// Adds an invoice under the next number of the month, unless the order has one.
pub(crate) fn add(connection: &mut Connection, invoice: &NewInvoice) -> Outcome<()> {
    let day = TimeZone::UTC.to_datetime(invoice.now).date();
    let month = format!("{:04}{:02}", day.year(), day.month());
    let mut number = next(connection, &month)?;
    for _ in 0..TRIES {
        if insert(connection, invoice, &name(&month, number), Day(day))? || has_invoice(connection, invoice.order)? {
            return Ok(());
        }
        number = above_all(connection, &month, number)?;
    }
    Err(Failure::Refused(format!("no number of month {month} is left to an invoice for long enough to take it")))
}

fn name(month: &str, number: i32) -> String {
    format!("INV-{month}-{number:04}")
}

/// The next number by our own counter, which is ours until the transaction ends. A new counter starts
/// above all numbers that are there.
fn next(connection: &mut Connection, month: &str) -> Outcome<i32> {
    let first = (invoice_months::month.eq(month), invoice_months::last.eq(1));
    let number: i32 = on!(&mut *connection, |c| diesel::insert_into(invoice_months::table)
        .values(first)
        .on_conflict(invoice_months::month)
        .do_update()
        .set(invoice_months::last.eq(invoice_months::last + 1))
        .returning(invoice_months::last)
        .get_result(c))?;
    if number == 1 { above_all(connection, month, 0) } else { Ok(number) }
}

/// The number above `tried` and above all that are there, as numbers: 10000 is above 9999.
fn above_all(connection: &mut Connection, month: &str, tried: i32) -> Outcome<i32> {
    #[derive(QueryableByName)]
    struct Highest {
        #[diesel(sql_type = Nullable<BigInt>)]
        highest: Option<i64>,
    }
    // `INV-YYYYMM-` has eleven characters. What follows them counts only if it is nothing but digits.
    let highest: Highest = on!(&mut *connection, |c| diesel::sql_query(
        "SELECT max(CAST(substr(invoice_number, 12) AS bigint)) AS highest FROM public.tenants_invoice \
         WHERE invoice_number LIKE $1 AND length(invoice_number) BETWEEN 12 AND 20 \
           AND ltrim(substr(invoice_number, 12), '0123456789') = ''"
    )
    .bind::<Text, _>(format!("INV-{month}-%"))
    .get_result(c))?;
    let highest = highest.highest.and_then(|highest| i32::try_from(highest).ok()).unwrap_or(0);
    let number = highest.max(tried).saturating_add(1);
    let counter = invoice_months::table.filter(invoice_months::month.eq(month));
    on!(connection, |c| diesel::update(counter).set(invoice_months::last.eq(number)).execute(c))?;
    Ok(number)
}

/// Whether it was added: not if the number is taken, or the order has an invoice.
fn insert(connection: &mut Connection, invoice: &NewInvoice, number: &str, day: Day) -> Outcome<bool> {
    let now = Stamp::from(invoice.now);
    let row = (
        invoices::invoice_number.eq(number),
        invoices::amount.eq(Exact(invoice.amount.amount())),
        invoices::currency.eq(invoice.amount.currency().to_string()),
        invoices::description.eq(&invoice.description),
        invoices::agent_count.eq(invoice.agent_count),
        invoices::invoice_date.eq(now),
        invoices::due_date.eq(Some(day)),
        invoices::paid_date.eq(Some(now)),
        invoices::pdf_generated.eq(false),
        invoices::pdf_url.eq(""),
        invoices::metadata.eq(JsonText("{}".to_owned())),
        invoices::payment_order_id.eq(invoice.order),
        invoices::tenant_id.eq(RowId(invoice.tenant.0)),
    );
    let rows =
        on!(connection, |c| diesel::insert_into(invoices::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(rows > 0)
}

fn has_invoice(connection: &mut Connection, order: RowId) -> Outcome<bool> {
    let of_order = invoices::table.filter(invoices::payment_order_id.eq(order));
    Ok(on!(connection, |c| diesel::select(diesel::dsl::exists(of_order)).get_result(c))?)
}
