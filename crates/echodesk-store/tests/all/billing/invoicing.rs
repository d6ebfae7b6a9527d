//! Numbers of invoices, which EchoDesk gives out as well.

use super::accounts::{accept, invoices, settle, settlement, subscribe};
use crate::world::{World, on_both};
use echodesk_billing::ports::{BillingStore, Settlement};

/// An invoice of EchoDesk's, for an order on which a card was saved.
fn theirs(world: &World, number: &str) {
    let order = format!("of-{number}");
    world.execute(&super::accounts::paid_order("acme", &order, "", "1.00", "2026-01-01T00:00:00.000000Z"));
    world.execute(&format!(
        "INSERT INTO public.tenants_invoice (invoice_number, amount, currency, description, agent_count, invoice_date, \
           pdf_generated, pdf_url, metadata, payment_order_id, tenant_id) \
         SELECT '{number}', '1.00', 'GEL', '', 1, '2026-11-01T00:00:00.000000Z', false, '', '{{}}', id, tenant_id \
         FROM public.tenants_payment_order WHERE order_id = '{order}'"
    ));
}

/// The number of the invoice for another renewal.
fn next(world: &World, name: &str) -> String {
    if name != "acme" {
        subscribe(world, name);
    }
    let attempt = accept(&world.store, name);
    settle(&world.store, &attempt, None);
    invoices(world).pop().unwrap()
}

on_both! {
    fn numbers_go_on_where_echodesk_is(world) {
        subscribe(world, "acme");
        for number in ["INV-202611-0002", "INV-202611-0017", "INV-202610-0400", "INV-202611-DRAFT", "INV-202611-", "INV-202611-18x", "OLD-202611-0099"] {
            theirs(world, number);
        }
        assert_eq!(next(world, "acme"), "INV-202611-0018");
        assert_eq!(next(world, "b"), "INV-202611-0019");
        theirs(world, "INV-202611-0020");
        theirs(world, "INV-202611-0021");
        assert_eq!(next(world, "c"), "INV-202611-0022");
        theirs(world, "INV-202611-0500");
        assert_eq!(next(world, "d"), "INV-202611-0023", "as long as nothing is in the way");
    }
}

on_both! {
    fn ten_thousand_comes_after_9999(world) {
        subscribe(world, "acme");
        theirs(world, "INV-202611-9999");
        assert_eq!(next(world, "acme"), "INV-202611-10000");
        theirs(world, "INV-202611-10001");
        assert_eq!(next(world, "b"), "INV-202611-10002");
    }
}

on_both! {
    fn each_month_counts_from_one_in_utc(world) {
        subscribe(world, "acme");
        subscribe(world, "b");
        for (name, moment, number) in
            [("acme", "2026-11-30T23:59:59Z", "INV-202611-0001"), ("b", "2026-12-01T00:00:00Z", "INV-202612-0001")]
        {
            let attempt = accept(&world.store, name);
            let settlement = Settlement { now: moment.parse().unwrap(), ..settlement(None) };
            world.store.settle(attempt.id, &settlement).unwrap();
            assert_eq!(invoices(world).pop().unwrap(), number);
        }
    }
}

on_both! {
    fn an_order_with_an_invoice_gets_no_second_one(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        world.execute(&format!(
            "INSERT INTO public.tenants_invoice (invoice_number, amount, currency, description, agent_count, invoice_date, \
               pdf_generated, pdf_url, metadata, payment_order_id, tenant_id) \
             SELECT 'INV-202611-0003', amount, 'GEL', '', 1, created_at, false, '', '{{}}', id, tenant_id \
             FROM public.tenants_payment_order WHERE order_id = '{}'",
            attempt.order
        ));
        settle(&world.store, &attempt, None);
        assert_eq!(invoices(world), ["INV-202611-0003"]);
    }
}
