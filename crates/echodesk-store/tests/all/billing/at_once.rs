//! Several runs and callbacks at once.

use std::collections::BTreeSet;
use std::sync::Barrier;

use echodesk_billing::model::AttemptState;
use echodesk_billing::ports::{BillingStore, Claims, Prepared, Settled};

use super::accounts::{
    accept, charge, charge_like, claim, events, invoices, orders, paid, paid_order, prepare_by, rejected, settle,
    standing, state, subscribe, subscription, try_prepare,
};
use crate::world::{World, on_both};

/// What `work` says in each of `count` threads that start together.
fn together<T: Send>(world: &World, count: usize, work: impl Fn(&echodesk_store::Store, usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let (store, start, work) = (world.store.clone(), &start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(&store, number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

on_both! {
    fn of_many_who_charge_the_same_subscription_one_writes_it_down(world) {
        subscribe(world, "acme");
        let charge = charge(&world.store, "acme");
        let written = together(world, 12, |store, _| matches!(try_prepare(store, &charge, claim()), Prepared::Written(_)));
        assert_eq!(written.iter().filter(|written| **written).count(), 1);
        assert_eq!(orders(world), ["pending"]);
        assert_eq!(world.select("SELECT state AS row FROM public.echodesk_charge_attempt"), ["prepared"]);
    }
}

on_both! {
    fn of_many_who_settle_the_same_attempt_one_extends(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let settled = together(world, 20, |store, _| settle(store, &attempt, None));
        assert_eq!(settled.iter().filter(|settled| paid(settled)).count(), 1);
        assert_eq!(settled.iter().filter(|settled| **settled == Settled::Already(AttemptState::Paid)).count(), 19);
        assert_eq!(standing(world, "acme"), "2026-12-24 2026-12-24 current 0 active");
        assert_eq!((invoices(world).len(), events(world).len()), (1, 1));
    }
}

on_both! {
    fn paid_and_rejected_at_once_end_as_paid(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let refusal = rejected("107");
        together(world, 10, |store, number| settle(store, &attempt, (number % 2 == 0).then_some(&refusal)));
        assert_eq!(state(&world.store, &attempt), AttemptState::Paid);
        assert_eq!(standing(world, "acme"), "2026-12-24 2026-12-24 current 0 active");
        assert_eq!((orders(world), invoices(world).len()), (vec!["paid".to_owned()], 1));
    }
}

on_both! {
    fn charges_settlements_and_claims_of_one_subscription_do_not_lock_each_other_out(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let charge = {
            let mut charge = charge_like(&attempt, &world.store);
            charge.seen.last_attempt = Some(attempt.id);
            charge
        };
        let refusal = rejected("107");
        together(world, 9, |store, number| match number % 3 {
            0 => drop(try_prepare(store, &charge, claim())),
            1 => drop(settle(store, &attempt, Some(&refusal))),
            _ => drop(store.claim(&claim(), Claims::Left, None, None, 10).unwrap()),
        });
        let open = world.select("SELECT state AS row FROM public.echodesk_charge_attempt WHERE state = 'prepared'");
        assert!(open.len() <= 1, "{open:?}");
        assert_eq!(state(&world.store, &attempt), AttemptState::Failed);
    }
}

on_both! {
    fn each_attempt_is_claimed_by_one_of_many(world) {
        for name in ["acme", "b", "c", "d", "e", "f"] {
            subscribe(world, name);
            let by = claim();
            prepare_by(&world.store, name, by);
            world.store.release(by.run, None).unwrap();
        }
        let claimed = together(world, 8, |store, _| store.claim(&claim(), Claims::Left, None, None, 4).unwrap());
        let ids: Vec<_> = claimed.iter().flatten().map(|attempt| attempt.id).collect();
        assert_eq!(ids.len(), 6, "{ids:?}");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 6);
    }
}

on_both! {
    fn fifty_settlements_at_once_get_fifty_numbers_while_echodesk_numbers_as_well(world) {
        let attempts: Vec<_> = (0..50)
            .map(|number| {
                let name = if number == 0 { "acme".to_owned() } else { format!("t{number}") };
                if number > 0 {
                    world.execute(&tenant_row(&name));
                }
                world.execute(&subscription(&name));
                accept(&world.store, &name)
            })
            .collect();
        std::thread::scope(|scope| {
            let echodesk = scope.spawn(|| {
                for number in 0..10 {
                    world.execute(&paid_order("acme", &format!("their-{number}"), "", "1.00", "2026-01-01T00:00:00.000000Z"));
                    // The next number by its own count, for which it takes no lock.
                    world.execute(&format!(
                        "INSERT INTO public.tenants_invoice (invoice_number, amount, currency, description, agent_count, \
                           invoice_date, pdf_generated, pdf_url, metadata, payment_order_id, tenant_id) \
                         SELECT 'INV-202611-' || {}, '1.00', 'GEL', '', 1, '2026-11-01T00:00:00.000000Z', false, '', '{{}}', \
                           id, tenant_id FROM public.tenants_payment_order WHERE order_id = 'their-{number}' \
                         ON CONFLICT DO NOTHING",
                        next_number(world)
                    ));
                }
            });
            let settled = together(world, 50, |store, number| settle(store, &attempts[number], None));
            assert!(settled.iter().all(paid));
            echodesk.join().unwrap();
        });
        let ours = world.select(
            "SELECT i.invoice_number AS row FROM public.tenants_invoice i \
             JOIN public.tenants_payment_order o ON o.id = i.payment_order_id WHERE NOT o.card_saved",
        );
        let all: BTreeSet<u32> = invoices(world).iter().map(|number| number[11..].parse().unwrap()).collect();
        assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), 50);
        assert_eq!(all.len(), invoices(world).len(), "no number twice");
        assert_eq!(all, (1..=u32::try_from(all.len()).unwrap()).collect(), "and none left out");
    }
}

fn next_number(world: &World) -> String {
    let number =
        "(SELECT coalesce(max(CAST(substr(invoice_number, 12) AS integer)), 0) + 1 FROM public.tenants_invoice)";
    if world.is_embedded() { format!("printf('%04d', {number})") } else { format!("to_char({number}, 'FM0000')") }
}

/// A tenant without tables of its own, which billing does not need.
fn tenant_row(name: &str) -> String {
    format!(
        "INSERT INTO public.tenants_tenant (domain_url, schema_name, name, description, created_on, is_active, admin_email, \
           admin_name, plan, max_users, max_storage, preferred_language, deployment_status, min_users_per_ticket, \
           only_superadmin_can_delete_tickets, ip_whitelist_enabled, superadmin_bypass_whitelist, payment_provider) \
         VALUES ('{name}.example', '{name}', '{name}', '', '2026-01-01T00:00:00.000000Z', true, 'a@x', 'A', 'basic', 10, 1, \
           'en', 'deployed', 0, false, false, true, 'bog')"
    )
}
