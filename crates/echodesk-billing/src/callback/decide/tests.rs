use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::{BankOrderId, OrderId};
use crate::{Currency, Money};
use AttemptState as S;

const STATES: [AttemptState; 6] = [S::Prepared, S::Unknown, S::Accepted, S::Paid, S::Failed, S::NotSent];
const OPEN: [AttemptState; 3] = [S::Prepared, S::Unknown, S::Accepted];
const STATUSES: [&str; 11] = [
    "created",
    "processing",
    "completed",
    "rejected",
    "refund_requested",
    "refunded",
    "refunded_partially",
    "auth_requested",
    "blocked",
    "partial_completed",
    "tomorrow",
];

fn attempt(state: AttemptState, bank_order: Option<&str>) -> Attempt {
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
        state,
        bank_order: bank_order.map(|order| BankOrderId(order.to_owned())),
        prepared_at: Timestamp::UNIX_EPOCH,
        refusal: None,
        last_error: None,
        trouble: None,
    }
}

/// A receipt of the right amount for the order `bank`, charged to the card of `parent`.
fn receipt(status: &str, order: &str, parent: Option<&str>) -> Receipt {
    Receipt {
        order: BankOrderId(order.to_owned()),
        external: Some("REC-1".to_owned()),
        status: ReceiptStatus::from_key(status),
        requested: Some("25.5".parse().unwrap()),
        transferred: Some("25.5".parse().unwrap()),
        currency: Some("GEL".to_owned()),
        parent: parent.map(|parent| BankOrderId(parent.to_owned())),
        code: Some("107".to_owned()),
        reject_reason: None,
    }
}

fn is_nothing(action: &Action) -> bool {
    matches!(action, Action::Nothing(_))
}

fn is_trouble(action: &Action) -> bool {
    matches!(action, Action::Trouble(_))
}

fn rejection() -> Action {
    Action::Settle(Some(Refusal::Rejected { code: Some("107".to_owned()), reason: None }))
}

#[test]
fn an_open_attempt_is_settled_by_a_final_callback() {
    for state in OPEN {
        for (known, parent) in [(Some("bank"), Some("parent")), (Some("bank"), None), (None, Some("parent"))] {
            let attempt = attempt(state, known);
            for status in ["completed", "refund_requested", "refunded_partially"] {
                assert_eq!(decide(&attempt, &receipt(status, "bank", parent)), Action::Settle(None), "{status}");
            }
            assert_eq!(decide(&attempt, &receipt("rejected", "bank", parent)), rejection());
        }
    }
}

#[test]
fn what_is_not_final_is_recorded_once() {
    for status in ["created", "processing", "tomorrow"] {
        for state in OPEN {
            let receipt = receipt(status, "bank", Some("parent"));
            assert_eq!(decide(&attempt(state, None), &receipt), Action::Record);
            assert!(is_nothing(&decide(&attempt(state, Some("bank")), &receipt)));
        }
        for state in [S::Paid, S::Failed, S::NotSent] {
            assert!(is_nothing(&decide(&attempt(state, None), &receipt(status, "bank", Some("parent")))));
        }
    }
}

#[test]
fn paid_stays_paid_whatever_comes_later() {
    for known in [Some("bank"), None] {
        for status in STATUSES {
            let action = decide(&attempt(S::Paid, known), &receipt(status, "bank", Some("parent")));
            assert!(is_nothing(&action), "{status}: {action:?}");
        }
    }
}

#[test]
fn what_counted_as_failed_may_turn_out_to_be_paid() {
    for state in [S::Failed, S::NotSent] {
        for known in [Some("bank"), None] {
            let attempt = attempt(state, known);
            assert_eq!(decide(&attempt, &receipt("completed", "bank", Some("parent"))), Action::Settle(None));
            assert!(is_nothing(&decide(&attempt, &receipt("rejected", "bank", Some("parent")))));
            assert!(is_nothing(&decide(&attempt, &receipt("refunded", "bank", Some("parent")))));
            for held in ["blocked", "partial_completed"] {
                assert!(is_trouble(&decide(&attempt, &receipt(held, "bank", Some("parent")))), "{held}");
            }
        }
    }
}

