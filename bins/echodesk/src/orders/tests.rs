//! Orders on an embedded database.

use echodesk_billing::model::{AttemptState, Refusal};
use echodesk_billing::ports::{BillingStore as _, Claim, Settlement, Source};
use echodesk_core::RunId;
use jiff::tz::TimeZone;

use crate::testing::{Bench, now};

fn refused(bench: &Bench, line: &str) -> (String, u8) {
    let error = bench.run(line).unwrap_err();
    (echodesk_job::one_line(&error), error.status().code())
}

#[test]
fn an_order_that_was_paid_extends_its_subscription_once() {
    let bench = Bench::subscribed();
    let attempt = bench.prepare();
    bench.store.unanswered(attempt.id, "no answer", now()).unwrap();
    let order = &attempt.order;
    assert!(bench.run("orders list --unknown").unwrap().text.contains(order.as_str()));
    let told = bench.run(&format!("orders resolve {order} --paid --because statement")).unwrap().text;
    assert_eq!(told, format!("order {order} is paid; the subscription of acme runs until 2026-12-24T00:00:00Z\n"));
    assert_eq!(bench.state(&attempt), AttemptState::Paid);
    assert_eq!(bench.run("orders list").unwrap().text, "no order is open or in trouble\n");

    for end in ["--paid", "--failed"] {
        let (error, code) = refused(&bench, &format!("orders resolve {order} {end} --because again"));
        assert!(error.contains("paid since 2026-11-22T10:00:00Z, as a person said: statement"), "{error}");
        assert_eq!(code, 2);
    }
}

#[test]
fn an_order_that_failed_is_closed_and_tried_again() {
    let bench = Bench::subscribed();
    let attempt = bench.prepare();
    let told = bench.run(&format!("orders resolve {} --failed --because statement", attempt.order)).unwrap().text;
    assert_eq!(told, format!("order {} has failed; the card is charged again from 2026-11-23 on\n", attempt.order));
    let closed = bench.store.attempt_of_order(&attempt.order).unwrap().unwrap();
    assert_eq!(closed.refusal, Some(Refusal::Person { because: "statement".to_owned() }));
}

#[test]
fn what_the_bank_can_still_be_asked_is_not_for_a_person_and_a_wrong_word_can_be_taken_back() {
    let bench = Bench::subscribed();
    let attempt = bench.accepted("b-1");
    let (error, code) = refused(&bench, &format!("orders resolve {} --paid --because x", attempt.order));
    assert!(error.contains("the next run asks"), "{error}");
    assert_eq!((code, bench.state(&attempt)), (2, AttemptState::Accepted));
    bench.store.set_trouble(attempt.id, Some("odd"), now()).unwrap();
    let _ = bench.run(&format!("orders resolve {} --failed --because x", attempt.order)).unwrap();
    let _ = bench.run(&format!("orders resolve {} --paid --because statement", attempt.order)).unwrap();
    assert_eq!(bench.state(&attempt), AttemptState::Paid);
}

#[test]
fn what_a_run_works_on_is_left_to_it_and_what_nobody_knows_is_said_so() {
    let bench = Bench::subscribed();
    let until = "2026-11-22T10:05:00Z".parse().unwrap();
    let attempt = bench.prepare_by(Claim { run: RunId::random(), until, now: now() });
    let (error, code) = refused(&bench, &format!("orders resolve {} --paid --because x", attempt.order));
    assert!(error.contains("until 2026-11-22T10:05:00Z"), "{error}");
    assert_eq!((code, bench.state(&attempt)), (2, AttemptState::Prepared));
    let (error, code) = refused(&bench, "orders resolve REC-NOBODY --paid --because x");
    assert!(error.contains("there is no order REC-NOBODY"), "{error}");
    assert_eq!(code, 2);
}

#[test]
fn trouble_on_a_paid_order_is_dealt_with_and_the_money_is_not_taken_back() {
    let bench = Bench::subscribed();
    let attempt = bench.accepted("b-1");
    let (store, zone) = (&bench.store, TimeZone::UTC);
    let paid = Settlement {
        refusal: None,
        bank_order: None,
        source: Source::Receipt,
        now: now(),
        run: None,
        time_zone: &zone,
    };
    store.settle(attempt.id, &paid).unwrap();
    store.set_trouble(attempt.id, Some("charged twice"), now()).unwrap();
    let order = &attempt.order;
    assert!(bench.run("orders list").unwrap().text.contains("TROUBLE: charged twice"));
    let (error, code) = refused(&bench, &format!("orders resolve {order} --failed --because x"));
    assert!(error.contains("was paid, so it cannot have failed"), "{error}");
    assert_eq!(code, 2);
    let told = bench.run(&format!("orders resolve {order} --paid --because refunded")).unwrap().text;
    assert_eq!(told, format!("order {order} stays as it is (paid); its trouble is done with: charged twice\n"));
    assert_eq!(bench.run("orders list").unwrap().text, "no order is open or in trouble\n");
    assert_eq!(bench.state(&attempt), AttemptState::Paid);
}

#[test]
fn a_tenant_is_subscribed_once() {
    let bench = Bench::subscribed();
    let (error, code) = refused(&bench, "tenant subscribe acme --expires 2026-12-24 --agents 5 --price 10");
    assert!(error.contains("expires at 2026-11-24T00:00:00Z"), "{error}");
    assert_eq!(code, 2);
    let (error, code) = refused(&bench, "tenant subscribe acmee --expires 2026-12-24 --agents 5 --price 10");
    assert!(error.contains("did you mean acme"), "{error}");
    assert_eq!(code, 2);
    let (error, _) = refused(&bench, "tenant subscribe acme --expires 2026-12-24 --agents 1000000 --price 1000");
    assert!(error.contains("the price for 1000000 agents") && error.contains("99999999.99"), "{error}");
}
