//! Subscriptions to be charged, and shorthands for what is done with them.

use echodesk_billing::model::{Attempt, AttemptState, BankOrderId, Candidate, Charge, OrderId, Refusal};
use echodesk_billing::ports::{BillingStore, Claim, NewAttempt, Prepared, Settled, Settlement, Source};
use echodesk_billing::rules::due::{Decision, Policy, judge};
use echodesk_core::{RunId, SubscriptionId};
use echodesk_store::Store;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::world::{World, now, tenant};

/// The renewal date of every subscription here, two days ahead.
pub(crate) const EXPIRES: &str = "2026-11-24T00:00:00.000000Z";
/// 30 days later.
pub(crate) const EXTENDED: &str = "2026-12-24T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Adds a tenant, unless it is `acme`, with a subscription of two agents at 25 GEL, which expires on
/// [`EXPIRES`], and the paid order on which its card was saved.
pub(crate) fn subscribe(world: &World, name: &str) -> SubscriptionId {
    if name != "acme" {
        world.store.add_tenant(&tenant(name), now()).unwrap();
    }
    world.execute(&subscription(name));
    id_of(world, name)
}

pub(crate) fn id_of(world: &World, name: &str) -> SubscriptionId {
    let id = world.select(&format!(
        "SELECT CAST(s.id AS text) AS row FROM public.tenants_tenant_subscription s \
         JOIN public.tenants_tenant t ON t.id = s.tenant_id WHERE t.schema_name = '{name}'"
    ));
    SubscriptionId(id[0].parse().unwrap())
}

/// The statements that subscribe a tenant that is there.
pub(crate) fn subscription(name: &str) -> String {
    let tenant = format!("(SELECT id FROM public.tenants_tenant WHERE schema_name = '{name}')");
    let moment = "2026-10-25T00:00:00.000000Z";
    format!(
        "INSERT INTO public.tenants_tenant_subscription (is_active, starts_at, expires_at, agent_count, current_users, \
           whatsapp_messages_used, storage_used_gb, next_billing_date, created_at, updated_at, tenant_id, is_trial, \
           parent_order_id, trial_converted, subscription_type, failed_payment_count, payment_status) \
         VALUES (true, '{moment}', '{EXPIRES}', 2, 0, 0, '0.00', '{EXPIRES}', '{moment}', '{moment}', {tenant}, false, \
           'card-of-{name}', false, 'trial', 0, 'current'); \
         INSERT INTO public.tenants_feature (key, name, description, category, icon, sort_order, is_active, created_at, \
           updated_at, price_per_user_gel, price_unlimited_gel) \
         VALUES ('{name}-desk', 'Desk', '', 'core', '', 0, true, '{moment}', '{moment}', '20.45', '0.00'), \
           ('{name}-chat', 'Chat', '', 'core', '', 0, true, '{moment}', '{moment}', '4.55', '0.00'); \
         INSERT INTO public.tenants_tenant_subscription_selected_features (tenantsubscription_id, feature_id) \
         SELECT s.id, f.id FROM public.tenants_tenant_subscription s, public.tenants_feature f \
         WHERE s.tenant_id = {tenant} AND f.key LIKE '{name}-%'; {}",
        paid_order(name, &format!("first-{name}"), &format!("card-of-{name}"), "50.00", moment)
    )
}

/// The statement that adds a paid order with a saved card.
pub(crate) fn paid_order(name: &str, order: &str, bank_order: &str, amount: &str, paid_at: &str) -> String {
    format!(
        "INSERT INTO public.tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
           created_at, updated_at, paid_at, tenant_id, bog_order_id, card_saved, is_trial_payment, payment_provider) \
         SELECT '{order}', '{amount}', 'GEL', 2, 'paid', '', '{{}}', '{paid_at}', '{paid_at}', '{paid_at}', id, \
           '{bank_order}', true, false, 'bog' FROM public.tenants_tenant WHERE schema_name = '{name}';"
    )
}

