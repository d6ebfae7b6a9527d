use echodesk_core::{Language, SubscriptionId, Tenant, TenantId};
use proptest::prelude::*;

use super::*;
use crate::model::{BankOrderId, Candidate, PastAttempt, RecentOrder, Seen, Told};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) const EXPIRES: &str = "2026-11-25T08:30:00Z";

/// Ten GEL a month, no card, expiring at [`EXPIRES`].
pub(crate) fn account(number: i64) -> Account {
    let candidate = Candidate {
        subscription: SubscriptionId(number),
        tenant: Tenant {
            id: TenantId(number),
            schema: format!("tenant_{number}").parse().unwrap(),
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
            expires_at: Some(at(EXPIRES)),
            next_billing_date: Some(at(EXPIRES)),
            agent_count: 1,
            parent: None,
            last_attempt: None,
        },
        feature_prices: vec!["10".parse().unwrap()],
        own_card_order: None,
        newest_card_order: None,
        attempts: Vec::new(),
        echodesk_retry: None,
        foreign_order: None,
    };
    Account { candidate, saved_cards: Vec::new(), told: Vec::new(), orders: Vec::new() }
}

fn attempt(state: AttemptState, period: &str) -> PastAttempt {
    PastAttempt {
        order: OrderId("REC-1".to_owned()),
        period: at(period),
        number: 1,
        state,
        parent: BankOrderId("card".to_owned()),
        refusal: None,
        closed_at: None,
    }
}

fn order(paid: bool, when: &str) -> RecentOrder {
    RecentOrder { order: "ORD-1".to_owned(), paid, at: at(when) }
}

fn renewal(paid: bool, when: &str) -> RecentOrder {
    RecentOrder { order: "RETRY-1".to_owned(), ..order(paid, when) }
}

fn zone(name: &str) -> ExpiryPolicy {
    ExpiryPolicy { time_zone: TimeZone::get(name).unwrap(), ..ExpiryPolicy::default() }
}

/// What is decided, in a word.
fn decided(account: &Account, policy: &ExpiryPolicy, now: &str) -> String {
    match judge(account, policy, at(now)) {
        Decision::Nothing(step) => format!("nothing ({})", step.code()),
        Decision::Notify(_, notice) => format!("{} {}", notice.kind.code(), notice.period),
        Decision::Suspend(notice) => format!("suspend {}", notice.period.split('/').next().unwrap_or_default()),
        Decision::Withhold(step, why) => format!("withhold {}: {}", step.code(), why.code()),
    }
}

#[test]
fn every_row_of_the_table() {
    let table = [
        ("2026-11-17T23:59:59Z", "nothing (none)"),
        ("2026-11-18T00:00:00Z", "reminder 2026-11-25"),
        ("2026-11-21T23:59:59Z", "reminder 2026-11-25"),
        ("2026-11-22T00:00:00Z", "urgent_reminder 2026-11-25"),
        ("2026-11-25T08:29:59Z", "urgent_reminder 2026-11-25"),
        ("2026-11-25T08:30:00Z", "grace_warning 2026-11-25/2026-11-25"),
        ("2026-11-26T03:00:00Z", "grace_warning 2026-11-25/2026-11-26"),
        ("2026-12-02T08:29:59Z", "grace_warning 2026-11-25/2026-12-02"),
        ("2026-12-02T08:30:00Z", "suspend 2026-11-25"),
        ("2027-12-02T08:30:00Z", "suspend 2026-11-25"),
    ];
    for (now, expected) in table {
        assert_eq!(decided(&account(1), &ExpiryPolicy::default(), now), expected, "{now}");
    }
}

#[test]
fn a_daily_run_at_three_plays_the_timeline_of_the_product() {
    let policy = ExpiryPolicy::default();
    let mut account = account(1);
    let mut played = Vec::new();
    for day in -9..=9_i64 {
        let now = at("2026-11-25T03:00:00Z").checked_add(SignedDuration::from_hours(day * 24)).unwrap();
        match judge(&account, &policy, now) {
            Decision::Notify(_, notice) => {
                played.push((day, notice.kind.code()));
                account.told.push(Told { kind: notice.kind.code().to_owned(), period: notice.period });
            }
            Decision::Suspend(_) => {
                played.push((day, "suspend"));
                account.candidate.seen.active = false;
            }
            Decision::Nothing(_) | Decision::Withhold(..) => {}
        }
    }
    let mut expected = vec![(-7, "reminder"), (-3, "urgent_reminder")];
    expected.extend((1..=7).map(|day| (day, "grace_warning")));
    expected.push((8, "suspend"));
    assert_eq!(played, expected);
}

