mod agreement;

use jiff::SignedDuration;

use super::*;
use crate::Money;
use crate::model::{AttemptState, BankOrderId, CardOrder, OrderId, PastAttempt, RecentOrder, SavedCard, Told};
use crate::rules::expiry::tests::{EXPIRES, account, at};

const FROM: &str = "2026-11-16T00:00:00Z";

fn gel(text: &str) -> Money {
    Money::new(text.parse().unwrap(), crate::Currency::Gel).unwrap()
}

/// Ten GEL a month, with a card that can be charged this amount.
fn with_card(amount: &str) -> Account {
    let mut account = account(1);
    let parent = BankOrderId("card".to_owned());
    account.candidate.seen.parent = Some(parent.clone());
    account.candidate.own_card_order = Some(CardOrder { bank_order: parent.clone(), amount: Ok(gel(amount)) });
    let masked = Some("411111***1111".to_owned());
    account.saved_cards = vec![SavedCard { parent, masked, expiry: "12/30".to_owned() }];
    account
}

/// An event in one line.
fn line(event: &Forecasted) -> String {
    let at = event.at.strftime("%m-%d %H:%M");
    match &event.what {
        What::Charge { amount, number, assumed: Assumed::Paid { until }, .. } => {
            format!("{at} charge {amount} #{number}, paid until {until}")
        }
        What::Charge { amount, number, assumed: Assumed::Declined { next }, .. } => {
            format!("{at} charge {amount} #{number}, declined, then {next:?}")
        }
        What::Notice { kind, about } => format!("{at} mail {kind} {about}"),
        What::Suspend { expired_at } => format!("{at} suspend {expired_at}"),
        What::Reactivate { paid_until } => format!("{at} reactivate {paid_until}"),
        What::NotCharged(skip) => format!("{at} not charged: {}", skip.code()),
        What::Withheld { step, why } => format!("{at} withheld {}: {}", step.code(), why.code()),
    }
}

fn lines(account: &Account, plan: &Plan, from: &str) -> Vec<String> {
    forecast(account, None, plan, at(from)).iter().map(line).collect()
}

fn plan(assumption: Assumption, days: u32) -> Plan {
    Plan { assumption, days, ..Plan::default() }
}

#[test]
fn a_card_that_pays_is_charged_each_month() {
    assert_eq!(
        lines(&with_card("10"), &plan(Assumption::Paid, 42), FROM),
        [
            "11-18 03:00 mail reminder 2026-11-25T08:30:00Z",
            "11-22 03:00 mail urgent_reminder 2026-11-25T08:30:00Z",
            "11-23 02:00 charge 10.00 GEL #1, paid until 2026-12-25T08:30:00Z",
            "11-23 02:00 mail renewal_paid 2026-12-25T08:30:00Z",
            "12-18 03:00 mail reminder 2026-12-25T08:30:00Z",
            "12-22 03:00 mail urgent_reminder 2026-12-25T08:30:00Z",
            "12-23 02:00 charge 10.00 GEL #1, paid until 2027-01-24T08:30:00Z",
            "12-23 02:00 mail renewal_paid 2027-01-24T08:30:00Z",
        ]
    );
}

#[test]
fn a_card_that_is_declined_is_tried_again_until_the_suspension() {
    assert_eq!(
        lines(&with_card("10"), &plan(Assumption::Declined, 30), FROM),
        [
            "11-18 03:00 mail reminder 2026-11-25T08:30:00Z",
            "11-22 03:00 mail urgent_reminder 2026-11-25T08:30:00Z",
            "11-23 02:00 charge 10.00 GEL #1, declined, then On(2026-11-24)",
            "11-23 02:00 mail payment_failed 2026-11-25T08:30:00Z",
            "11-24 02:00 charge 10.00 GEL #2, declined, then On(2026-11-26)",
            "11-24 02:00 mail payment_failed 2026-11-25T08:30:00Z",
            "11-26 02:00 charge 10.00 GEL #3, declined, then On(2026-11-28)",
            "11-26 02:00 mail payment_failed 2026-11-25T08:30:00Z",
            "11-26 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "11-27 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "11-28 02:00 charge 10.00 GEL #4, declined, then Exhausted",
            "11-28 02:00 mail payment_failed 2026-11-25T08:30:00Z",
            "11-28 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "11-29 02:00 not charged: exhausted",
            "11-29 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "11-30 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "12-01 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "12-02 03:00 mail grace_warning 2026-12-02T08:30:00Z",
            "12-03 03:00 suspend 2026-11-25T08:30:00Z",
            "12-03 03:00 mail suspended 2026-11-25T08:30:00Z",
        ]
    );
}

