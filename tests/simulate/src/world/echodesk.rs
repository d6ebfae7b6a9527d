//! EchoDesk itself, as far as it writes to the same tables: its page for paying, its web hook.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::database::literal;
use crate::trace::TenantNumber;
use crate::world::accounts::{Capture, MONTH, Payer};
use crate::world::bank::{CardOnFile, Order};
use crate::world::{World, retries};

/// The customer pays for a month. EchoDesk extends from the old date, however long ago that is.
pub(crate) fn pay(world: &World, number: TenantNumber, order: &str, saves_card: bool) {
    let account = world.accounts.read(number, Clone::clone);
    let (now, until) = (world.time.now(), account.expires_at + MONTH);
    let (tenant, at, bank_order) = (account.tenant, literal(now), format!("bank-{order}"));
    let parent = if saves_card { format!("parent_order_id = '{bank_order}', ") } else { String::new() };
    world.database.execute(&format!(
        "INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
           created_at, updated_at, paid_at, tenant_id, bog_order_id, card_saved, is_trial_payment, payment_provider) \
         SELECT '{order}', '{price}', 'GEL', agent_count, 'paid', '', '{{}}', {at}, {at}, {at}, {tenant}, '{bank_order}', \
           {saves_card}, false, 'bog' FROM tenants_tenant_subscription WHERE tenant_id = {tenant}; \
         UPDATE tenants_tenant_subscription SET {parent}expires_at = {until}, next_billing_date = {until}, \
           last_billed_at = {at}, payment_status = 'current', failed_payment_count = 0, updated_at = {at} \
           WHERE tenant_id = {tenant}",
        price = account.price,
        until = literal(until),
    ));
    if saves_card {
        world.bank.add_card(&bank_order, CardOnFile { tenant: number, amount: account.price, expired: false });
    }
    world.accounts.change(number, |account| {
        account.captures.push(Capture {
            order: order.to_owned(),
            amount: account.price,
            payer: Payer::Customer,
            period: account.expires_at,
            at: now,
        });
        account.booked.insert(order.to_owned());
        account.expires_at = until;
        if saves_card {
            account.card = Some(bank_order.clone());
        }
    });
    retries::cancel(world, number);
    world.trace.note(number, format_args!("the customer pays {order}: paid until {until}"));
}

/// The customer saves another card without paying for a month: EchoDesk has it verified with an order of nothing, or
/// takes what a trial costs. That is what the card can be charged from then on.
pub(crate) fn replace_card(world: &World, number: TenantNumber, order: &str, amount: Decimal) {
    let account = world.accounts.read(number, Clone::clone);
    let (tenant, at, bank_order) = (account.tenant, literal(world.time.now()), format!("bank-{order}"));
    let is_trial = !amount.is_zero();
    world.database.execute(&format!(
        "INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
           created_at, updated_at, paid_at, tenant_id, bog_order_id, card_saved, is_trial_payment, payment_provider) \
         SELECT '{order}', '{amount}', 'GEL', agent_count, 'paid', '', '{{}}', {at}, {at}, {at}, {tenant}, \
           '{bank_order}', true, {is_trial}, 'bog' FROM tenants_tenant_subscription WHERE tenant_id = {tenant}; \
         UPDATE tenants_tenant_subscription SET parent_order_id = '{bank_order}', updated_at = {at} \
           WHERE tenant_id = {tenant}",
    ));
    world.bank.add_card(&bank_order, CardOnFile { tenant: number, amount, expired: false });
    world.accounts.change(number, |account| {
        // It pays for nothing.
        account.booked.insert(order.to_owned());
        account.card = Some(bank_order.clone());
    });
    world.trace.note(number, format_args!("the customer saves another card with {order} of {amount} GEL"));
}

/// The customer deletes the saved card.
pub(crate) fn delete_card(world: &World, number: TenantNumber) {
    let account = world.accounts.read(number, Clone::clone);
    let (tenant, at) = (account.tenant, literal(world.time.now()));
    world.database.execute(&format!(
        "UPDATE tenants_payment_order SET card_saved = false, updated_at = {at} WHERE tenant_id = {tenant}; \
         UPDATE tenants_tenant_subscription SET parent_order_id = NULL, payment_status = 'no_card', updated_at = {at} \
           WHERE tenant_id = {tenant}"
    ));
    if let Some(card) = account.card {
        world.bank.remove_card(&card);
    }
    world.accounts.change(number, |account| account.card = None);
    world.trace.note(number, format_args!("the customer deletes the card"));
}

/// The customer has so many agents from now on.
pub(crate) fn change_plan(world: &World, number: TenantNumber, agents: u32) {
    let tenant = world.accounts.read(number, |account| account.tenant);
    let at = literal(world.time.now());
    world.database.execute(&format!(
        "UPDATE tenants_tenant_subscription SET agent_count = {agents}, updated_at = {at} WHERE tenant_id = {tenant}"
    ));
    world.trace.note(number, format_args!("the customer has {agents} agents from now on"));
}

/// EchoDesk's web hook: an order that is not paid yet is marked as paid, and its subscription extended from the old
/// date. After a refusal of a renewal it plans to charge again, whatever has happened since.
pub(crate) fn web_hook(world: &World, number: TenantNumber, of: &Order, completed: bool) {
    let (order, is_own) = (&of.external, Payer::of(&of.external) == Payer::EchoDesk);
    if is_own {
        retries::ended(world, number, order, completed);
    }
    let status =
        world.database.values(&format!("SELECT status AS value FROM tenants_payment_order WHERE order_id = '{order}'"));
    if status.first().and_then(Option::as_deref).is_none_or(|status| status == "paid") {
        return;
    }
    if !completed {
        if !is_own {
            retries::plan(world, number, order, of.period, of.state.code().unwrap_or_default());
        }
        return;
    }
    let account = world.accounts.read(number, Clone::clone);
    let (now, until) = (world.time.now(), account.expires_at + MONTH);
    let (tenant, at) = (account.tenant, literal(now));
    world.database.execute(&format!(
        "UPDATE tenants_payment_order SET status = 'paid', paid_at = {at}, updated_at = {at} WHERE order_id = '{order}'; \
         UPDATE tenants_tenant_subscription SET expires_at = {until}, next_billing_date = {until}, last_billed_at = {at}, \
           payment_status = 'current', failed_payment_count = 0, updated_at = {at} WHERE tenant_id = {tenant}",
        until = literal(until),
    ));
    world.accounts.change(number, |account| {
        account.booked.insert(order.clone());
        account.expires_at = until;
    });
    world.trace.note(number, format_args!("EchoDesk's web hook books {order}: paid until {until}"));
}

/// When a moment of the database is.
#[must_use]
pub(crate) fn moment(text: Option<&str>) -> Option<Timestamp> {
    text.map(crate::database::moment)
}