#[test]
fn a_missed_day_is_caught_up_by_one_notice() {
    let policy = ExpiryPolicy::default();
    assert_eq!(decided(&account(1), &policy, "2026-11-19T03:00:00Z"), "reminder 2026-11-25");
    assert_eq!(decided(&account(1), &policy, "2026-11-24T03:00:00Z"), "urgent_reminder 2026-11-25");
    assert_eq!(decided(&account(1), &policy, "2026-11-30T03:00:00Z"), "grace_warning 2026-11-25/2026-11-30");
    let Decision::Notify(_, notice) = judge(&account(1), &policy, at("2026-11-30T03:00:00Z")) else { panic!() };
    let NoticeKind::GraceWarning { suspension_at, .. } = notice.kind else { panic!() };
    assert_eq!(suspension_at, at("2026-12-02T08:30:00Z"));
}

#[test]
fn what_was_told_is_not_told_again_until_the_next_day_or_period() {
    let policy = ExpiryPolicy::default();
    let told = |kind: &str, period: &str| {
        let told = vec![Told { kind: kind.to_owned(), period: period.to_owned() }];
        Account { told, ..account(1) }
    };
    let reminded = told("reminder", "2026-11-25");
    assert_eq!(decided(&reminded, &policy, "2026-11-20T03:00:00Z"), "nothing (reminder)");
    assert_eq!(decided(&reminded, &policy, "2026-11-22T03:00:00Z"), "urgent_reminder 2026-11-25");
    assert_eq!(decided(&told("reminder", "2026-10-26"), &policy, "2026-11-20T03:00:00Z"), "reminder 2026-11-25");
    let warned = told("grace_warning", "2026-11-25/2026-11-27");
    assert_eq!(decided(&warned, &policy, "2026-11-27T23:00:00Z"), "nothing (grace)");
    assert_eq!(decided(&warned, &policy, "2026-11-28T00:00:00Z"), "grace_warning 2026-11-25/2026-11-28");
    // That a notice of an earlier suspension is in the ledger keeps nobody from being suspended.
    assert_eq!(decided(&told("suspended", "2026-11-25"), &policy, "2026-12-05T03:00:00Z"), "suspend 2026-11-25");
}

#[test]
fn another_time_zone_tells_nobody_again() {
    let mut late = account(1);
    late.candidate.seen.expires_at = Some(at("2026-11-25T21:00:00Z"));
    for now in ["2026-11-20T03:00:00Z", "2026-11-23T03:00:00Z"] {
        let Decision::Notify(_, notice) = judge(&late, &zone("UTC"), at(now)) else { panic!("{now}") };
        late.told = vec![Told { kind: notice.kind.code().to_owned(), period: notice.period }];
        assert!(decided(&late, &zone("Asia/Tbilisi"), now).starts_with("nothing"), "{now}");
    }
}

#[test]
fn each_suspension_has_a_notice_of_its_own() {
    let period = |now: &str| match judge(&account(1), &ExpiryPolicy::default(), at(now)) {
        Decision::Suspend(notice) => notice.period,
        other => panic!("{other:?}"),
    };
    assert_ne!(period("2026-12-10T03:00:00Z"), period("2026-12-11T03:00:00Z"));
}

#[test]
fn calendar_days_are_those_of_the_billing_time_zone() {
    // 02:00 in Tbilisi (UTC+4) on the 18th is 22:00 UTC on the 17th.
    assert_eq!(decided(&account(1), &zone("Asia/Tbilisi"), "2026-11-17T22:00:00Z"), "reminder 2026-11-25");
    assert_eq!(decided(&account(1), &zone("UTC"), "2026-11-17T22:00:00Z"), "nothing (none)");
    let mut late = account(1);
    late.candidate.seen.expires_at = Some(at("2026-11-25T21:00:00Z"));
    assert_eq!(decided(&late, &zone("Asia/Tbilisi"), "2026-11-20T03:00:00Z"), "reminder 2026-11-26");
}

