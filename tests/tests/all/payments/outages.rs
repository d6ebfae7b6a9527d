//! The bank or the database is away, for a moment or for a whole run.

use std::time::Duration;

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::sandbox::bank::{Behaviour, Card, Endpoint};

use super::run::Run;
use super::world::{PaymentWorld, by_hand, eventually, silent};
use crate::support::{Backend, World, on_both};

on_both!(a_bank_that_is_away_for_the_whole_run_leaves_nothing_open, a_bank_that_refuses_our_account_is_told_of);

fn a_bank_that_is_away_for_the_whole_run_leaves_nothing_open(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    for tenant in ["acme", "bell", "cola"] {
        world.subscribe(tenant, 2, Card::pays());
    }
    world.bank.set_away(true);
    let ran = world.run(&[]).with_code(1);
    assert_eq!((ran.total("postponed"), ran.total("paid")), (3, 0), "{ran:#?}");
    assert!(ran.report["bank_away"].is_string(), "{ran:#?}");
    assert!(ran.ended.stdout.contains("the bank could not be talked to"), "{ran:#?}");
    world.assert_nothing_left();

    world.bank.set_away(false);
    let ran = world.run(&[]).with_code(0);
    assert_eq!(ran.total("paid"), 3);
    for tenant in ["acme", "bell", "cola"] {
        world.assert_exact(tenant, 1);
    }
    world.assert_nothing_left();
}

fn a_bank_that_refuses_our_account_is_told_of(backend: Backend) {
    let Some(mut world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.set("BOG_CLIENT_SECRET", "hunter2");
    let ran = world.run(&[]).with_code(1);
    assert_eq!(ran.outcome("acme"), "postponed", "{ran:#?}");
    assert!(!format!("{ran:?}").contains("hunter2"), "{ran:#?}");
    assert_eq!(world.bank.count(Endpoint::Subscribe), 0);
    world.assert_nothing_left();
    let secret = world.bank.client_secret();
    world.set("BOG_CLIENT_SECRET", secret);
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("acme", 1);
}

const TENANTS: usize = 24;

/// Many subscriptions on a server of their own, and a bank that takes its time.
fn many(postgres: &Postgres) -> (PaymentWorld, Vec<String>) {
    let behaviour = Behaviour { latency: Duration::from_millis(200), ..silent() };
    let world = PaymentWorld::of(World::on(Some(postgres.database()), "/dev/null".as_ref()), behaviour);
    let tenants: Vec<String> = (0..TENANTS).map(|number| format!("t{number}")).collect();
    tenants.iter().for_each(|tenant| world.subscribe(tenant, 2, Card::pays()));
    (world, tenants)
}

/// A run that has charged some and not all.
fn begun(world: &PaymentWorld) -> Run {
    let run = world.start(&["--width", "4", "--settle-for", "30s"]);
    eventually("something is captured", || world.bank.captures().len() > 2);
    assert!(world.bank.captures().len() < TENANTS);
    run
}

/// The next runs find out what became of the rest, and charge what was not charged.
fn goes_on(world: &PaymentWorld, tenants: &[String]) {
    world.assert_captured_once();
    // Without a database claims could not be given back: as if their time were over.
    world.end_claims();
    let _ = world.run(&["--settle-for", "30s"]).with_code(0);
    for tenant in tenants {
        world.assert_exact(tenant, 1);
    }
    world.assert_nothing_left();
    assert_eq!(world.bank.captures().len(), tenants.len());
}

#[test]
fn a_database_that_is_away_at_the_start_is_to_be_tried_again_later() {
    let Some(postgres) = Postgres::start() else { return };
    let world = PaymentWorld::of(World::on(Some(postgres.database()), "/dev/null".as_ref()), silent());
    world.subscribe("acme", 2, Card::pays());
    postgres.stop();
    for arguments in [&[][..], &["--tenant", "acme"], &["--dry-run"]] {
        let ran = world.run(arguments).with_code(75);
        assert_eq!(ran.ended.stderr.lines().count(), 1, "one line says why: {ran:#?}");
    }
    assert_eq!(world.echodesk(&["orders", "list"]).code, Some(75));
    assert!(world.bank.requests().is_empty(), "what cannot be written down is not charged");
    postgres.resume();
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("acme", 1);
}

#[test]
fn a_database_that_goes_away_meanwhile_is_to_be_tried_again_later() {
    let Some(postgres) = Postgres::start() else { return };
    let (world, tenants) = many(&postgres);
    let run = begun(&world);
    postgres.stop();
    let ran = run.end().with_code(75);
    assert_eq!(ran.report["database_away"], true, "{ran:#?}");
    postgres.resume();
    goes_on(&world, &tenants);
}

#[test]
fn a_database_that_restarts_meanwhile_loses_and_doubles_nothing() {
    let Some(postgres) = Postgres::start() else { return };
    let (world, tenants) = many(&postgres);
    let run = begun(&world);
    postgres.stop();
    std::thread::sleep(Duration::from_millis(300));
    postgres.resume();
    let ran = run.end();
    assert!(matches!(ran.code(), Some(0 | 1 | 75)), "{ran:#?}");
    goes_on(&world, &tenants);
}

#[test]
fn callbacks_that_find_the_database_away_are_to_be_sent_again() {
    let Some(postgres) = Postgres::start() else { return };
    let world = World::on(Some(postgres.database()), "/dev/null".as_ref());
    let world = PaymentWorld::of(world, by_hand()).serving_callbacks();
    world.subscribe("acme", 2, Card::pays());
    let _ = world.run(&[]).with_code(0);
    postgres.stop();
    world.bank.settle_all();
    eventually("the callback is answered", || world.bank.deliveries().len() == 1);
    assert_eq!(world.bank.deliveries()[0].status, Some(503));
    postgres.resume();
    let order = world.bank.order_of(&world.orders_of("acme")[0]).unwrap();
    let (body, signature) = world.bank.callback_for(&order);
    assert_eq!(world.server().post(body, Some(&signature)), 200);
    assert_eq!(world.states_of("acme"), ["paid by callback"]);
    world.assert_exact("acme", 1);
}