#[test]
fn what_was_told_is_not_told_again() {
    let mut account = with_card("12");
    let told = |kind: &str, period: &str| Told { kind: kind.to_owned(), period: period.to_owned() };
    let new_price = "11-23 02:00 mail price_changed 2026-11-25T08:30:00Z".to_owned();
    let days = plan(Assumption::Paid, 8);
    let lines_before = lines(&account, &days, FROM);
    assert!(lines_before.contains(&new_price), "{lines_before:?}");
    account.told = vec![told("reminder", "2026-11-25"), told("price_changed", EXPIRES)];
    assert_eq!(
        lines(&account, &days, FROM),
        ["11-22 03:00 mail urgent_reminder 2026-11-25T08:30:00Z", "11-23 02:00 not charged: price_changed"]
    );
}

#[test]
fn an_open_charge_bars_everything_and_each_thing_is_told_once() {
    let mut account = with_card("10");
    account.candidate.attempts = vec![PastAttempt {
        order: OrderId("REC-1".to_owned()),
        period: at(EXPIRES),
        number: 1,
        state: AttemptState::Unknown,
        parent: BankOrderId("card".to_owned()),
        refusal: None,
        closed_at: None,
    }];
    assert_eq!(
        lines(&account, &plan(Assumption::Paid, 60), FROM),
        [
            "11-16 02:00 not charged: open",
            "11-18 03:00 withheld reminder: open",
            "11-22 03:00 withheld urgent_reminder: open",
            "11-26 03:00 withheld grace: open",
            "12-03 03:00 withheld suspension: open",
        ]
    );
}

#[test]
fn a_pending_order_of_echodesks_own_bars_charging_for_three_days_and_warnings_for_longer() {
    let mut account = with_card("10");
    let order = "RETRY-1".to_owned();
    account.candidate.foreign_order = Some(order.clone());
    account.orders = vec![RecentOrder { order, paid: false, at: at("2026-11-21T12:00:00Z") }];
    let from = "2026-11-23T00:00:00Z";
    assert_eq!(
        lines(&account, &plan(Assumption::Declined, 4), from),
        [
            "11-23 02:00 not charged: foreign_order",
            "11-23 03:00 withheld urgent_reminder: foreign_order",
            "11-25 02:00 charge 10.00 GEL #1, declined, then On(2026-11-26)",
            "11-25 02:00 mail payment_failed 2026-11-25T08:30:00Z",
            "11-25 03:00 mail urgent_reminder 2026-11-25T08:30:00Z",
            "11-26 02:00 charge 10.00 GEL #2, declined, then On(2026-11-28)",
            "11-26 02:00 mail payment_failed 2026-11-25T08:30:00Z",
            "11-26 03:00 withheld grace: foreign_order",
        ]
    );
}

#[test]
fn a_suspension_that_was_paid_is_lifted_by_the_first_run() {
    let mut account = account(1);
    let tenant = account.candidate.tenant.clone();
    (account.candidate.seen.active, account.candidate.seen.tenant_active) = (false, false);
    let mut suspension = Suspension {
        subscription: account.candidate.subscription,
        tenant,
        active: false,
        expires_at: account.candidate.seen.expires_at,
        expired_at: at("2026-10-25T08:30:00Z"),
        suspended_at: at("2026-11-02T03:00:00Z"),
    };
    let told = |suspension: &Suspension| {
        let events = forecast(&account, Some(suspension), &plan(Assumption::Paid, 4), at(FROM));
        events.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&suspension),
        [
            "11-16 03:00 reactivate 2026-11-25T08:30:00Z",
            "11-16 03:00 mail reactivated 2026-11-25T08:30:00Z",
            "11-18 03:00 mail reminder 2026-11-25T08:30:00Z",
        ]
    );
    suspension.expired_at = at(EXPIRES);
    assert_eq!(told(&suspension), [""; 0], "not paid since");
}

#[test]
fn nothing_beyond_the_horizon_has_events() {
    let mut account = with_card("10");
    for days_before in [3, 22] {
        let mut plan = plan(Assumption::Paid, 5);
        plan.renewals.days_before = days_before;
        let horizon = plan.horizon(at(FROM));
        let expires = |moment: Timestamp| (Some(moment), Some(moment));
        let seen = &mut account.candidate.seen;
        (seen.expires_at, seen.next_billing_date) = expires(horizon + SignedDuration::from_secs(1));
        assert_eq!(lines(&account, &plan, FROM), [""; 0], "{days_before}");
        let seen = &mut account.candidate.seen;
        (seen.expires_at, seen.next_billing_date) = expires(horizon - SignedDuration::from_hours(72));
        assert_ne!(lines(&account, &plan, FROM), [""; 0], "{days_before}: the horizon is near");
    }
}

#[test]
fn no_date_is_too_far_and_no_number_of_days_too_large() {
    for from in [Timestamp::MIN, Timestamp::MAX] {
        let mut account = with_card("10");
        account.candidate.seen.expires_at = Some(from);
        let plan = Plan { days: 90, ..Plan::default() };
        let _ = (forecast(&account, None, &plan, from), plan.horizon(from));
    }
}
