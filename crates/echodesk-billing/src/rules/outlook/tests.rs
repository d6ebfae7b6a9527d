use echodesk_core::notice::RenewalPlan as Plan;

use super::*;
use crate::model::{AttemptState, BankOrderId, CardOrder, OrderId, PastAttempt, Refusal, SavedCard};
use crate::rules::expiry::tests::{EXPIRES, account, at};
use crate::{Currency, Money};

const MASKED: &str = "411111***1111";

/// An account whose card can be charged its price and is valid until the end of `expiry`.
fn with_card(expiry: &str) -> Account {
    let mut account = account(1);
    let card = BankOrderId("card".to_owned());
    account.candidate.seen.parent = Some(card.clone());
    let amount = Money::new("10".parse().unwrap(), Currency::Gel).unwrap();
    account.candidate.own_card_order = Some(CardOrder { bank_order: card.clone(), amount: Ok(amount) });
    let masked = Some(MASKED.to_owned());
    account.saved_cards.push(SavedCard { parent: card, masked, expiry: expiry.to_owned() });
    account
}

fn plan(account: &Account) -> Plan {
    renewal_plan(account, at(EXPIRES), &TimeZone::UTC, at("2026-11-20T03:00:00Z"))
}

fn masked() -> Option<String> {
    Some(MASKED.to_owned())
}

#[test]
fn without_a_card_somebody_has_to_pay() {
    assert_eq!(plan(&account(1)), Plan::ByHand);
}

#[test]
fn a_card_that_can_be_charged_renews() {
    assert_eq!(plan(&with_card("11/26")), Plan::Card { masked: masked() });
    assert_eq!(plan(&with_card("")), Plan::Card { masked: masked() });
    let unlisted = Account { saved_cards: Vec::new(), ..with_card("11/26") };
    assert_eq!(plan(&unlisted), Plan::Card { masked: None });
    // Another card of the tenant's says nothing about this one.
    let mut another = with_card("10/26");
    another.saved_cards[0].parent = BankOrderId("another".to_owned());
    assert_eq!(plan(&another), Plan::Card { masked: None });
}

#[test]
fn a_card_that_expires_first_is_mentioned() {
    assert_eq!(plan(&with_card("10/26")), Plan::ExpiringCard { masked: masked(), expiry: "10/26".to_owned() });
    // In grace it is charged any day now.
    let late = renewal_plan(&with_card("11/26"), at(EXPIRES), &TimeZone::UTC, at("2026-12-01T03:00:00Z"));
    assert_eq!(late, Plan::ExpiringCard { masked: masked(), expiry: "11/26".to_owned() });
}

#[test]
fn a_card_that_will_not_be_charged_is_not_promised() {
    let mut other_price = with_card("12/30");
    other_price.candidate.feature_prices = vec!["12".parse().unwrap()];
    assert_eq!(plan(&other_price), Plan::UnusableCard { masked: masked() });

    let mut unreadable = with_card("12/30");
    if let Some(order) = &mut unreadable.candidate.own_card_order {
        order.amount = Err("x".to_owned());
    }
    assert_eq!(plan(&unreadable), Plan::UnusableCard { masked: masked() });

    for (code, expected) in [
        // Expired, says the bank: for good. Not enough money: tried again.
        ("105", Plan::UnusableCard { masked: masked() }),
        ("107", Plan::Card { masked: masked() }),
    ] {
        let mut refused = with_card("12/30");
        refused.candidate.attempts.push(PastAttempt {
            order: OrderId("REC-1".to_owned()),
            period: at(EXPIRES),
            number: 1,
            state: AttemptState::Failed,
            parent: BankOrderId("card".to_owned()),
            refusal: Some(Refusal::Rejected { code: Some(code.to_owned()), reason: None }),
            closed_at: Some(at("2026-11-20T02:00:00Z")),
        });
        assert_eq!(plan(&refused), expected, "{code}");
    }
}

#[test]
fn expiry_is_read_as_banks_write_it() {
    let end = |text: &str| last_day(text).map(|day| day.to_string());
    for text in ["02/28", "2/28", "02/2028", "2028-02", "2028/02", " 02 / 28 "] {
        assert_eq!(end(text).as_deref(), Some("2028-02-29"), "{text}");
    }
    for text in ["", "28", "13/28", "00/28", "ab/cd", "02/28/2028", "-2/28", "٠٢/28", "022/8", "9999999/1"] {
        assert_eq!(end(text), None, "{text}");
    }
}
