use echodesk_core::{Language, SubscriptionId, Tenant, TenantId};

use super::*;
use crate::Currency;
use crate::model::{BankOrderId, Refusal, Seen};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-22T02:00:00Z")
}

fn gel(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::Gel).unwrap()
}

fn bank_order(text: &str) -> BankOrderId {
    BankOrderId(text.to_owned())
}

/// Two agents at 25 GEL, expiring in two days, with a card that can be charged 50 GEL.
fn due() -> Candidate {
    Candidate {
        subscription: SubscriptionId(7),
        tenant: Tenant {
            id: TenantId(3),
            schema: "acme".parse().unwrap(),
            name: "Acme".to_owned(),
            admin_email: "a@b.c".to_owned(),
            admin_name: "Ann".to_owned(),
            language: Language::En,
            is_active: true,
        },
        seen: Seen {
            tenant_active: true,
            provider: "bog".to_owned(),
            active: true,
            expires_at: Some(at("2026-11-24T00:00:00Z")),
            next_billing_date: Some(at("2026-11-24T00:00:00Z")),
            agent_count: 2,
            parent: Some(bank_order("parent")),
            last_attempt: None,
        },
        feature_prices: vec!["20".parse().unwrap(), "5".parse().unwrap()],
        own_card_order: Some(CardOrder { bank_order: bank_order("parent"), amount: Ok(gel("50")) }),
        newest_card_order: None,
        attempts: Vec::new(),
        echodesk_retry: None,
        foreign_order: None,
    }
}

fn attempt(number: u32, state: AttemptState, code: &str) -> PastAttempt {
    PastAttempt {
        order: OrderId(format!("REC-{number}")),
        period: at("2026-11-24T00:00:00Z"),
        number,
        state,
        parent: bank_order("parent"),
        refusal: Some(Refusal::Rejected { code: Some(code.to_owned()), reason: None }),
        closed_at: Some(at("2026-11-21T02:00:00Z")),
    }
}

fn judged(change: impl FnOnce(&mut Candidate)) -> Decision {
    let mut candidate = due();
    change(&mut candidate);
    judge(&candidate, &Policy::default(), now())
}

fn skip(change: impl FnOnce(&mut Candidate)) -> Skip {
    match judged(change) {
        Decision::Skip(skip) => skip,
        Decision::Charge(charge) => panic!("charged: {charge:?}"),
    }
}

fn charge(change: impl FnOnce(&mut Candidate)) -> Charge {
    match judged(change) {
        Decision::Charge(charge) => *charge,
        Decision::Skip(skip) => panic!("skipped: {skip}"),
    }
}

#[test]
fn what_is_due_is_charged_its_price() {
    let charge = charge(|_| ());
    assert_eq!((charge.amount, charge.number, charge.parent.as_str()), (gel("50"), 1, "parent"));
    assert_eq!(charge.period, at("2026-11-24T00:00:00Z"));
    assert!(charge.card_amount_known);
}

#[test]
fn each_reason_not_to_charge_is_told() {
    assert_eq!(skip(|c| c.seen.tenant_active = false), Skip::TenantInactive);
    assert_eq!(skip(|c| c.seen.active = false), Skip::SubscriptionInactive);
    assert_eq!(skip(|c| c.seen.expires_at = Some(at("2026-11-25T02:00:01Z"))), Skip::NotDue);
    assert_eq!(skip(|c| c.seen.expires_at = Some(at("2026-11-15T02:00:00Z"))), Skip::NotDue);
    assert_eq!(skip(|c| (c.seen.expires_at, c.seen.next_billing_date) = (None, None)), Skip::NotDue);
    assert_eq!(skip(|c| c.seen.provider = "paddle".to_owned()), Skip::Provider("paddle".to_owned()));
    assert_eq!(skip(|c| c.feature_prices.clear()), Skip::NothingToPay);
    assert!(matches!(skip(|c| c.seen.agent_count = -1), Skip::PriceUnusable(_)));
    assert_eq!(skip(|c| c.seen.parent = None), Skip::NoCard);
    assert_eq!(skip(|c| c.echodesk_retry = Some(now())), Skip::EchoDeskRetries(now()));
    let (late, overdue) = (at("2026-11-21T03:00:00Z"), at("2026-11-21T01:00:00Z"));
    assert_eq!(skip(|c| c.echodesk_retry = Some(late)), Skip::EchoDeskRetries(late));
    assert_eq!(skip(|c| c.echodesk_retry = Some(overdue)), Skip::EchoDeskRetryOverdue(overdue));
    assert!(Skip::EchoDeskRetryOverdue(overdue).needs_person());
    let foreign = |c: &mut Candidate| c.foreign_order = Some("RETRY-1".to_owned());
    assert_eq!(skip(foreign), Skip::ForeignOrder("RETRY-1".to_owned()));
    let exempt = Policy { exempt: ["acme".parse().unwrap()].into(), ..Policy::default() };
    assert_eq!(judge(&due(), &exempt, now()), Decision::Skip(Skip::Exempt));
}

#[test]
fn without_an_expiry_the_billing_date_counts() {
    assert_eq!(charge(|c| c.seen.expires_at = None).period, at("2026-11-24T00:00:00Z"));
}

