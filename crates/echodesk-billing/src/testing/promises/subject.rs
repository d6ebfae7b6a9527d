//! A subscription that a promise is checked on, and shorthands for what is done with it.

use std::fmt::Debug;
use std::sync::Barrier;

use echodesk_core::{RunId, StoreError, SubscriptionId};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::model::{Attempt, BankOrderId, Candidate, Charge, OrderId, Refusal};
use crate::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement, Source};
use crate::rules::due::{Decision, Policy, judge};
use crate::rules::period::{Window, renewal_date};

static UTC: TimeZone = TimeZone::UTC;

/// A subscription that is due, in its store.
pub(super) struct Subject<'a> {
    pub(super) store: &'a dyn BillingStore,
    pub(super) now: Timestamp,
    pub(super) first: Candidate,
}

/// What a store answered, which must not be an error.
#[expect(clippy::panic, reason = "a check that fails says so by a panic, as every test does")]
pub(super) fn done<T>(what: &str, answer: Result<T, StoreError>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("{what} failed: {error} ({:?})", error.source),
    }
}

impl<'a> Subject<'a> {
    /// All that the store would have charged now.
    pub(super) fn all(store: &'a dyn BillingStore, now: Timestamp) -> Vec<Self> {
        let policy = Policy::default();
        let due = done("candidates", store.candidates(&policy.window(now), None, None, 1000, now));
        let charged = due.into_iter().filter(|candidate| matches!(judge(candidate, &policy, now), Decision::Charge(_)));
        let mut subjects: Vec<Self> = Vec::new();
        for first in charged {
            if subjects.iter().all(|other| other.first.tenant.id != first.tenant.id) {
                subjects.push(Self { store, now, first });
            }
        }
        subjects
    }

    pub(super) fn id(&self) -> SubscriptionId {
        self.first.subscription
    }

    /// The subscription as it is now, wherever its date has moved to.
    #[expect(clippy::panic, reason = "a check that fails says so by a panic, as every test does")]
    pub(super) fn read(&self) -> Candidate {
        let window = Window::around(self.now, 365, 365);
        let found =
            done("candidates", self.store.candidates(&window, Some(self.first.tenant.id), None, 1000, self.now));
        match found.into_iter().find(|candidate| candidate.subscription == self.id()) {
            Some(candidate) => candidate,
            None => panic!("candidates: subscription {} has a date in the window and is not told of", self.id()),
        }
    }

    /// A charge as the rules decide it, by what the store says now.
    #[expect(clippy::panic, reason = "a check that fails says so by a panic, as every test does")]
    pub(super) fn charge(&self) -> Charge {
        match judge(&self.first, &Policy::default(), self.now) {
            Decision::Charge(charge) => Charge { seen: self.read().seen, ..*charge },
            Decision::Skip(skip) => panic!("subscription {} is not due: {skip}", self.id()),
        }
    }

    /// A claim by a run of its own, for five minutes from `minutes` after now.
    pub(super) fn claim(&self, minutes: i64) -> Claim {
        let now = self.later(minutes);
        Claim { run: RunId::random(), until: self.later(minutes + 5), now }
    }