#[test]
fn money_that_is_not_as_asked_for_needs_a_person() {
    let mut wrong = receipt("completed", "bank", Some("parent"));
    wrong.transferred = Some("25.49".parse().unwrap());
    let mut dollars = receipt("completed", "bank", Some("parent"));
    dollars.currency = Some("USD".to_owned());
    for receipt in [wrong, dollars] {
        for state in STATES {
            let action = decide(&attempt(state, Some("bank")), &receipt);
            assert_eq!(is_trouble(&action), state != S::Paid, "{state:?}: {action:?}");
        }
    }
}

#[test]
fn a_second_capture_under_our_name_needs_a_person_in_any_state() {
    for state in STATES {
        for status in ["completed", "refund_requested", "refunded_partially", "partial_completed"] {
            for parent in [Some("parent"), None] {
                let action = decide(&attempt(state, Some("bank")), &receipt(status, "second", parent));
                assert!(is_trouble(&action), "{state:?} {status} {parent:?}: {action:?}");
            }
        }
        // It has taken nothing, or given all back.
        for status in ["rejected", "refunded", "created"] {
            let action = decide(&attempt(state, Some("bank")), &receipt(status, "second", Some("parent")));
            assert_eq!(is_trouble(&action), state.is_open(), "{state:?} {status}: {action:?}");
        }
    }
}

#[test]
fn a_stranger_who_uses_our_name_changes_nothing() {
    for state in STATES {
        for status in STATUSES {
            for known in [Some("bank"), None] {
                let action = decide(&attempt(state, known), &receipt(status, "strange", Some("strange card")));
                assert!(is_nothing(&action), "{state:?} {status} {known:?}: {action:?}");
            }
            let action = decide(&attempt(state, None), &receipt(status, "strange", None));
            assert!(is_nothing(&action), "{state:?} {status}: {action:?}");
        }
    }
}

#[test]
fn our_own_order_with_another_name_or_card_needs_a_person() {
    let mut renamed = receipt("completed", "bank", Some("parent"));
    renamed.external = Some("REC-2".to_owned());
    let other_card = receipt("completed", "bank", Some("another card"));
    for receipt in [renamed, other_card] {
        for state in [S::Accepted, S::Failed] {
            assert!(is_trouble(&decide(&attempt(state, Some("bank")), &receipt)));
        }
    }
}

proptest! {
    #[test]
    fn only_the_right_money_on_our_card_pays(
        state in 0..6_usize,
        status in 0..11_usize,
        known in any::<bool>(),
        order in "bank|other",
        external in proptest::option::of("REC-1|REC-2"),
        parent in proptest::option::of("parent|other"),
        cents in 2549..2552_i64,
        currency in proptest::option::of("GEL|USD"),
    ) {
        let attempt = attempt(STATES[state], known.then_some("bank"));
        let amount = Some(rust_decimal::Decimal::new(cents, 2));
        let receipt = Receipt {
            external,
            transferred: amount,
            requested: amount,
            currency,
            ..receipt(STATUSES[status], &order, parent.as_deref())
        };
        if decide(&attempt, &receipt) == Action::Settle(None) {
            let named = |name: &Option<String>| name.as_deref().is_none_or(|name| name == "REC-1");
            prop_assert!(attempt.state != S::Paid && cents == 2550 && receipt.currency.as_deref() == Some("GEL"));
            prop_assert!(named(&receipt.external) && parent.as_deref().is_none_or(|parent| parent == "parent"));
            let is_proven = if known { order == "bank" } else { receipt.external.is_some() && parent.is_some() };
            prop_assert!(is_proven);
        }
    }
}
