//! What is due is found, and written down once before the bank is called.

use echodesk_core::TenantId;
use uuid::Uuid;

use super::subject::{Subject, done, soft};
use crate::model::{AttemptState, Charge, OrderId, Seen};
use crate::ports::Prepared;
use crate::rules::period::{Window, renewal_date};

pub(super) fn a_subscription_is_found_by_its_date_and_its_tenant(subject: &Subject<'_>) {
    let date = renewal_date(&subject.first.seen).unwrap_or(subject.now);
    let found = |window: Window, tenant: TenantId| {
        let page = done("candidates", subject.store.candidates(&window, Some(tenant), None, 10, subject.now));
        page.iter().any(|candidate| candidate.subscription == subject.id())
    };
    let tenant = subject.first.tenant.id;
    let second = jiff::SignedDuration::from_secs(1);
    let before = date.checked_sub(second).unwrap_or(date);
    assert!(found(Window { after: before, until: date }, tenant), "candidates: a window ends with its last date");
    assert!(
        !found(Window { after: date, until: subject.later(1_000_000) }, tenant),
        "candidates: it begins after its first"
    );
    assert!(!found(Window { after: before, until: date }, TenantId(i64::MAX)), "candidates: of another tenant");
}

pub(super) fn of_many_who_charge_at_once_one_is_written_down(subject: &Subject<'_>) {
    let charge = subject.charge();
    let written = subject.together(|| subject.try_prepare(&charge, subject.claim(0)));
    let written = written.into_iter().filter_map(|prepared| match prepared {
        Prepared::Written(attempt) => Some(*attempt),
        Prepared::Changed => None,
    });
    let [attempt] = &written.collect::<Vec<_>>()[..] else { return nobody_or_several(subject) };
    assert_eq!(attempt.state, AttemptState::Prepared, "prepare");
    assert_eq!(
        (attempt.subscription, attempt.period, attempt.number, &attempt.parent, attempt.amount),
        (charge.subscription, charge.period, charge.number, &charge.parent, charge.amount),
        "prepare: what is written down is not what was decided"
    );
    let now = subject.read();
    assert_eq!(now.seen.last_attempt, Some(attempt.id), "candidates: the newest attempt is among what was seen");
    let told: Vec<_> = now.attempts.iter().map(|past| (&past.order, past.state)).collect();
    assert_eq!(told, [(&attempt.order, AttemptState::Prepared)], "candidates: its attempts are told of");
    // Also by somebody who has seen the open attempt and decides to charge all the same.
    let blind = Charge { number: charge.number + 1, ..subject.charge() };
    assert_eq!(
        subject.try_prepare(&blind, subject.claim(0)),
        Prepared::Changed,
        "prepare: a second open attempt on one subscription"
    );
    assert_eq!(subject.again(attempt).key, attempt.key, "an attempt keeps its key");
}

#[expect(clippy::panic, reason = "a check that fails says so by a panic, as every test does")]
fn nobody_or_several(subject: &Subject<'_>) {
    panic!("prepare: of those who charge subscription {} at once, one must be written down", subject.id())
}

pub(super) fn what_has_changed_since_it_was_decided_is_not_charged(subject: &Subject<'_>) {
    let charge = subject.charge();
    let seen = &charge.seen;
    let another_date = renewal_date(seen).and_then(|date| date.checked_add(jiff::SignedDuration::from_hours(1)).ok());
    for (what, seen) in [
        ("is_active of the tenant", Seen { tenant_active: !seen.tenant_active, ..seen.clone() }),
        ("payment_provider", Seen { provider: format!("{}-2", seen.provider), ..seen.clone() }),
        ("is_active", Seen { active: !seen.active, ..seen.clone() }),
        ("expires_at", Seen { expires_at: another_date, ..seen.clone() }),
        ("next_billing_date", Seen { next_billing_date: another_date, ..seen.clone() }),
        ("agent_count", Seen { agent_count: seen.agent_count + 1, ..seen.clone() }),
        ("parent_order_id", Seen { parent: Some(crate::model::BankOrderId("another".to_owned())), ..seen.clone() }),
        ("the newest attempt", Seen { last_attempt: Some(echodesk_core::AttemptId(i64::MAX)), ..seen.clone() }),
    ] {
        let stale = Charge { seen, ..charge.clone() };
        let prepared = subject.try_prepare(&stale, subject.claim(0));
        assert_eq!(prepared, Prepared::Changed, "prepare: {what} is not what was seen");
    }
    assert!(subject.read().attempts.is_empty(), "prepare: what was not written down is in the ledger");
}

pub(super) fn an_order_and_a_key_are_used_once(subject: &Subject<'_>) {
    let first = subject.prepare(subject.claim(0));
    subject.settle(&first, Some(&soft()));
    // Nothing is open any more, so that nothing else stands against the next.
    let charge = subject.charge();
    for (what, order, key) in [
        ("order", first.order.clone(), Uuid::new_v4()),
        ("key", OrderId::renewal(Uuid::new_v4()), first.key),
        ("order and the key", first.order.clone(), first.key),
    ] {
        let prepared = subject.try_prepare_as(&charge, subject.claim(0), order, key);
        assert_eq!(prepared, Prepared::Changed, "prepare: the {what} of another attempt, which has ended");
    }
    assert_eq!(subject.read().attempts.len(), 1, "prepare: what was not written down is in the ledger");
    assert_eq!(subject.again(&first).state, AttemptState::Failed, "prepare: the other attempt stays as it was");
    subject.prepare(subject.claim(0));
}