    pub(super) fn later(&self, minutes: i64) -> Timestamp {
        self.now.checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn try_prepare(&self, charge: &Charge, claim: Claim) -> Prepared {
        self.try_prepare_as(charge, claim, OrderId::renewal(Uuid::new_v4()), Uuid::new_v4())
    }

    pub(super) fn try_prepare_as(&self, charge: &Charge, claim: Claim, order: OrderId, key: Uuid) -> Prepared {
        done("prepare", self.store.prepare(&NewAttempt { charge, order, key, claim }))
    }

    /// An attempt that is written down, claimed by `claim`.
    #[expect(clippy::panic, reason = "a check that fails says so by a panic, as every test does")]
    pub(super) fn prepare(&self, claim: Claim) -> Attempt {
        match self.try_prepare(&self.charge(), claim) {
            Prepared::Written(attempt) => *attempt,
            Prepared::Changed => panic!("prepare: nothing has changed, and it was not written down"),
        }
    }

    /// An attempt that the bank has made an order of, and the name of that.
    pub(super) fn accept(&self) -> (Attempt, BankOrderId) {
        let attempt = self.prepare(self.claim(0));
        let order = BankOrderId(Uuid::new_v4().to_string());
        (done("accepted", self.store.accepted(attempt.id, &order, self.now)), order)
    }

    pub(super) fn settlement<'s>(&self, refusal: Option<&'s Refusal>, source: Source<'s>) -> Settlement<'s> {
        Settlement { refusal, bank_order: None, source, now: self.now, run: None, time_zone: &UTC }
    }

    pub(super) fn settle(&self, attempt: &Attempt, refusal: Option<&Refusal>) -> Settled {
        done("settle", self.store.settle(attempt.id, &self.settlement(refusal, Source::Receipt)))
    }

    /// The attempt as it stands.
    #[expect(clippy::panic, reason = "a check that fails says so by a panic, as every test does")]
    pub(super) fn again(&self, attempt: &Attempt) -> Attempt {
        match done("attempt_of_order", self.store.attempt_of_order(&attempt.order)) {
            Some(attempt) => attempt,
            None => panic!("attempt_of_order: {} was written down and is not found", attempt.order),
        }
    }

    /// Whether a run that comes then gets the attempt.
    pub(super) fn takes(&self, claim: &Claim, which: Claims, attempt: &Attempt) -> bool {
        let claimed = done("claim", self.store.claim(claim, which, Some(self.first.tenant.id), None, 1000));
        claimed.iter().any(|claimed| claimed.id == attempt.id)
    }

    pub(super) fn is_left(&self, attempt: &Attempt) -> bool {
        let left = done("left", self.store.left(Some(self.first.tenant.id), None, 1000));
        left.iter().any(|left| left.id == attempt.id)
    }

    /// How many days its renewal date has moved since the beginning.
    pub(super) fn moved_by(&self) -> Option<i64> {
        let (old, new) = (renewal_date(&self.first.seen)?, renewal_date(&self.read().seen)?);
        Some(new.duration_since(old).as_hours() / 24)
    }

    /// What `work` says in each of many threads that start together.
    pub(super) fn together<T: Send + Debug>(&self, work: impl Fn() -> T + Sync) -> Vec<T> {
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        work()
                    })
                })
                .collect();
            // A thread that has failed has said why.
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        })
    }
}

/// A refusal that may be over tomorrow: not enough money.
pub(super) fn soft() -> Refusal {
    Refusal::Rejected { code: Some("107".to_owned()), reason: None }
}

/// Reading page by page tells of everything once, in the order of ids.
pub(super) fn pages_hold_everything_once(store: &dyn BillingStore, now: Timestamp) {
    let window = Window::around(now, 365, 365);
    let whole: Vec<_> = done("candidates", store.candidates(&window, None, None, 100_000, now))
        .into_iter()
        .map(|candidate| candidate.subscription)
        .collect();
    assert!(whole.windows(2).all(|pair| pair[0] < pair[1]), "candidates: they are not in the order of their ids");
    let mut paged = Vec::new();
    loop {
        let page = done("candidates", store.candidates(&window, None, paged.last().copied(), 3, now));
        assert!(page.len() <= 3, "candidates: a page is longer than its limit");
        if page.is_empty() {
            break;
        }
        paged.extend(page.into_iter().map(|candidate| candidate.subscription));
    }
    assert_eq!(whole, paged, "candidates: pages hold other subscriptions than the whole");
    let mut left = Vec::new();
    loop {
        let page = done("left", store.left(None, left.last().copied(), 2));
        assert!(page.len() <= 2, "left: a page is longer than its limit");
        if page.is_empty() {
            break;
        }
        left.extend(page.into_iter().map(|attempt| attempt.id));
    }
    let whole: Vec<_> = done("left", store.left(None, None, 100_000)).into_iter().map(|attempt| attempt.id).collect();
    assert_eq!(whole, left, "left: pages hold other attempts than the whole");
}