#[test]
fn a_day_of_23_or_25_hours_is_one_day_and_grace_counts_hours() {
    // Summer time begins in Berlin on 2027-03-28 and ends on 2026-10-25.
    for (expires, reminded, not_yet) in [
        ("2027-04-01T10:00:00Z", "2027-03-24T23:00:00Z", "2027-03-24T22:59:59Z"),
        ("2026-10-29T10:00:00Z", "2026-10-21T22:00:00Z", "2026-10-21T21:59:59Z"),
    ] {
        let mut account = account(1);
        account.candidate.seen.expires_at = Some(at(expires));
        let policy = zone("Europe/Berlin");
        assert!(decided(&account, &policy, reminded).starts_with("reminder"), "{expires}");
        assert_eq!(decided(&account, &policy, not_yet), "nothing (none)", "{expires}");
        let over = at(expires).checked_add(SignedDuration::from_hours(7 * 24)).unwrap();
        assert_eq!(policy.suspension_at(at(expires)), over);
    }
}

#[test]
fn month_ends_and_leap_days_are_days_like_others() {
    for (expires, first) in [("2028-03-02T12:00:00Z", "2028-02-24"), ("2027-03-02T12:00:00Z", "2027-02-23")] {
        let mut account = account(1);
        account.candidate.seen.expires_at = Some(at(expires));
        let policy = ExpiryPolicy::default();
        let first = at(&format!("{first}T00:00:00Z"));
        let before = first.checked_sub(SignedDuration::from_secs(1)).unwrap();
        assert!(matches!(judge(&account, &policy, first), Decision::Notify(Step::Reminder, _)), "{expires}");
        assert_eq!(judge(&account, &policy, before), Decision::Nothing(Step::None), "{expires}");
    }
}

#[test]
fn without_grace_suspension_comes_with_expiry() {
    let policy = ExpiryPolicy { grace_days: 0, ..ExpiryPolicy::default() };
    assert_eq!(decided(&account(1), &policy, "2026-11-25T08:29:59Z"), "urgent_reminder 2026-11-25");
    assert_eq!(decided(&account(1), &policy, "2026-11-25T08:30:00Z"), "suspend 2026-11-25");
}

/// Changes an account.
type Change = fn(&mut Account);

#[test]
fn who_is_left_alone() {
    let cases: [(Change, &str); 8] = [
        (|a| a.candidate.feature_prices.clear(), "nothing (none)"),
        (|a| a.candidate.seen.agent_count = -1, "withhold suspension: price_unusable"),
        (|a| a.candidate.seen.expires_at = None, "nothing (none)"),
        (|a| a.candidate.seen.active = false, "nothing (none)"),
        (|a| a.candidate.seen.tenant_active = false, "nothing (none)"),
        (|a| a.candidate.tenant.schema = "exempted".parse().unwrap(), "nothing (none)"),
        (|a| a.candidate.seen.provider = "paddle".to_owned(), "withhold suspension: provider"),
        (|_| {}, "suspend 2026-11-25"),
    ];
    let policy = ExpiryPolicy { exempt: ["exempted".parse().unwrap()].into(), ..ExpiryPolicy::default() };
    for (change, expected) in cases {
        let mut account = account(1);
        change(&mut account);
        assert_eq!(decided(&account, &policy, "2026-12-10T03:00:00Z"), expected);
    }
    let mut paddle = account(1);
    paddle.candidate.seen.provider = "paddle".to_owned();
    assert_eq!(decided(&paddle, &policy, "2026-11-20T03:00:00Z"), "nothing (none)");
}