/// The statement that adds a saved card.
pub(crate) fn saved_card(name: &str, parent: &str, masked: &str, expiry: &str, active: bool) -> String {
    format!(
        "INSERT INTO public.tenants_saved_card (parent_order_id, card_type, masked_card_number, card_expiry, transaction_id, \
           saved_at, is_active, tenant_id, is_default, card_save_type) \
         SELECT '{parent}', 'visa', '{masked}', '{expiry}', '', '2026-10-25T00:00:00.000000Z', {active}, id, false, \
           'subscription' FROM public.tenants_tenant WHERE schema_name = '{name}';"
    )
}

/// The statement that adds a pending order of somebody else's.
pub(crate) fn pending_order(name: &str, order: &str, created_at: &str) -> String {
    format!(
        "INSERT INTO public.tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
           created_at, updated_at, tenant_id, card_saved, is_trial_payment, payment_provider) \
         SELECT '{order}', '50.00', 'GEL', 2, 'pending', '', '{{}}', '{created_at}', '{created_at}', id, false, false, \
           'bog' FROM public.tenants_tenant WHERE schema_name = '{name}';"
    )
}

/// EchoDesk's table of retries, as far as it matters.
pub(crate) fn make_retries(world: &World) {
    let (id, moment) = if world.is_embedded() {
        ("integer PRIMARY KEY AUTOINCREMENT", "text")
    } else {
        ("bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "timestamptz")
    };
    world.execute(&format!(
        "CREATE TABLE public.tenants_payment_retry_schedule (id {id}, retry_number integer NOT NULL, \
           scheduled_for {moment} NOT NULL, executed_at {moment}, status varchar(20) NOT NULL, skip_reason text NOT NULL, \
           subscription_id bigint NOT NULL)"
    ));
}

pub(crate) fn add_retry(world: &World, subscription: SubscriptionId, at: &str, status: &str) {
    world.execute(&format!(
        "INSERT INTO public.tenants_payment_retry_schedule (retry_number, scheduled_for, status, skip_reason, \
           subscription_id) VALUES (1, '{at}', '{status}', '', {subscription})"
    ));
}

pub(crate) fn candidates(store: &Store) -> Vec<Candidate> {
    store.candidates(&Policy::default().window(now()), None, None, 1000, now()).unwrap()
}

/// The only candidate of a tenant.
pub(crate) fn candidate(store: &Store, name: &str) -> Candidate {
    candidates(store).into_iter().find(|candidate| candidate.tenant.schema.as_str() == name).unwrap()
}

/// What the rules say is to be charged to a tenant.
pub(crate) fn charge(store: &Store, name: &str) -> Charge {
    match judge(&candidate(store, name), &Policy::default(), now()) {
        Decision::Charge(charge) => *charge,
        Decision::Skip(skip) => panic!("{name}: {skip}"),
    }
}

/// A charge of the subscription of an attempt as it stands, decided without regard to the attempt.
pub(crate) fn charge_like(attempt: &Attempt, store: &Store) -> Charge {
    let candidate = candidate(store, attempt.schema.as_str());
    Charge {
        subscription: attempt.subscription,
        tenant: candidate.tenant,
        period: attempt.period,
        number: attempt.number + 1,
        parent: attempt.parent.clone(),
        amount: attempt.amount,
        agent_count: 2,
        card_amount_known: true,
        seen: candidate.seen,
    }
}

pub(crate) fn claim() -> Claim {
    Claim { run: RunId::random(), until: at("2026-11-22T10:05:00Z"), now: now() }
}

pub(crate) fn try_prepare(store: &Store, charge: &Charge, claim: Claim) -> Prepared {
    let order = OrderId::renewal(Uuid::new_v4());
    store.prepare(&NewAttempt { charge, order, key: Uuid::new_v4(), claim }).unwrap()
}

pub(crate) fn prepare_by(store: &Store, name: &str, claim: Claim) -> Attempt {
    match try_prepare(store, &charge(store, name), claim) {
        Prepared::Written(attempt) => *attempt,
        Prepared::Changed => panic!("changed"),
    }
}

/// A charge of a tenant, written down by a run of its own.
pub(crate) fn prepare(store: &Store, name: &str) -> Attempt {
    prepare_by(store, name, claim())
}

/// One that the bank has accepted as `bank-NAME`.
pub(crate) fn accept(store: &Store, name: &str) -> Attempt {
    let attempt = prepare(store, name);
    store.accepted(attempt.id, &bank_order(&format!("bank-{name}")), now()).unwrap()
}

pub(crate) fn bank_order(name: &str) -> BankOrderId {
    BankOrderId(name.to_owned())
}

pub(crate) fn rejected(code: &str) -> Refusal {
    Refusal::Rejected { code: Some(code.to_owned()), reason: None }
}

pub(crate) fn settle(store: &Store, attempt: &Attempt, refusal: Option<&Refusal>) -> Settled {
    store.settle(attempt.id, &settlement(refusal)).unwrap()
}

static UTC: TimeZone = TimeZone::UTC;

pub(crate) fn settlement(refusal: Option<&Refusal>) -> Settlement<'_> {
    Settlement { refusal, bank_order: None, source: Source::Callback, now: now(), run: None, time_zone: &UTC }
}

