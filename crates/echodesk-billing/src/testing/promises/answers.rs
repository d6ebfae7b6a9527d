//! What the bank says, as long as it is not final.

use echodesk_core::AttemptId;

use super::subject::{Subject, done};
use crate::model::{AttemptState, BankOrderId, OrderId};

pub(super) fn an_answer_is_kept_and_nothing_goes_back(subject: &Subject<'_>) {
    let attempt = subject.prepare(subject.claim(0));
    let unknown = done("unanswered", subject.store.unanswered(attempt.id, "time-out", subject.now));
    assert_eq!((unknown.state, unknown.last_error.as_deref()), (AttemptState::Unknown, Some("time-out")), "unanswered");
    let order = BankOrderId(format!("bank-of-{}", attempt.order));
    for _ in 0..2 {
        let accepted = done("accepted", subject.store.accepted(attempt.id, &order, subject.now));
        assert_eq!((accepted.state, accepted.bank_order.as_ref()), (AttemptState::Accepted, Some(&order)), "accepted");
        assert_eq!((accepted.last_error, accepted.trouble), (None, None), "accepted: all is well again");
    }
    let late = done("unanswered", subject.store.unanswered(attempt.id, "time-out", subject.now));
    assert_eq!(late.state, AttemptState::Accepted, "unanswered: the bank was faster");
    let found = done("attempt_of_bank_order", subject.store.attempt_of_bank_order(&order));
    assert_eq!(found.map(|found| found.id), Some(attempt.id), "attempt_of_bank_order");
    let found =
        done("attempt_of_bank_order", subject.store.attempt_of_bank_order(&BankOrderId("of nobody".to_owned())));
    assert_eq!(found, None, "attempt_of_bank_order: of nobody");
    let found = done("attempt_of_order", subject.store.attempt_of_order(&OrderId("of nobody".to_owned())));
    assert_eq!(found, None, "attempt_of_order: of nobody");
    assert!(subject.is_left(&attempt), "left: what is open");
    subject.settle(&attempt, None);
    let late = done("accepted", subject.store.accepted(attempt.id, &order, subject.now));
    assert_eq!((late.state, late.trouble), (AttemptState::Paid, None), "accepted: a callback was faster");
    let late = done("unanswered", subject.store.unanswered(attempt.id, "time-out", subject.now));
    assert_eq!(late.state, AttemptState::Paid, "unanswered: a callback was faster");
    assert!(
        subject.store.unanswered(AttemptId(i64::MAX), "x", subject.now).is_err(),
        "unanswered: there is no such attempt"
    );
}

pub(super) fn two_orders_for_one_attempt_are_trouble(subject: &Subject<'_>) {
    let (attempt, order) = subject.accept();
    let other = BankOrderId(format!("{order}-2"));
    let named = done("accepted", subject.store.accepted(attempt.id, &other, subject.now));
    assert_eq!(named.bank_order.as_ref(), Some(&order), "accepted: the first name stays");
    assert!(named.trouble.is_some(), "accepted: the bank may have charged twice, and nobody is told");
    assert_eq!(subject.again(&attempt), named, "accepted: it says what is written down");
}
