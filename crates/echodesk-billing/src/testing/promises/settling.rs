//! A final answer closes an attempt once, and what is paid extends once.

use echodesk_core::AttemptId;

use super::subject::{Subject, done, soft};
use crate::model::{Attempt, AttemptState, BankOrderId, Refusal};
use crate::ports::{Claims, Settled, Settlement, Source};

pub(super) fn of_many_who_settle_one_extends(subject: &Subject<'_>) {
    let (attempt, _) = subject.accept();
    let settled = subject.together(|| subject.settle(&attempt, None));
    let extended = settled.iter().filter(|settled| matches!(settled, Settled::Paid { extended: true, .. })).count();
    let already = settled.iter().filter(|settled| **settled == Settled::Already(AttemptState::Paid)).count();
    assert_eq!((extended, already), (1, 7), "settle: {settled:?}");
    let date = settled.iter().find_map(|settled| match settled {
        Settled::Paid { until, .. } => *until,
        _ => None,
    });
    assert_eq!(subject.moved_by(), Some(30), "settle: a payment is for 30 days");
    assert_eq!(date, subject.read().seen.next_billing_date, "settle: it says until when");
    assert_eq!(subject.settle(&attempt, Some(&soft())), Settled::Already(AttemptState::Paid), "settle: paid is final");
    assert_eq!(subject.settle(&attempt, None), Settled::Already(AttemptState::Paid), "settle: and done once");
    let closed = subject.again(&attempt);
    assert_eq!((closed.state, closed.refusal), (AttemptState::Paid, None), "settle");
    assert_eq!(subject.moved_by(), Some(30), "settle: a repeated answer extends nothing");
    let nobody = subject.store.settle(AttemptId(i64::MAX), &subject.settlement(None, Source::Receipt));
    assert!(nobody.is_err(), "settle: of an attempt that there is not");
}

pub(super) fn a_refusal_closes_once_and_extends_nothing(subject: &Subject<'_>) {
    let (attempt, _) = subject.accept();
    let refusal = soft();
    let settled = subject.settle(&attempt, Some(&refusal));
    assert!(matches!(settled, Settled::Failed(_)), "settle: {settled:?}");
    assert_eq!(subject.settle(&attempt, Some(&refusal)), Settled::Already(AttemptState::Failed), "settle: once");
    let closed = subject.again(&attempt);
    assert_eq!((closed.state, closed.refusal), (AttemptState::Failed, Some(refusal)), "settle: the reason is kept");
    assert_eq!(subject.moved_by(), Some(0), "settle: what is refused extends nothing");
    let now = subject.read();
    let past: Vec<_> = now.attempts.iter().map(|past| (past.state, past.closed_at.is_some())).collect();
    assert_eq!(past, [(AttemptState::Failed, true)], "candidates: when it was closed decides about the next try");
    // The next try may be written down.
    subject.prepare(subject.claim(0));
}

pub(super) fn what_was_refused_may_still_be_paid(subject: &Subject<'_>) {
    let attempt = subject.prepare(subject.claim(0));
    subject.settle(&attempt, Some(&soft()));
    let order = BankOrderId(format!("late-{}", attempt.order));
    let late = Settlement { bank_order: Some(&order), ..subject.settlement(None, Source::Callback) };
    let settled = done("settle", subject.store.settle(attempt.id, &late));
    assert!(matches!(settled, Settled::Paid { extended: true, .. }), "settle: money that came is booked: {settled:?}");
    let closed = subject.again(&attempt);
    assert_eq!(
        (closed.state, closed.bank_order),
        (AttemptState::Paid, Some(order)),
        "settle: with the bank's name of it"
    );
    assert_eq!(subject.moved_by(), Some(30), "settle: and extends");
}

