//! Who works on an attempt.

use echodesk_core::{AttemptId, RunId};
use jiff::{SignedDuration, Timestamp};

use super::subject::{Subject, done, soft};
use crate::model::AttemptState;
use crate::ports::{BillingStore, Claim, Claims, Settlement, Source};

/// How often several runs race for one attempt: a store that reads and then writes without a lock passes a single race
/// now and then.
const RACES: i64 = 10;

pub(super) fn of_many_who_claim_at_once_one_gets_it(subject: &Subject<'_>) {
    let attempt = subject.prepare(subject.claim(0));
    for race in 1..=RACES {
        // The claim of the race before has ended.
        let minutes = 10 * race;
        let runs = subject.together(|| {
            let claim = subject.claim(minutes);
            (claim.run, subject.takes(&claim, Claims::Left, &attempt))
        });
        let winners: Vec<RunId> = runs.iter().filter(|(_, got)| *got).map(|(run, _)| *run).collect();
        assert_eq!((winners.len(), runs.len()), (1, 8), "claim: of those who come at once, one gets an attempt");
        for (run, won) in runs {
            let own = Claim { run, ..subject.claim(minutes) };
            assert_eq!(subject.takes(&own, Claims::Mine, &attempt), won, "claim: who got it holds it, and nobody else");
        }
    }
}

pub(super) fn a_claim_holds_until_it_ends_or_is_given_back(subject: &Subject<'_>) {
    let first = subject.claim(0);
    let attempt = subject.prepare(first);
    assert!(!subject.takes(&subject.claim(0), Claims::Left, &attempt), "prepare: who writes it down has claimed it");
    let renewed = Claim { until: subject.later(20), ..first };
    assert!(subject.takes(&renewed, Claims::Mine, &attempt), "claim: a run finds its own");
    assert!(!subject.takes(&subject.claim(10), Claims::Left, &attempt), "claim: finding its own renews it");
    let second = subject.claim(20);
    assert!(subject.takes(&second, Claims::Left, &attempt), "claim: one that has ended is free, at the very moment");
    assert!(!subject.takes(&first, Claims::Mine, &attempt), "claim: who has lost it does not get it back");
    done("release", subject.store.release(first.run, None));
    assert!(!subject.takes(&subject.claim(21), Claims::Left, &attempt), "release: others' claims stay");
    done("release", subject.store.release(second.run, Some(&[])));
    assert!(!subject.takes(&subject.claim(21), Claims::Left, &attempt), "release: only those that are named");
    done("release", subject.store.release(second.run, Some(&[attempt.id])));
    let third = subject.claim(21);
    assert!(subject.takes(&third, Claims::Left, &attempt), "release: what is given back is free");

    let settlement = Settlement { run: Some(third.run), ..subject.settlement(None, Source::Receipt) };
    let elsewhere = subject.settlement(None, Source::Callback);
    done("settle", subject.store.settle(attempt.id, &elsewhere));
    assert!(subject.takes(&third, Claims::Mine, &attempt), "settle: what others settle is still the run's to tell of");
    done("settle", subject.store.settle(attempt.id, &settlement));
    assert!(
        !subject.takes(&third, Claims::Mine, &attempt),
        "settle: the claim of the run that settles ends, also if nothing changes"
    );
    assert!(!subject.is_left(&attempt), "left: what is closed is nobody's any more");
}

