use echodesk_core::notice::{PaymentProblem, RenewalPlan};

use super::*;
use crate::ports::Situation;
use crate::testing::queued;

/// The day of expiry in all tests: 22 December, 20:30 UTC, which is the 23rd in Tbilisi.
const EXPIRY: &str = "2026-12-22T20:30:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn reminder() -> NoticeKind {
    NoticeKind::Reminder { expires_at: at(EXPIRY), renewal: RenewalPlan::ByHand, price: None }
}

fn urgent() -> NoticeKind {
    NoticeKind::UrgentReminder { expires_at: at(EXPIRY), renewal: RenewalPlan::ByHand, price: None }
}

fn warning(of: &str) -> NoticeKind {
    NoticeKind::GraceWarning {
        expired_at: at(EXPIRY),
        suspension_at: at("2026-12-29T20:30:00Z"),
        day: day(of),
        renewal: RenewalPlan::ByHand,
        price: None,
    }
}

fn suspended() -> NoticeKind {
    NoticeKind::Suspended { expired_at: at(EXPIRY), price: None }
}

fn failed(next: Option<&str>) -> NoticeKind {
    NoticeKind::PaymentFailed {
        amount: "50.00 GEL".to_owned(),
        problem: PaymentProblem::NotEnoughMoney,
        next_attempt: next.map(day),
        renewal: at(EXPIRY),
    }
}

fn price_changed() -> NoticeKind {
    NoticeKind::PriceChanged { card_amount: "40.00 GEL".to_owned(), price: "50.00 GEL".to_owned(), renewal: at(EXPIRY) }
}

fn reactivated() -> NoticeKind {
    NoticeKind::Reactivated { paid_until: at(EXPIRY) }
}

fn mailbox_off() -> NoticeKind {
    NoticeKind::MailboxSwitchedOff { address: "s@acme.example".to_owned(), reason: "password".to_owned() }
}