pub(super) fn what_was_taken_for_not_sent_may_still_be_paid(subject: &Subject<'_>) {
    let own = subject.claim(0);
    let attempt = subject.prepare(own);
    assert!(done("not_sent", subject.store.not_sent(attempt.id, own.run, "no token", subject.now)), "not_sent");
    let refused = subject.settle(&attempt, Some(&soft()));
    assert_eq!(refused, Settled::Already(AttemptState::NotSent), "settle: that nobody paid is known");
    let order = BankOrderId(format!("unsent-{}", attempt.order));
    let late = Settlement { bank_order: Some(&order), ..subject.settlement(None, Source::Callback) };
    let settled = done("settle", subject.store.settle(attempt.id, &late));
    assert!(
        matches!(settled, Settled::Paid { extended: true, .. }),
        "settle: money that came is booked, also if it was said not to have been asked for: {settled:?}"
    );
    assert_eq!((subject.again(&attempt).state, subject.moved_by()), (AttemptState::Paid, Some(30)), "settle");
}

pub(super) fn a_late_payment_is_booked_beside_the_next_attempt(subject: &Subject<'_>) {
    let (first, _) = subject.accept();
    subject.settle(&first, Some(&soft()));
    let (second, order) = subject.accept();
    let settled = subject.settle(&first, None);
    assert!(
        matches!(settled, Settled::Paid { extended: true, .. }),
        "settle: money that came is booked, also while the next attempt is open: {settled:?}"
    );
    let open = subject.again(&second);
    assert_eq!(
        (open.state, open.bank_order),
        (AttemptState::Accepted, Some(order)),
        "settle: what becomes of the next attempt is the bank's to say"
    );
    assert!(subject.is_left(&second), "left: what is open");
    assert_eq!(subject.moved_by(), Some(30), "settle: one payment, 30 days");
    let settled = subject.settle(&second, None);
    assert!(matches!(settled, Settled::Paid { extended: true, .. }), "settle: both were captured: {settled:?}");
    assert_eq!(subject.moved_by(), Some(60), "settle: every captured charge extends once");
    for attempt in [&first, &second] {
        assert_eq!(subject.settle(attempt, None), Settled::Already(AttemptState::Paid), "settle: and done once");
    }
    assert_eq!(subject.moved_by(), Some(60), "settle: a repeated answer extends nothing");
}

/// What becomes of an attempt whose first call is refused by something before the bank, after `meanwhile`.
fn refused_at_first(subject: &Subject<'_>, meanwhile: impl FnOnce(&Attempt)) -> (Settled, AttemptState) {
    let own = subject.claim(0);
    let attempt = subject.prepare(own);
    meanwhile(&attempt);
    let refusal = Refusal::Http { status: 400, code: None, message: "bad request".to_owned() };
    let answer = Settlement { run: Some(own.run), ..subject.settlement(Some(&refusal), Source::FirstAnswer) };
    let settled = done("settle", subject.store.settle(attempt.id, &answer));
    (settled, subject.again(&attempt).state)
}

pub(super) fn a_first_answer_closes_nothing_once_another_run_may_call(subject: &Subject<'_>) {
    let stands = refused_at_first(subject, |attempt| {
        assert!(subject.takes(&subject.claim(10), Claims::Left, attempt), "claim: what nobody holds any more");
    });
    assert_eq!(
        stands,
        (Settled::Already(AttemptState::Prepared), AttemptState::Prepared),
        "settle: the first call was refused, and the second is on its way"
    );
}

pub(super) fn a_first_answer_closes_what_nobody_else_has_had(subject: &Subject<'_>) {
    let (settled, state) = refused_at_first(subject, |_| ());
    assert!(matches!(settled, Settled::Failed(_)), "settle: nobody else can have called: {settled:?}");
    assert_eq!(state, AttemptState::Failed, "settle");
}

pub(super) fn a_late_refusal_of_the_call_closes_nothing(subject: &Subject<'_>) {
    let (attempt, _) = subject.accept();
    let refusal = soft();
    let answer = subject.settlement(Some(&refusal), Source::Answer);
    let settled = done("settle", subject.store.settle(attempt.id, &answer));
    assert_eq!(
        settled,
        Settled::Already(AttemptState::Accepted),
        "settle: a call is refused of which the bank has made an order, by another call"
    );
    assert_eq!(subject.again(&attempt).state, AttemptState::Accepted, "settle: it stays open");
}