#[test]
fn an_open_attempt_of_any_period_is_a_barrier() {
    for state in [AttemptState::Prepared, AttemptState::Unknown, AttemptState::Accepted] {
        let open = |c: &mut Candidate| {
            let mut open = attempt(1, state, "100");
            open.period = at("2026-10-24T00:00:00Z");
            c.attempts = vec![open];
        };
        assert!(matches!(skip(open), Skip::Open { .. }), "{state:?}");
    }
}

#[test]
fn a_paid_period_is_not_charged_again_even_if_its_date_was_moved() {
    for date in ["2026-11-24T00:00:00Z", "2026-11-23T09:00:00Z", "2026-11-25T01:00:00Z"] {
        let paid = |c: &mut Candidate| {
            c.attempts = vec![attempt(1, AttemptState::Paid, "100")];
            c.seen.expires_at = Some(at(date));
        };
        assert_eq!(skip(paid), Skip::PeriodPaid(OrderId("REC-1".to_owned())), "{date}");
    }
    let before = |c: &mut Candidate| {
        let mut paid = attempt(1, AttemptState::Paid, "100");
        paid.period = at("2026-10-25T00:00:00Z");
        c.attempts = vec![paid];
    };
    assert_eq!(charge(before).number, 1, "the period before does not count");
}

#[test]
fn a_soft_decline_is_retried_on_its_day_with_the_next_number() {
    let failed_on = |closed_at: &'static str| {
        move |c: &mut Candidate| {
            let mut failed = attempt(1, AttemptState::Failed, "107");
            failed.closed_at = Some(at(closed_at));
            c.attempts = vec![failed];
        }
    };
    assert_eq!(charge(failed_on("2026-11-21T06:00:00Z")).number, 2);
    let today = Skip::RetryOn("2026-11-22".parse().unwrap());
    assert_eq!(skip(failed_on("2026-11-21T23:00:00Z")), today, "a new day, and three hours later");
    assert_eq!(skip(failed_on("2026-11-22T00:10:00Z")), Skip::RetryOn("2026-11-23".parse().unwrap()));
}

#[test]
fn a_hard_decline_waits_for_another_card() {
    let failed = |c: &mut Candidate| c.attempts = vec![attempt(1, AttemptState::Failed, "105")];
    assert_eq!(skip(failed), Skip::WaitsForCard("the card has expired (code 105)".to_owned()));
    let replaced = |c: &mut Candidate| {
        c.attempts = vec![attempt(1, AttemptState::Failed, "105")];
        c.seen.parent = Some(bank_order("new"));
        c.own_card_order = None;
    };
    let charge = charge(replaced);
    assert_eq!((charge.number, charge.parent.as_str(), charge.card_amount_known), (2, "new", false));
}

#[test]
fn a_card_that_can_only_be_charged_another_amount_is_not_charged() {
    let dearer = |c: &mut Candidate| c.seen.agent_count = 3;
    let then = Skip::PriceChanged { card_amount: gel("50"), price: gel("75") };
    assert_eq!(skip(dearer), then);
    assert!(then.needs_person());
}

#[test]
fn the_newest_paid_order_with_a_card_stands_in_for_the_subscriptions_own() {
    let without = |amount: &'static str| {
        move |c: &mut Candidate| {
            c.seen.parent = None;
            c.newest_card_order = Some(CardOrder { bank_order: bank_order("newest"), amount: Ok(gel(amount)) });
        }
    };
    assert_eq!(charge(without("50.00")).parent.as_str(), "newest");
    assert!(matches!(skip(without("49.99")), Skip::PriceChanged { .. }));
}

#[test]
fn a_key_is_trusted_until_its_time_is_up() {
    let policy = Policy::default();
    assert!(policy.trusts_key(now(), now()));
    assert!(policy.trusts_key(at("2026-11-21T04:00:01Z"), now()));
    assert!(!policy.trusts_key(at("2026-11-21T04:00:00Z"), now()), "by another host's clock it may be a day");
    assert!(policy.trusts_key(at("2026-11-22T03:30:00Z"), now()), "another host's clock is ahead");
    assert!(!policy.trusts_key(at("2026-11-23T02:00:00Z"), now()), "a clock that was wrong then, or is now");
}

/// With one run a day it was a matter of milliseconds whether the next one asked again or left it to a person.
#[test]
fn seed_32_a_run_a_day_later_never_asks_with_a_key_that_may_be_forgotten() {
    let (policy, prepared_at) = (Policy::default(), at("2026-03-09T22:00:01.718Z"));
    for later in ["2026-03-10T22:00:01.717Z", "2026-03-10T22:00:01.799Z"] {
        assert!(!policy.trusts_key(prepared_at, at(later)));
    }
    assert!(policy.trusts_key(prepared_at, at("2026-03-10T14:00:03Z")), "several runs a day do");
    let short = Policy { key_trusted_for: SignedDuration::from_hours(3), ..policy };
    assert!(short.trusts_key(prepared_at, at("2026-03-09T23:00:01Z")));
    assert!(!short.trusts_key(prepared_at, at("2026-03-09T23:00:02Z")), "two hours ahead it is three by now");
}