pub(crate) fn paid(settled: &Settled) -> bool {
    matches!(settled, Settled::Paid { extended: true, .. })
}

/// An attempt as it stands now.
pub(crate) fn read(store: &Store, attempt: &Attempt) -> Attempt {
    store.attempt_of_order(&attempt.order).unwrap().unwrap()
}

pub(crate) fn state(store: &Store, attempt: &Attempt) -> AttemptState {
    read(store, attempt).state
}

/// `expires_at next_billing_date payment_status failed_payment_count is_active` of a tenant, with
/// moments as PostgreSQL and SQLite both can be made to write them.
pub(crate) fn standing(world: &World, name: &str) -> String {
    let moment = |column: &str| day(world, column);
    world
        .select(&format!(
            "SELECT {} || ' ' || {} || ' ' || payment_status || ' ' || CAST(failed_payment_count AS text) || ' ' \
               || CASE WHEN s.is_active THEN 'active' ELSE 'suspended' END AS row \
             FROM public.tenants_tenant_subscription s JOIN public.tenants_tenant t ON t.id = s.tenant_id \
             WHERE t.schema_name = '{name}'",
            moment("expires_at"),
            moment("next_billing_date")
        ))
        .remove(0)
}

/// An expression for the UTC day of a moment.
pub(crate) fn day(world: &World, column: &str) -> String {
    if world.is_embedded() {
        format!("coalesce(substr({column}, 1, 10), '-')")
    } else {
        format!("coalesce(to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD'), '-')")
    }
}

/// A field of a JSON column, as text.
pub(crate) fn field(world: &World, column: &str, name: &str) -> String {
    if world.is_embedded() { format!("json_extract({column}, '$.{name}')") } else { format!("({column} ->> '{name}')") }
}

/// The kinds of all events, by id.
pub(crate) fn events(world: &World) -> Vec<String> {
    world.select("SELECT event_type AS row FROM public.tenants_subscription_event ORDER BY id")
}

pub(crate) fn invoices(world: &World) -> Vec<String> {
    world.select("SELECT invoice_number AS row FROM public.tenants_invoice ORDER BY id")
}

/// The kinds of all notices, by id.
pub(crate) fn notices(world: &World) -> Vec<String> {
    world.select("SELECT kind AS row FROM public.echodesk_notice ORDER BY id")
}

/// The status of every order, but those on which cards were saved, by id.
pub(crate) fn orders(world: &World) -> Vec<String> {
    world.select("SELECT status AS row FROM public.tenants_payment_order WHERE NOT card_saved ORDER BY id")
}