pub(super) fn only_who_would_have_sent_it_can_say_that_it_was_not(subject: &Subject<'_>) {
    let not_sent =
        |attempt, by: &Claim| done("not_sent", subject.store.not_sent(attempt, by.run, "no token", subject.now));
    let own = subject.claim(0);
    let attempt = subject.prepare(own);
    assert!(!not_sent(attempt.id, &subject.claim(0)), "not_sent: by another run");
    assert!(not_sent(attempt.id, &own), "not_sent: by the run that wrote it down");
    assert!(!not_sent(attempt.id, &own), "not_sent: twice");
    let closed = subject.again(&attempt);
    assert_eq!((closed.state, closed.last_error.as_deref()), (AttemptState::NotSent, Some("no token")), "not_sent");
    assert!(!subject.is_left(&attempt), "not_sent: it is closed");

    // It did no harm: the subscription can be charged again. This time somebody else takes over.
    let own = subject.claim(0);
    let attempt = subject.prepare(own);
    let other = subject.claim(10);
    assert!(subject.takes(&other, Claims::Left, &attempt), "claim: one that has ended is free");
    assert!(!not_sent(attempt.id, &own) && !not_sent(attempt.id, &other), "not_sent: the first may have sent it");
    done("release", subject.store.release(other.run, None));
    let back = Claim { now: subject.later(20), until: subject.later(25), ..own };
    assert!(subject.takes(&back, Claims::Left, &attempt), "claim: what is given back is free");
    assert!(!not_sent(attempt.id, &own), "not_sent: its claim was interrupted, and the other may have sent it");
    assert_eq!(subject.again(&attempt).state, AttemptState::Prepared, "not_sent: it says no and changes nothing");
    subject.settle(&attempt, Some(&soft()));

    let own = subject.claim(0);
    let attempt = subject.prepare(own);
    let renewed = Claim { now: subject.later(1), until: subject.later(6), ..own };
    assert!(subject.takes(&renewed, Claims::Mine, &attempt), "claim: what a run holds it may renew");
    let lapsed = Claim { now: subject.later(10), until: subject.later(15), ..own };
    assert!(subject.takes(&lapsed, Claims::Left, &attempt), "claim: one that has ended is free");
    assert!(!not_sent(attempt.id, &own), "not_sent: its claim had ended, and who knows who else had it");
    done("settle", subject.store.settle(attempt.id, &subject.settlement(None, Source::Receipt)));
}

pub(super) fn trouble_is_seen_to_until_it_is_taken_off(subject: &Subject<'_>) {
    let (attempt, _) = subject.accept();
    done("set_trouble", subject.store.set_trouble(attempt.id, Some("charged twice"), subject.now));
    subject.settle(&attempt, Some(&soft()));
    let closed = subject.again(&attempt);
    assert_eq!(
        (closed.state, closed.trouble.as_deref()),
        (AttemptState::Failed, Some("charged twice")),
        "settle: trouble is left for a person"
    );
    assert!(subject.is_left(&attempt), "left: what is closed and in trouble");
    assert!(subject.takes(&subject.claim(30), Claims::Left, &attempt), "claim: what is closed and in trouble");
    done("set_trouble", subject.store.set_trouble(attempt.id, None, subject.now));
    assert_eq!(subject.again(&attempt).trouble, None, "set_trouble: it is taken off");
    assert!(!subject.is_left(&attempt), "left: what is closed and out of trouble");
    let nobody = AttemptId(i64::MAX);
    assert!(
        subject.store.set_trouble(nobody, Some("x"), subject.now).is_err(),
        "set_trouble: of an attempt that there is not"
    );
}

/// Claiming page by page takes everything once, in the order of ids; and finds it again.
pub(super) fn pages_claim_everything_once(store: &dyn BillingStore, now: Timestamp) {
    let left = done("left", store.left(None, None, 100_000));
    let left: Vec<AttemptId> = left.into_iter().map(|attempt| attempt.id).collect();
    // When no claim holds any more.
    let later = |days: i64| now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX);
    let claim = Claim { run: RunId::random(), now: later(30), until: later(31) };
    for which in [Claims::Left, Claims::Mine] {
        let mut claimed: Vec<AttemptId> = Vec::new();
        loop {
            let page = done("claim", store.claim(&claim, which, None, claimed.last().copied(), 2));
            assert!(page.len() <= 2, "claim: a page is longer than its limit");
            if page.is_empty() {
                break;
            }
            claimed.extend(page.into_iter().map(|attempt| attempt.id));
            assert!(claimed.windows(2).all(|pair| pair[0] < pair[1]), "claim: they are not in the order of their ids");
        }
        assert_eq!(claimed, left, "claim ({which:?}): pages hold other attempts than the whole");
    }
    done("release", store.release(claim.run, None));
}
