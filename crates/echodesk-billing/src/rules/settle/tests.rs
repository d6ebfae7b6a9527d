use jiff::Timestamp;
use rust_decimal::Decimal;

use super::*;
use crate::model::{BankOrderId, OrderId};
use crate::{Currency, Money};

fn attempt() -> Attempt {
    Attempt {
        id: echodesk_core::AttemptId(1),
        subscription: echodesk_core::SubscriptionId(2),
        tenant: echodesk_core::TenantId(3),
        schema: "acme".parse().unwrap(),
        period: Timestamp::UNIX_EPOCH,
        number: 1,
        order: OrderId("REC-1".to_owned()),
        key: uuid::Uuid::nil(),
        parent: BankOrderId("parent".to_owned()),
        amount: Money::new("25.50".parse().unwrap(), Currency::Gel).unwrap(),
        state: AttemptState::Accepted,
        bank_order: Some(BankOrderId("bank".to_owned())),
        prepared_at: Timestamp::UNIX_EPOCH,
        refusal: None,
        last_error: None,
        trouble: None,
    }
}

fn receipt(status: &str) -> Receipt {
    let amount = |text: &str| -> Option<Decimal> { Some(text.parse().unwrap()) };
    Receipt {
        order: BankOrderId("bank".to_owned()),
        external: Some("REC-1".to_owned()),
        status: ReceiptStatus::from_key(status),
        requested: amount("25.5"),
        transferred: amount("25.5"),
        currency: Some("GEL".to_owned()),
        parent: Some(BankOrderId("parent".to_owned())),
        code: Some("100".to_owned()),
        reject_reason: None,
    }
}

fn changed(change: impl FnOnce(&mut Receipt)) -> Verdict {
    let mut receipt = receipt("completed");
    change(&mut receipt);
    judge(&attempt(), &receipt)
}

#[test]
fn the_status_decides() {
    for status in ["completed", "refund_requested", "refunded_partially"] {
        assert_eq!(judge(&attempt(), &receipt(status)), Verdict::Paid, "{status}");
    }
    for status in ["created", "processing", "tomorrow"] {
        assert_eq!(judge(&attempt(), &receipt(status)), Verdict::Open(status.to_owned()));
    }
    for status in ["refunded", "blocked", "auth_requested", "partial_completed"] {
        assert!(matches!(judge(&attempt(), &receipt(status)), Verdict::Trouble(_)), "{status}");
    }
    let refusal = Refusal::Rejected { code: Some("100".to_owned()), reason: None };
    assert_eq!(judge(&attempt(), &receipt("rejected")), Verdict::Failed(refusal));
}

#[test]
fn money_that_is_not_what_was_asked_for_pays_nothing() {
    let trouble = |verdict: Verdict| matches!(verdict, Verdict::Trouble(_));
    assert!(trouble(changed(|r| r.transferred = Some("25.49".parse().unwrap()))));
    assert!(trouble(changed(|r| r.transferred = Some("2550".parse().unwrap()))));
    assert!(trouble(changed(|r| r.currency = Some("USD".to_owned()))));
    assert!(trouble(changed(|r| r.currency = None)));
    assert!(trouble(changed(|r| (r.transferred, r.requested) = (None, None))));
    assert_eq!(changed(|r| r.transferred = None), Verdict::Paid, "then what was asked for counts");
    assert_eq!(changed(|r| r.transferred = Some("25.500".parse().unwrap())), Verdict::Paid);
}

#[test]
fn what_is_about_another_order_pays_nothing() {
    let other = || "other".to_owned();
    for verdict in [
        changed(|r| r.order = BankOrderId(other())),
        changed(|r| r.external = Some(other())),
        changed(|r| r.parent = Some(BankOrderId(other()))),
    ] {
        assert!(matches!(verdict, Verdict::Trouble(_)), "{verdict:?}");
    }
    assert_eq!(changed(|r| (r.external, r.parent) = (None, None)), Verdict::Paid, "the bank's own name is enough");
}

#[test]
fn before_the_bank_has_named_the_order_the_card_must_be_ours() {
    let mut unknown = attempt();
    (unknown.bank_order, unknown.state) = (None, AttemptState::Unknown);
    assert_eq!(judge(&unknown, &receipt("completed")), Verdict::Paid);
    let mut anonymous = receipt("completed");
    anonymous.parent = None;
    assert!(matches!(judge(&unknown, &anonymous), Verdict::Unproven(_)));
}

#[test]
fn paid_is_final_and_failed_is_not() {
    use {AttemptState as A, OrderStatus as O};
    let pay = |extend, late| Closing::Pay { extend, late };
    for (attempt, order, paid, then) in [
        (A::Accepted, O::Pending, true, pay(true, false)),
        (A::Prepared, O::Pending, true, pay(true, false)),
        (A::Unknown, O::Paid, true, pay(false, false)),
        (A::Accepted, O::Closed, true, pay(true, false)),
        (A::Failed, O::Closed, true, pay(true, true)),
        (A::NotSent, O::Closed, true, pay(true, true)),
        (A::Failed, O::Paid, true, pay(false, true)),
        (A::Paid, O::Paid, true, Closing::Nothing),
        (A::Paid, O::Paid, false, Closing::Nothing),
        (A::Paid, O::Pending, false, Closing::Nothing),
        (A::Failed, O::Closed, false, Closing::Nothing),
        (A::Accepted, O::Pending, false, Closing::Fail { count: true }),
        (A::Accepted, O::Closed, false, Closing::Fail { count: false }),
        (A::Accepted, O::Paid, false, Closing::Contradiction),
        (A::Accepted, O::BeingPaid, true, Closing::Wait),
        (A::Accepted, O::PaidInVain, true, pay(true, false)),
    ] {
        assert_eq!(closing(attempt, order, paid), then, "{attempt:?} {order:?} paid: {paid}");
    }
}

#[test]
fn an_order_that_echodesk_has_marked_is_booked_only_once_the_date_has_moved() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let attempt = Attempt { period: at("2026-11-25T00:00:00Z"), ..attempt() };
    let now = at("2026-11-22T10:00:00Z");
    for (status, paid_at, date, then) in [
        ("pending", None, "2026-11-25T00:00:00Z", OrderStatus::Pending),
        ("failed", None, "2026-11-25T00:00:00Z", OrderStatus::Closed),
        ("paid", Some("2026-11-22T09:59:00Z"), "2026-12-25T00:00:00Z", OrderStatus::Paid),
        ("paid", Some("2026-11-22T09:59:00Z"), "2026-11-25T00:00:00Z", OrderStatus::BeingPaid),
        ("paid", Some("2026-11-22T09:49:00Z"), "2026-11-25T00:00:00Z", OrderStatus::PaidInVain),
        ("paid", None, "2026-11-25T00:00:00Z", OrderStatus::PaidInVain),
    ] {
        let found = order_status(status, paid_at.map(at), Some(at(date)), &attempt, now);
        assert_eq!(found, then, "{status} {paid_at:?} {date}");
    }
    assert_eq!(order_status("paid", None, None, &attempt, now), OrderStatus::Paid, "no date to move");
}
