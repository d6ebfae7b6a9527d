//! What the watch over expiry decides and what delivery holds to be true are rules of two crates that know
//! nothing of each other: here they are held against each other.

use std::collections::BTreeSet;

use echodesk_billing::model::{Account, Candidate, Seen};
use echodesk_billing::rules::expiry::{Decision, ExpiryPolicy, judge};
use echodesk_core::notice::NewNotice;
use echodesk_core::{Language, NoticeId, SubscriptionId, Tenant, TenantId};
use echodesk_notify::ports::{Queued, Situation, SubscriptionSituation};
use echodesk_notify::rules::{Verdict, holds};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const EXPIRES: &str = "2026-11-25T08:30:00Z";

fn account(expires_at: Timestamp) -> Account {
    let tenant = Tenant {
        id: TenantId(1),
        schema: "acme".parse().unwrap(),
        name: "Acme".to_owned(),
        admin_email: "ana@acme.example".to_owned(),
        admin_name: "Ana".to_owned(),
        language: Language::En,
        is_active: true,
    };
    let seen = Seen {
        tenant_active: true,
        provider: "bog".to_owned(),
        active: true,
        expires_at: Some(expires_at),
        next_billing_date: Some(expires_at),
        agent_count: 1,
        parent: None,
        last_attempt: None,
    };
    let candidate = Candidate {
        subscription: SubscriptionId(1),
        tenant,
        seen,
        feature_prices: vec!["50".parse().unwrap()],
        own_card_order: None,
        newest_card_order: None,
        attempts: Vec::new(),
        echodesk_retry: None,
        foreign_order: None,
    };
    Account { candidate, saved_cards: Vec::new(), told: Vec::new(), orders: Vec::new() }
}

/// The notice as delivery finds it when things stand as in `account`.
fn queued(notice: &NewNotice, account: &Account) -> Queued {
    let seen = &account.candidate.seen;
    let mut tenant = account.candidate.tenant.clone();
    tenant.is_active = seen.tenant_active;
    Queued {
        id: NoticeId(1),
        tenant,
        sign_in_url: None,
        kind: Ok(notice.kind.clone()),
        code: notice.kind.code().to_owned(),
        subject_key: notice.subject_key.clone(),
        period: notice.period.clone(),
        decided_at: notice.decided_at,
        attempts: 0,
        situation: Situation {
            subscription: Some(SubscriptionSituation {
                active: seen.active,
                expires_at: seen.expires_at,
                next_billing_date: seen.next_billing_date,
                charge_open: false,
                provider: seen.provider.clone(),
                refused_since: false,
            }),
            mailbox_active: None,
        },
    }
}

fn verdict(notice: &NewNotice, account: &Account, policy: &ExpiryPolicy, now: Timestamp) -> Verdict {
    holds(&queued(notice, account), &notice.kind, &BTreeSet::new(), &policy.time_zone, now)
}

fn hours_on(moment: Timestamp, hours: i64) -> Timestamp {
    moment.checked_add(SignedDuration::from_hours(hours)).unwrap()
}

proptest! {
    /// A notice holds in the moment in which it is decided. Sent any time later it holds only if it says what
    /// would be decided then, and never once the customer has paid.
    #[test]
    fn what_is_sent_is_what_would_be_decided_then(
        zone in prop::sample::select(vec!["UTC", "Asia/Tbilisi", "America/New_York"]),
        grace_days in 0_u32..20,
        hours in -200_i64..600,
        wait in 0_i64..400,
    ) {
        let policy = ExpiryPolicy { grace_days, time_zone: TimeZone::get(zone).unwrap(), ..ExpiryPolicy::default() };
        let expires_at: Timestamp = EXPIRES.parse().unwrap();
        let mut account = account(expires_at);
        let now = hours_on(expires_at, hours);
        let notice = match judge(&account, &policy, now) {
            Decision::Notify(_, notice) => notice,
            Decision::Suspend(notice) => {
                account.candidate.seen.active = false;
                account.candidate.seen.tenant_active = false;
                notice
            }
            Decision::Nothing(_) | Decision::Withhold(..) => return Ok(()),
        };
        prop_assert_eq!(verdict(&notice, &account, &policy, now), Verdict::Holds);

        let later = hours_on(now, wait);
        if verdict(&notice, &account, &policy, later) == Verdict::Holds && account.candidate.seen.active {
            let Decision::Notify(_, then) = judge(&account, &policy, later) else {
                return Err(TestCaseError::fail(format!("{} would not be decided at {later}", notice.kind.code())));
            };
            prop_assert_eq!((then.kind.code(), then.period), (notice.kind.code(), notice.period.clone()));
        }

        let paid_until = hours_on(later.max(expires_at), 720);
        let seen = &mut account.candidate.seen;
        (seen.expires_at, seen.next_billing_date) = (Some(paid_until), Some(paid_until));
        (seen.active, seen.tenant_active) = (true, true);
        prop_assert!(matches!(verdict(&notice, &account, &policy, later), Verdict::Overtaken(_)));
    }
}