/// Words that the reason holds, and a change that is the reason.
type Change = (&'static str, fn(&mut Queued));

/// How things stand, beside a tenant that is active.
fn standing(active: bool, expires_at: Option<&str>) -> SubscriptionSituation {
    SubscriptionSituation {
        active,
        expires_at: expires_at.map(at),
        next_billing_date: None,
        charge_open: false,
        provider: "bog".to_owned(),
        refused_since: false,
    }
}

fn normal() -> Queued {
    let mut notice = queued(1);
    notice.situation.subscription = Some(standing(true, Some(EXPIRY)));
    notice
}

fn verdict_in(zone: &TimeZone, notice: &Queued, kind: &NoticeKind, now: &str) -> Verdict {
    holds(notice, kind, &BTreeSet::new(), zone, at(now))
}

fn verdict(notice: &Queued, kind: &NoticeKind, now: &str) -> Verdict {
    verdict_in(&TimeZone::UTC, notice, kind, now)
}

fn is_overtaken(verdict: &Verdict, words: &str) -> bool {
    matches!(verdict, Verdict::Overtaken(why) if why.contains(words))
}

#[test]
fn reminders_and_warnings_hold_on_their_days() {
    for (kind, now, overtaken) in [
        (reminder(), "2026-12-15T00:00:00Z", None),
        (reminder(), "2026-12-18T23:59:59Z", None),
        (reminder(), "2026-12-19T00:00:00Z", Some("urgent")),
        (reminder(), "2026-12-22T20:30:00Z", Some("has expired")),
        (urgent(), "2026-12-19T00:00:00Z", None),
        (urgent(), "2026-12-22T20:29:59Z", None),
        (urgent(), "2026-12-22T20:30:00Z", Some("has expired")),
        (warning("2026-12-22"), "2026-12-22T20:30:00Z", None),
        (warning("2026-12-22"), "2026-12-22T20:29:59Z", Some("not expired")),
        (warning("2026-12-22"), "2026-12-23T00:00:00Z", Some("the warning of 2026-12-22")),
        (warning("2026-12-24"), "2026-12-24T23:59:59Z", None),
        (warning("2026-12-24"), "2026-12-25T00:00:00Z", Some("the warning of 2026-12-24")),
        (warning("2026-12-29"), "2026-12-29T20:29:59Z", None),
        (warning("2026-12-29"), "2026-12-29T20:30:00Z", Some("grace are over")),
    ] {
        let found = verdict(&normal(), &kind, now);
        match overtaken {
            None => assert_eq!(found, Verdict::Holds, "{kind:?} at {now}"),
            Some(words) => assert!(is_overtaken(&found, words), "{kind:?} at {now}: {found:?}"),
        }
    }
}

#[test]
fn days_are_those_of_the_billing_time_zone() {
    let tbilisi = TimeZone::fixed(jiff::tz::offset(4));
    // There it expires on the 23rd, so four days are left until the 19th ends there, at 20:00 UTC.
    assert_eq!(verdict_in(&tbilisi, &normal(), &reminder(), "2026-12-19T19:59:59Z"), Verdict::Holds);
    assert!(is_overtaken(&verdict_in(&tbilisi, &normal(), &reminder(), "2026-12-19T20:00:00Z"), "urgent"));
    assert_eq!(verdict_in(&tbilisi, &normal(), &warning("2026-12-23"), "2026-12-22T20:30:00Z"), Verdict::Holds);
    // Moved by an hour, it is the next day here and the same day there.
    let mut moved = normal();
    moved.situation.subscription = Some(standing(true, Some("2026-12-23T01:30:00Z")));
    assert!(is_overtaken(&verdict(&moved, &urgent(), "2026-12-20T10:00:00Z"), "expires on 2026-12-23"));
    assert_eq!(verdict_in(&tbilisi, &moved, &urgent(), "2026-12-20T10:00:00Z"), Verdict::Holds);
}

#[test]
fn what_speaks_of_an_expiry_ends_with_it() {
    let on_its_day = [
        (reminder(), "2026-12-16T10:00:00Z"),
        (urgent(), "2026-12-20T10:00:00Z"),
        (warning("2026-12-24"), "2026-12-24T10:00:00Z"),
    ];
    let changes: [Change; 6] = [
        ("expires on 2027-01-21", |n| {
            n.situation.subscription = Some(standing(true, Some("2027-01-21T20:30:00Z")));
        }),
        ("expires on 2026-12-21", |n| {
            n.situation.subscription = Some(standing(true, Some("2026-12-21T20:30:00Z")));
        }),
        ("does not expire", |n| n.situation.subscription = Some(standing(true, None))),
        ("suspended", |n| n.situation.subscription = Some(standing(false, Some(EXPIRY)))),
        ("suspended", |n| n.tenant.is_active = false),
        ("no subscription", |n| n.situation = Situation::default()),
    ];
    for (kind, now) in &on_its_day {
        for (words, change) in changes {
            let mut notice = normal();
            change(&mut notice);
            let found = verdict(&notice, kind, now);
            assert!(is_overtaken(&found, words), "{kind:?}, {words}: {found:?}");
        }
    }
}

#[test]
fn an_open_charge_keeps_back_what_it_would_make_untrue() {
    let mut notice = normal();
    notice.situation.subscription = Some(SubscriptionSituation { charge_open: true, ..standing(true, Some(EXPIRY)) });
    for (kind, now) in [
        (reminder(), "2026-12-16T10:00:00Z"),
        (urgent(), "2026-12-20T10:00:00Z"),
        (warning("2026-12-24"), "2026-12-24T10:00:00Z"),
    ] {
        assert!(matches!(verdict(&notice, &kind, now), Verdict::NotYet(_)), "{kind:?}");
        // It ends all the same when its time is over.
        assert!(matches!(verdict(&notice, &kind, "2026-12-30T10:00:00Z"), Verdict::Overtaken(_)), "{kind:?}");
    }
    for kind in [failed(None), price_changed(), reactivated()] {
        assert_eq!(verdict(&notice, &kind, "2026-12-16T10:00:00Z"), Verdict::Holds, "{kind:?}");
    }
}

#[test]
fn a_warning_of_a_day_that_lies_ahead_waits_for_it() {
    let early = |notice: &Queued| verdict(notice, &warning("2026-12-24"), "2026-12-23T23:59:59Z");
    assert!(matches!(early(&normal()), Verdict::NotYet(why) if why.contains("not come yet")));
    // Another host's clock may be ahead of the expiry too.
    let found = verdict(&normal(), &warning("2026-12-23"), "2026-12-22T20:00:00Z");
    assert!(matches!(found, Verdict::NotYet(_)), "{found:?}");
    let mut paid = normal();
    paid.situation.subscription = Some(standing(true, Some("2027-01-21T20:30:00Z")));
    assert!(is_overtaken(&early(&paid), "expires on 2027-01-21"));
}

/// Every kind that is about a subscription's renewal, with a day on which it holds.
fn about_renewal() -> Vec<(NoticeKind, &'static str)> {
    vec![
        (reminder(), "2026-12-16T10:00:00Z"),
        (urgent(), "2026-12-20T10:00:00Z"),
        (warning("2026-12-24"), "2026-12-24T10:00:00Z"),
        (failed(None), "2026-12-23T10:00:00Z"),
        (price_changed(), "2026-12-23T10:00:00Z"),
    ]
}

#[test]
fn who_is_exempt_by_now_is_not_asked_to_pay() {
    let exempt = BTreeSet::from(["acme".parse().unwrap(), "bell".parse().unwrap()]);
    for ((kind, now), asks) in about_renewal().into_iter().zip([true, true, true, false, false]) {
        let found = holds(&normal(), &kind, &exempt, &TimeZone::UTC, at(now));
        assert_eq!(is_overtaken(&found, "exempt"), asks, "{kind:?}: {found:?}");
        let mut other = normal();
        other.tenant.schema = "cola".parse().unwrap();
        assert_eq!(holds(&other, &kind, &exempt, &TimeZone::UTC, at(now)), Verdict::Holds, "{kind:?}");
    }
    assert_eq!(holds(&suspended_one(), &suspended(), &exempt, &TimeZone::UTC, at(EXPIRY)), Verdict::Holds);
}

fn suspended_one() -> Queued {
    let mut notice = normal();
    notice.tenant.is_active = false;
    notice
}

#[test]
fn whom_another_bills_by_now_hears_nothing_of_our_renewals() {
    let elsewhere = SubscriptionSituation { provider: "paddle".to_owned(), ..standing(true, Some(EXPIRY)) };
    for (kind, now) in about_renewal() {
        let mut notice = normal();
        assert_eq!(verdict(&notice, &kind, now), Verdict::Holds, "{kind:?}");
        notice.situation.subscription = Some(elsewhere.clone());
        let found = verdict(&notice, &kind, now);
        assert!(is_overtaken(&found, "billed by \"paddle\""), "{kind:?}: {found:?}");
    }
    let mut notice = suspended_one();
    notice.situation.subscription = Some(elsewhere);
    assert_eq!(verdict(&notice, &suspended(), EXPIRY), Verdict::Holds);
}

#[test]
fn no_charge_is_promised_after_the_card_was_refused() {
    let mut refused = normal();
    refused.situation.subscription =
        Some(SubscriptionSituation { refused_since: true, ..standing(true, Some(EXPIRY)) });
    for (mut kind, now) in about_renewal() {
        assert_eq!(verdict(&refused, &kind, now), Verdict::Holds, "{kind:?}: by hand, or itself of the refusal");
        let (NoticeKind::Reminder { renewal, .. }
        | NoticeKind::UrgentReminder { renewal, .. }
        | NoticeKind::GraceWarning { renewal, .. }) = &mut kind
        else {
            continue;
        };
        *renewal = RenewalPlan::Card { masked: None };
        let found = verdict(&refused, &kind, now);
        assert!(is_overtaken(&found, "the card was refused"), "{kind:?}: {found:?}");
        assert_eq!(verdict(&normal(), &kind, now), Verdict::Holds, "{kind:?}");
    }
}

#[test]
fn suspended_holds_while_tenant_or_subscription_is_inactive() {
    for (tenant, subscription, expected) in [
        (true, Some(true), false),
        (false, Some(true), true),
        (true, Some(false), true),
        (false, Some(false), true),
        (true, None, false),
        (false, None, true),
    ] {
        let mut notice = normal();
        notice.tenant.is_active = tenant;
        notice.situation.subscription = subscription.map(|active| standing(active, Some(EXPIRY)));
        let found = verdict(&notice, &suspended(), "2027-01-05T10:00:00Z");
        assert_eq!(found == Verdict::Holds, expected, "{tenant} {subscription:?}: {found:?}");
        let found = verdict(&notice, &reactivated(), "2027-01-05T10:00:00Z");
        assert_eq!(found == Verdict::Holds, tenant, "{tenant} {subscription:?}: {found:?}");
    }
}

#[test]
fn a_failed_payment_is_told_until_it_is_paid_or_tried_again() {
    let now = "2026-12-23T10:00:00Z";
    for (expires_at, next_billing, kind, overtaken) in [
        (Some(EXPIRY), None, failed(None), None),
        (Some(EXPIRY), None, failed(Some("2026-12-23")), None),
        (Some(EXPIRY), None, failed(Some("2026-12-25")), None),
        (Some(EXPIRY), None, failed(Some("2026-12-22")), Some("charged again on 2026-12-22")),
        (Some(EXPIRY), None, price_changed(), None),
        (Some("2026-12-24T20:30:00Z"), None, failed(None), None),
        (Some("2027-01-21T20:30:00Z"), None, failed(None), Some("paid")),
        (Some("2027-01-21T20:30:00Z"), None, price_changed(), Some("paid")),
        (None, Some(EXPIRY), failed(None), None),
        (None, Some("2027-01-21T20:30:00Z"), failed(None), Some("paid")),
        // The expiry counts before the billing date.
        (Some(EXPIRY), Some("2027-01-21T20:30:00Z"), price_changed(), None),
        (None, None, price_changed(), Some("not renewed")),
    ] {
        let mut notice = normal();
        let standing = SubscriptionSituation { next_billing_date: next_billing.map(at), ..standing(true, expires_at) };
        notice.situation.subscription = Some(standing.clone());
        let found = verdict(&notice, &kind, now);
        match overtaken {
            None => assert_eq!(found, Verdict::Holds, "{kind:?}, {standing:?}"),
            Some(words) => assert!(is_overtaken(&found, words), "{kind:?}, {standing:?}: {found:?}"),
        }
    }
    let mut notice = normal();
    notice.situation.subscription = None;
    assert!(is_overtaken(&verdict(&notice, &failed(None), now), "no subscription"));
}

#[test]
fn a_mailbox_is_told_of_while_it_is_off() {
    for (active, overtaken) in [(Some(false), None), (Some(true), Some("active again")), (None, Some("deleted"))] {
        let mut notice = normal();
        notice.situation.mailbox_active = active;
        let found = verdict(&notice, &mailbox_off(), "2026-12-23T10:00:00Z");
        match overtaken {
            None => assert_eq!(found, Verdict::Holds),
            Some(words) => assert!(is_overtaken(&found, words), "{found:?}"),
        }
    }
}

#[test]
fn a_receipt_always_holds() {
    let mut notice = queued(1);
    notice.tenant.is_active = false;
    notice.situation = Situation::default();
    let kind = notice.kind.clone().unwrap();
    assert_eq!(verdict(&notice, &kind, "2036-12-23T10:00:00Z"), Verdict::Holds);
}