#[test]
fn money_that_may_have_come_is_a_barrier() {
    // Whether it bars reminders too, and warnings.
    const NOW: [&str; 3] = ["2026-11-20T03:00:00Z", "2026-11-23T03:00:00Z", "2026-11-27T03:00:00Z"];
    let cases: [(Change, &str, [bool; 3]); 10] = [
        (|a| a.candidate.attempts.push(attempt(AttemptState::Prepared, EXPIRES)), "open", [true; 3]),
        (|a| a.candidate.attempts.push(attempt(AttemptState::Unknown, EXPIRES)), "open", [true; 3]),
        (|a| a.candidate.attempts.push(attempt(AttemptState::Accepted, "2026-09-01T00:00:00Z")), "open", [true; 3]),
        (|a| a.candidate.attempts.push(attempt(AttemptState::Paid, EXPIRES)), "paid_not_extended", [true; 3]),
        (|a| a.candidate.foreign_order = Some("RETRY-1".to_owned()), "foreign_order", [true; 3]),
        (|a| a.orders.push(renewal(false, "2026-11-15T00:00:00Z")), "foreign_order", [false, false, true]),
        (|a| a.candidate.echodesk_retry = Some(at("2026-11-26T02:00:00Z")), "echodesk_retry", [false, false, true]),
        (|a| a.orders.push(order(true, "2026-11-26T00:00:00Z")), "paid_not_extended", [false, false, true]),
        (|a| a.orders.push(renewal(true, "2026-11-11T00:00:00Z")), "paid_not_extended", [false, false, true]),
        (|a| a.orders.push(order(false, "2026-12-09T04:00:00Z")), "paying_now", [false; 3]),
    ];
    for (change, code, bars) in cases {
        let mut account = account(1);
        change(&mut account);
        let policy = ExpiryPolicy::default();
        let late = decided(&account, &policy, "2026-12-10T03:00:00Z");
        assert_eq!(late, format!("withhold suspension: {code}"));
        for (now, bars) in NOW.into_iter().zip(bars) {
            let decided = decided(&account, &policy, now);
            assert_eq!(decided.starts_with("withhold"), bars, "{now} {code}: {decided}");
        }
    }
}

#[test]
fn what_says_nothing_about_this_period_is_no_barrier() {
    let cases: [Change; 7] = [
        |a| a.orders.push(renewal(false, "2026-11-09T00:00:00Z")),
        |a| a.candidate.attempts.push(attempt(AttemptState::Failed, EXPIRES)),
        |a| a.candidate.attempts.push(attempt(AttemptState::NotSent, EXPIRES)),
        |a| a.candidate.attempts.push(attempt(AttemptState::Paid, "2026-10-26T08:30:00Z")),
        |a| a.orders.push(order(true, "2026-10-26T00:00:00Z")),
        |a| a.orders.push(order(false, "2026-12-09T02:00:00Z")),
        |a| a.candidate.echodesk_retry = Some(at("2026-12-12T02:00:00Z")),
    ];
    for change in cases {
        let mut account = account(1);
        change(&mut account);
        assert_eq!(decided(&account, &ExpiryPolicy::default(), "2026-12-10T03:00:00Z"), "suspend 2026-11-25");
    }
}

#[test]
fn what_an_order_has_paid_for_is_over_after_a_month_whatever_it_was() {
    let mut paid = account(1);
    paid.orders.push(order(true, "2026-11-11T00:00:00Z"));
    let policy = ExpiryPolicy::default();
    assert_eq!(decided(&paid, &policy, "2026-12-25T08:29:59Z"), "withhold suspension: paid_not_extended");
    assert_eq!(decided(&paid, &policy, "2026-12-25T08:30:00Z"), "suspend 2026-11-25");
    let mut late = account(1);
    late.orders.push(order(true, "2026-12-01T00:00:00Z"));
    assert_eq!(decided(&late, &policy, "2026-12-30T23:59:59Z"), "withhold suspension: paid_not_extended");
    assert_eq!(decided(&late, &policy, "2026-12-31T00:00:00Z"), "suspend 2026-11-25");
}

#[test]
fn only_money_that_may_have_come_is_somebodys_business() {
    assert!(!Withheld::Provider("paddle".to_owned()).is_unknown());
    assert!(Withheld::PaidNotExtended("ORD-1".to_owned()).is_unknown());
    assert!(Withheld::PayingNow("ORD-1".to_owned()).is_unknown());
}

#[test]
fn what_is_withheld_names_whom_to_ask() {
    let order = || "ORD-1".to_owned();
    for (why, part) in [
        (Withheld::Provider("paddle".to_owned()), "billed by paddle"),
        (Withheld::Open { order: OrderId(order()), state: AttemptState::Unknown }, "ORD-1 is open (unknown)"),
        (Withheld::ForeignOrder(order()), "ORD-1 is pending"),
        (Withheld::EchoDeskRetry(at(EXPIRES)), EXPIRES),
        (Withheld::PaidNotExtended(order()), "ORD-1 is paid"),
        (Withheld::PayingNow(order()), "ORD-1 is pending"),
    ] {
        assert!(why.to_string().contains(part), "{why}");
    }
}

