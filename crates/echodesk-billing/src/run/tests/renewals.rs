use echodesk_core::notice::NoticeKind;

use super::*;
use crate::model::AttemptState;
use crate::rules::due::Skip;
use crate::rules::retry::Next;

#[tokio::test(start_paused = true)]
async fn a_due_subscription_is_charged_and_extended_within_the_run() {
    let world = World::paying();
    let (report, events) = world.run().await;
    assert_eq!(codes(&events), ["paid"]);
    assert_eq!((report.totals.paid, report.totals.amount_paid), (1, gel("50").amount()));
    assert_eq!(world.ledger.account(1).unwrap().seen.expires_at, Some(at("2026-12-24T00:00:00Z")));
    assert_eq!(world.bank.captures().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_run_finds_nothing_to_do() {
    let world = World::paying();
    let _ = world.run().await;
    let calls = world.bank.calls();
    let (_, events) = world.run().await;
    assert!(events.is_empty(), "{events:#?}");
    assert_eq!(world.bank.calls(), calls);
}

#[tokio::test]
async fn five_runs_at_once_charge_once() {
    let world = Arc::new(World::new(vec![vec![Fate::Pays]; 40]));
    let runs: Vec<_> = (0..5)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.run().await })
        })
        .collect();
    for run in runs {
        let _ = run.await.unwrap();
    }
    assert_eq!(world.bank.captures().len(), 40);
    (1..=40).for_each(|number| world.assert_exact(number));
}

#[tokio::test(start_paused = true)]
async fn what_the_bank_has_not_finished_is_pending_and_settled_by_the_next_run() {
    let world = World::new([vec![Fate::Hangs]]);
    let (_, events) = world.run().await;
    assert_eq!(codes(&events), ["pending"]);
    let order = events[0].order.clone().unwrap();
    world.bank.finish(&order, Fate::Pays);
    let (_, events) = world.run().await;
    assert_eq!(codes(&events), ["paid"], "told once, though it was due as well");
    world.assert_exact(1);
}

#[tokio::test(start_paused = true)]
async fn a_soft_decline_is_tried_on_days_one_three_and_five_and_then_given_up() {
    let world = World::new([vec![Fate::Rejected("107".to_owned())]]);
    world.ledger.change(1, |account| account.seen.expires_at = Some(at("2026-11-25T02:00:00Z")));
    let mut told = Vec::new();
    for _day in 0..9 {
        let (_, events) = world.run().await;
        told.extend(codes(&events));
        world.days_later(1);
    }
    let attempts = world.ledger.all_attempts();
    let days: Vec<_> = attempts.iter().map(|attempt| attempt.prepared_at.to_string()[8..10].to_owned()).collect();
    assert_eq!(days, ["22", "23", "25", "27"]);
    assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(
        told,
        ["refused", "refused", "skipped", "refused", "skipped", "refused", "skipped", "skipped", "skipped"]
    );
    assert!(world.bank.captures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hard_decline_waits_for_a_new_card() {
    let world = World::new([vec![Fate::Rejected("105".to_owned())]]);
    let (_, events) = world.run().await;
    let refused =
        Outcome::Refused { words: "the card has expired (code 105)".to_owned(), next: Some(Next::WhenCardChanges) };
    assert_eq!(events[0].outcome, refused);
    world.days_later(1);
    let (report, events) = world.run().await;
    assert!(matches!(&events[0].outcome, Outcome::Skipped(Skip::WaitsForCard(_))), "{events:#?}");
    assert_eq!(report.totals.failures, 0, "told once by the exit code, when it happened");
    world.bank.card("new", gel("50"), [Fate::Pays]);
    world.ledger.change(1, |account| {
        account.seen.parent = Some(crate::model::BankOrderId("new".to_owned()));
    });
    assert_eq!(codes(&world.run().await.1), ["paid"]);
    world.assert_exact(1);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_can_only_be_charged_the_old_price_is_not_charged_whoever_knows_it() {
    for known in [Some(gel("49")), None] {
        let world = World::paying();
        world.bank.card("card-tenant1", gel("49"), [Fate::Pays]);
        world.ledger.change(1, |account| account.card_amount = known);
        let (report, events) = world.run().await;
        assert!(matches!(events[0].outcome, Outcome::Skipped(Skip::PriceChanged { .. })), "{events:#?}");
        assert_eq!(report.totals.failures, 1);
        assert!(matches!(world.ledger.notices()[0].kind, NoticeKind::PriceChanged { .. }));
        assert!(world.bank.captures().is_empty());
        assert!(world.ledger.all_attempts().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_ends_after_a_suspension_lifts_it() {
    let world = World::new([vec![Fate::Hangs]]);
    let (_, events) = world.run().await;
    world.ledger.change(1, |account| (account.seen.active, account.seen.tenant_active) = (false, false));
    world.days_later(20);
    world.bank.finish(&events[0].order.clone().unwrap(), Fate::Pays);
    let (_, events) = world.run().await;
    let until = Some(at("2027-01-11T02:00:00Z"));
    assert_eq!(events[0].outcome, Outcome::Paid { until, reactivated: true });
    assert!(world.ledger.account(1).unwrap().seen.tenant_active);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_starts_nothing_and_leaves_nothing_claimed() {
    let world = World::new(vec![vec![Fate::Pays]; 3]);
    world.stop.stop();
    let (report, _) = world.run().await;
    assert!(report.stopped);
    assert!(world.bank.captures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_tells_what_a_run_would_do_and_does_nothing() {
    let world = World::new([vec![Fate::Pays], vec![Fate::Hangs]]);
    world.ledger.change(1, |account| account.seen.expires_at = Some(at("2026-11-28T00:00:00Z")));
    let (_, events) = world.run().await;
    assert_eq!(codes(&events), ["pending"], "the first is not due yet");
    let calls = world.bank.calls();
    for (now, told) in
        [("2026-11-22T03:00:00Z", vec!["would_settle"]), ("2026-11-26T03:00:00Z", vec!["would_settle", "would_charge"])]
    {
        let events = Events::default();
        let report = preview(world.ledger.as_ref(), &events, &world.options, at(now)).unwrap();
        assert_eq!(codes(&events.0.lock().unwrap()), told, "{now}");
        assert_eq!(report.totals.failures, 0);
    }
    assert_eq!(world.bank.calls(), calls);
    assert_eq!(world.ledger.all_attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_settled_by_a_callback_is_told_of_by_the_run_that_charged() {
    let world = World::new([vec![Fate::Hangs]]);
    let polling = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        let attempt = world.ledger.all_attempts().remove(0);
        let settlement = crate::ports::Settlement {
            refusal: None,
            bank_order: attempt.bank_order.as_ref(),
            source: crate::ports::Source::Callback,
            now: world.clock.now(),
            run: None,
            time_zone: &jiff::tz::TimeZone::UTC,
        };
        let _ = world.ledger.settle(attempt.id, &settlement).unwrap();
    };
    let ((_, events), ()) = tokio::join!(world.run(), polling);
    assert_eq!(codes(&events), ["paid"]);
    assert_eq!(world.ledger.all_attempts()[0].state, AttemptState::Paid);
}
