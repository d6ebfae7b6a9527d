use super::*;
use crate::model::{AttemptState, BankOrderId, Receipt, Refusal};
use crate::ports::{BankDown, ChargeAnswer, ChargeRequest, Claim, Claims, ReceiptError};
use crate::testing::Fault;

fn states(world: &World) -> Vec<AttemptState> {
    world.ledger.all_attempts().iter().map(|attempt| attempt.state).collect()
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_again_with_the_same_key() {
    for fault in [Fault::LostAnswer, Fault::LostRequest] {
        let world = World::paying();
        world.bank.faults([fault]);
        let (_, events) = world.run().await;
        assert_eq!(codes(&events), ["paid"], "{fault:?}: repeated within the run");
        world.assert_exact(1);
        assert_eq!(world.ledger.all_attempts().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_unknown_is_a_barrier_until_the_next_run_resolves_it() {
    let world = World::paying();
    world.bank.faults([Fault::LostAnswer; 20]);
    let (report, events) = world.run().await;
    assert_eq!(codes(&events), ["unknown"]);
    assert_eq!(report.totals.failures, 1);
    world.clock.advance(Duration::from_secs(3600 * 21));
    world.bank.no_more_faults();
    assert_eq!(codes(&world.run().await.1), ["paid"]);
    world.assert_exact(1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_too_old_is_never_used_again() {
    let world = World::paying();
    world.bank.faults([Fault::LostAnswer; 20]);
    let _ = world.run().await;
    world.bank.no_more_faults();
    let calls = world.bank.calls();
    for _day in 0..2 {
        world.days_later(1);
        let (_, events) = world.run().await;
        assert_eq!(codes(&events), ["needs_person"], "every time");
    }
    assert_eq!(world.bank.calls(), calls);
    assert_eq!(states(&world), [AttemptState::Unknown]);
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_is_away_leaves_nothing_behind() {
    let world = World::new(vec![vec![Fate::Pays]; 20]);
    world.bank.set_down(true);
    let (report, events) = world.run().await;
    assert_eq!(report.totals.postponed, 20, "{events:#?}");
    assert!(report.bank_away.is_some());
    assert!(world.ledger.all_attempts().is_empty());
    world.bank.set_down(false);
    world.days_later(1);
    assert_eq!(world.run().await.0.totals.paid, 20);
}

#[tokio::test(start_paused = true)]
async fn what_was_certainly_not_sent_is_tried_anew() {
    let world = World::paying();
    world.bank.faults([Fault::NotSent]);
    assert_eq!(codes(&world.run().await.1), ["postponed"]);
    assert_eq!(states(&world), [AttemptState::NotSent]);
    world.days_later(1);
    assert_eq!(codes(&world.run().await.1), ["paid"]);
    assert_eq!(states(&world), [AttemptState::NotSent, AttemptState::Paid]);
    world.assert_exact(1);
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_does_not_answer_is_not_called_for_everybody() {
    let mut world = World::new(vec![vec![Fate::Pays]; 100]);
    world.options.settle_for = Duration::from_millis(100);
    world.bank.faults([Fault::LostAnswer; 1000]);
    let (report, _) = world.run().await;
    assert!(report.totals.unknown <= 30, "{:?}", report.totals);
    assert_eq!(report.totals.unknown + report.totals.postponed, 100);
    world.bank.no_more_faults();
    let (report, _) = world.run().await;
    assert_eq!(report.totals.paid, 100);
    (1..=100).for_each(|number| world.assert_exact(number));
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_closes_the_attempt() {
    for status in [400, 403, 404, 422] {
        let world = World::new([vec![Fate::Refused(status)]]);
        let (_, events) = world.run().await;
        assert_eq!(codes(&events), ["refused"], "{status}");
        assert_eq!(states(&world), [AttemptState::Failed]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_the_bank_says_nothing_about_is_not_pending_but_unknown() {
    let world = World::new([vec![Fate::Hangs]]);
    assert_eq!(codes(&world.run().await.1), ["pending"]);
    world.bank.set_down(true);
    let (report, events) = world.run().await;
    assert_eq!(codes(&events), ["unknown"]);
    assert_eq!(report.totals.failures, 1);
    assert_eq!(states(&world), [AttemptState::Accepted]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_may_not_be_the_first_answer_closes_nothing() {
    let world = World::new([vec![Fate::Refused(403)]]);
    world.bank.faults([Fault::LostRequest]);
    let (report, events) = world.run().await;
    assert_eq!(codes(&events), ["unknown"], "the lost call may have charged");
    assert_eq!((report.totals.failures, states(&world)), (1, vec![AttemptState::Unknown]));
}

#[tokio::test(start_paused = true)]
async fn refusals_that_are_our_own_fault_do_not_go_through_everybody() {
    let world = World::new(vec![vec![Fate::Refused(403)]; 100]);
    let (report, _) = world.run().await;
    assert!(report.totals.refused <= 30, "{:?}", report.totals);
    assert_eq!(report.totals.refused + report.totals.postponed, 100);
    world.days_later(1);
    for number in 1..=100 {
        world.bank.card(&format!("card-tenant{number}"), gel("50"), [Fate::Pays]);
    }
    let (report, events) = world.run().await;
    assert_eq!(report.totals.paid, 100, "all of them on the next day: {:#?}", &events[..3]);
}

/// Refuses a call before it has looked at it, while another run takes the attempt over.
struct TakenOver {
    ledger: Arc<MemoryLedger>,
    claim: Claim,
}

impl Bank for TakenOver {
    async fn ready(&self) -> Result<(), BankDown> {
        Ok(())
    }

    async fn charge(&self, _request: &ChargeRequest) -> ChargeAnswer {
        let taken = self.ledger.claim(&self.claim, Claims::Left, None, None, 10).unwrap();
        assert_eq!(taken.len(), 1);
        ChargeAnswer::Refused(Refusal::Http { status: 400, code: None, message: "bad request".to_owned() })
    }

    async fn receipt(&self, _order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        unreachable!("there is no order")
    }
}

/// Another host, whose clock is wrong, took the claim for over: its call with the same key was on its way when the
/// first was refused, and its order went on without a barrier.
#[tokio::test(start_paused = true)]
async fn seed_5001_a_refused_first_call_closes_nothing_that_another_run_has_taken_over() {
    let world = World::paying();
    let hours_later = |hours| world.clock.now() + jiff::SignedDuration::from_hours(hours);
    let claim = Claim { run: RunId::random(), now: hours_later(1), until: hours_later(2) };
    let bank = Arc::new(TakenOver { ledger: world.ledger.clone(), claim });
    let (_, events) = world.run_with(world.ledger.clone(), bank).await;
    // The other run tells of it.
    assert_eq!((codes(&events), states(&world)), (vec![], vec![AttemptState::Prepared]));
    world.ledger.end_claims();
    assert_eq!(codes(&world.run().await.1), ["paid"]);
    world.assert_exact(1);
}