fn suspension(active: bool, tenant_active: bool, expires_at: Option<&str>) -> Suspension {
    let mut tenant = account(1).candidate.tenant;
    tenant.is_active = tenant_active;
    Suspension {
        subscription: SubscriptionId(1),
        tenant,
        active,
        expires_at: expires_at.map(at),
        expired_at: at(EXPIRES),
        suspended_at: at("2026-12-03T03:00:00Z"),
    }
}

#[test]
fn a_suspension_is_lifted_once_the_subscription_was_extended() {
    let now = at("2026-12-10T03:00:00Z");
    let paid = Some("2026-12-25T08:30:00Z");
    let table = [
        (suspension(false, false, paid), "reactivate"),
        // EchoDesk's own hook may have made one of them active.
        (suspension(true, false, paid), "reactivate"),
        (suspension(false, true, paid), "reactivate"),
        (suspension(true, true, paid), "lifted"),
        (suspension(true, true, Some(EXPIRES)), "lifted"),
        (suspension(false, false, Some(EXPIRES)), "stands"),
        // Paid, but only into the past.
        (suspension(false, false, Some("2026-12-09T00:00:00Z")), "extended in vain"),
        (suspension(false, false, None), "stands"),
    ];
    for (suspension, expected) in table {
        let what = match lift(&suspension, now) {
            Lift::Stands => "stands",
            Lift::StandsThoughExtended(_) => "extended in vain",
            Lift::Lifted => "lifted",
            Lift::Reactivate(_) => "reactivate",
        };
        assert_eq!(what, expected, "{suspension:?}");
    }
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["UTC", "Asia/Tbilisi", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
}

proptest! {
    /// Runs at any times in any order of calls: what is decided follows from the state alone.
    #[test]
    fn never_suspended_before_grace_ends_and_never_two_of_a_kind(
        zone_name in zones(),
        grace_days in 0_u32..30,
        mut hours in prop::collection::vec(-300_i64..1200, 1..60),
    ) {
        let policy = ExpiryPolicy { grace_days, ..zone(zone_name) };
        hours.sort_unstable();
        let mut account = account(1);
        let mut told: Vec<(String, String)> = Vec::new();
        for hour in hours {
            let now = at(EXPIRES).checked_add(SignedDuration::from_hours(hour)).unwrap();
            match judge(&account, &policy, now) {
                Decision::Notify(step, notice) => {
                    let key = (notice.kind.code().to_owned(), notice.period.clone());
                    prop_assert!(!told.contains(&key), "twice: {key:?}");
                    match step {
                        Step::Grace => prop_assert!(hour >= 0),
                        _ => prop_assert!(hour < 0),
                    }
                    if let NoticeKind::GraceWarning { day, suspension_at, .. } = &notice.kind {
                        prop_assert_eq!(*day, policy.day(now));
                        prop_assert!(*suspension_at > now);
                    }
                    account.told.push(Told { kind: key.0.clone(), period: key.1.clone() });
                    told.push(key);
                }
                Decision::Suspend(_) => {
                    prop_assert!(hour >= i64::from(grace_days) * 24);
                    account.candidate.seen.active = false;
                }
                Decision::Nothing(_) => {}
                Decision::Withhold(..) => prop_assert!(false, "nothing stands in the way"),
            }
        }
        for kind in ["reminder", "urgent_reminder"] {
            prop_assert!(told.iter().filter(|(other, _)| other == kind).count() <= 1);
        }
    }

    /// The horizon leaves nobody out.
    #[test]
    fn whoever_is_due_is_within_the_horizon(zone_name in zones(), hours in -400_i64..400) {
        let policy = zone(zone_name);
        let now = at(EXPIRES).checked_sub(SignedDuration::from_hours(hours)).unwrap();
        if step(Some(at(EXPIRES)), &policy, now) != Step::None {
            prop_assert!(at(EXPIRES) <= policy.horizon(now));
        }
    }

    /// As time goes on, steps only go forward.
    #[test]
    fn steps_follow_each_other(zone_name in zones(), grace_days in 0_u32..30, a in -400_i64..1200, more in 0_i64..400) {
        let policy = ExpiryPolicy { grace_days, ..zone(zone_name) };
        let rank = |hours: i64| {
            let now = at(EXPIRES).checked_add(SignedDuration::from_hours(hours)).unwrap();
            [Step::None, Step::Reminder, Step::Urgent, Step::Grace, Step::Suspension]
                .iter().position(|other| *other == step(Some(at(EXPIRES)), &policy, now))
        };
        prop_assert!(rank(a) <= rank(a + more));
    }
}
