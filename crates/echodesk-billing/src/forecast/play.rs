//! A copy of an account on which the runs of the next days are played.

use echodesk_core::notice::{NoticeKind, PaymentProblem};
use jiff::Timestamp;

use super::event::{Assumed, Forecasted, Job, What};
use super::{Assumption, Plan};
use crate::model::{Account, AttemptState, Charge, OrderId, PastAttempt, Refusal, Suspension, Told};
use crate::rules::due::{self, FOREIGN_ORDER_HOLDS_FOR, Skip};
use crate::rules::expiry::{self, Lift};
use crate::rules::period::{Standing, extend, renewal_date};
use crate::rules::retry::next_attempt;
use crate::run::charge::price_changed;

/// The order of a charge that was never made.
const FORECAST: &str = "forecast";
/// The bank's code for "not enough money".
const NOT_ENOUGH_MONEY: &str = "107";
/// What a run of renewals does not do where it skips.
const CHARGE: &str = "charge";

pub(super) struct Play<'a> {
    plan: &'a Plan,
    account: Account,
    suspension: Option<Suspension>,
    from: Timestamp,
    /// Reasons that were told: of which job, for what, and the reason's name.
    reasons: Vec<(Job, &'static str, &'static str)>,
    pub(super) events: Vec<Forecasted>,
}

impl<'a> Play<'a> {
    pub(super) fn new(account: &Account, suspension: Option<&Suspension>, plan: &'a Plan, from: Timestamp) -> Self {
        let (account, suspension) = (account.clone(), suspension.cloned());
        Self { plan, account, suspension, from, reasons: Vec::new(), events: Vec::new() }
    }

    /// A run of `recurring-payments`.
    pub(super) fn renew(&mut self, now: Timestamp) {
        self.forget_foreign_order(now);
        match due::judge(&self.account.candidate, &self.plan.renewals, now) {
            due::Decision::Skip(skip) => self.skip(skip, now),
            due::Decision::Charge(charge) => match self.plan.assumption {
                Assumption::Paid => self.paid(&charge, now),
                Assumption::Declined => self.declined(&charge, now),
            },
        }
    }

    /// A run of `subscription-status`.
    pub(super) fn watch(&mut self, now: Timestamp) {
        self.forget_foreign_order(now);
        self.lift(now);
        match expiry::judge(&self.account, &self.plan.expiry, now) {
            expiry::Decision::Nothing(_) => {}
            expiry::Decision::Notify(_, notice) => self.send(notice.kind, notice.period, Job::SubscriptionStatus, now),
            expiry::Decision::Suspend(notice) => {
                let expired_at = self.account.candidate.seen.expires_at.unwrap_or(now);
                self.add(now, Job::SubscriptionStatus, What::Suspend { expired_at });
                self.send(notice.kind, notice.period, Job::SubscriptionStatus, now);
                self.activate(false);
            }
            expiry::Decision::Withhold(step, why) => {
                if self.is_news(Job::SubscriptionStatus, step.code(), why.code()) {
                    self.add(now, Job::SubscriptionStatus, What::Withheld { step, why });
                }
            }
        }
    }

    fn lift(&mut self, now: Timestamp) {
        let Some(suspension) = &mut self.suspension else { return };
        let seen = &self.account.candidate.seen;
        (suspension.tenant.is_active, suspension.active) = (seen.tenant_active, seen.active);
        suspension.expires_at = seen.expires_at;
        match (expiry::lift(suspension, now), seen.expires_at) {
            (Lift::Reactivate(notice), Some(paid_until)) => {
                self.suspension = None;
                self.activate(true);
                self.add(now, Job::SubscriptionStatus, What::Reactivate { paid_until });
                self.send(notice.kind, notice.period, Job::SubscriptionStatus, now);
            }
            (Lift::Lifted, _) => self.suspension = None,
            _ => {}
        }
    }

    fn activate(&mut self, active: bool) {
        let candidate = &mut self.account.candidate;
        (candidate.seen.tenant_active, candidate.seen.active) = (active, active);
        candidate.tenant.is_active = active;
    }

    /// A renewal order of somebody else's that is pending keeps us from charging for a time only.
    fn forget_foreign_order(&mut self, now: Timestamp) {
        let Some(foreign) = &self.account.candidate.foreign_order else { return };
        let made = self.account.orders.iter().find(|order| order.order == *foreign).map_or(self.from, |order| order.at);
        if now.duration_since(made) >= FOREIGN_ORDER_HOLDS_FOR {
            self.account.candidate.foreign_order = None;
        }
    }

    fn skip(&mut self, skip: Skip, now: Timestamp) {
        let candidate = &self.account.candidate;
        if let Skip::PriceChanged { card_amount, price } = &skip {
            let renewal = renewal_date(&candidate.seen).unwrap_or(now);
            let notice = price_changed(candidate.subscription, (*card_amount, *price), renewal, now);
            // Each run decides it anew, and the ledger keeps the first.
            let same = |told: &Told| told.kind == notice.kind.code() && told.period == notice.period;
            if !self.account.told.iter().any(same) {
                self.send(notice.kind, notice.period, Job::RecurringPayments, now);
            }
        }
        let is_due = !matches!(
            skip,
            Skip::NotDue | Skip::TenantInactive | Skip::SubscriptionInactive | Skip::RetryOn(_) | Skip::Changed
        );
        if is_due && self.is_news(Job::RecurringPayments, CHARGE, skip.code()) {
            self.add(now, Job::RecurringPayments, What::NotCharged(skip));
        }
    }

    fn paid(&mut self, charge: &Charge, now: Timestamp) {
        self.close(charge, AttemptState::Paid, None, now);
        let seen = &mut self.account.candidate.seen;
        let extension = extend(
            &Standing {
                tenant_active: seen.tenant_active,
                active: seen.active,
                expires_at: seen.expires_at,
                next_billing_date: seen.next_billing_date,
            },
            now,
        );
        let until = extension.next_billing_date;
        (seen.expires_at, seen.next_billing_date) = (extension.expires_at, Some(until));
        // What was paid before is in the dates now, unless it is of after them.
        self.account.orders.retain(|order| !order.paid || order.at > until);
        self.account.candidate.echodesk_retry = None;
        self.reasons.clear();
        self.charged(charge, Assumed::Paid { until }, now);
        let receipt = NoticeKind::RenewalPaid {
            amount: charge.amount.to_string(),
            paid_at: now,
            paid_until: Some(until),
            order: FORECAST.to_owned(),
            card: None,
        };
        self.send(receipt, now.to_string(), Job::RecurringPayments, now);
    }

    fn declined(&mut self, charge: &Charge, now: Timestamp) {
        let refusal = Refusal::Rejected { code: Some(NOT_ENOUGH_MONEY.to_owned()), reason: None };
        self.close(charge, AttemptState::Failed, Some(refusal), now);
        let zone = &self.plan.renewals.time_zone;
        let next = next_attempt(&self.account.candidate.attempts, charge.period, &charge.parent, zone);
        self.charged(charge, Assumed::Declined { next }, now);
        let failed = NoticeKind::PaymentFailed {
            amount: charge.amount.to_string(),
            problem: PaymentProblem::NotEnoughMoney,
            next_attempt: None,
            renewal: charge.period,
        };
        self.send(failed, now.to_string(), Job::RecurringPayments, now);
    }

    fn close(&mut self, charge: &Charge, state: AttemptState, refusal: Option<Refusal>, now: Timestamp) {
        self.account.candidate.attempts.push(PastAttempt {
            order: OrderId(FORECAST.to_owned()),
            period: charge.period,
            number: charge.number,
            state,
            parent: charge.parent.clone(),
            refusal,
            closed_at: Some(now),
        });
    }

    fn charged(&mut self, charge: &Charge, assumed: Assumed, now: Timestamp) {
        let saved = self.account.saved_cards.iter().find(|saved| saved.parent == charge.parent);
        let what = What::Charge {
            amount: charge.amount,
            number: charge.number,
            period: charge.period,
            card: saved.and_then(|saved| saved.masked.clone()),
            amount_known: charge.card_amount_known,
            assumed,
        };
        self.add(now, Job::RecurringPayments, what);
    }

    fn send(&mut self, kind: NoticeKind, period: String, job: Job, now: Timestamp) {
        self.account.told.push(Told { kind: kind.code().to_owned(), period });
        self.add(now, job, What::Notice { kind: kind.code(), about: about(&kind).unwrap_or(now) });
    }

    /// Whether a reason was not told yet.
    fn is_news(&mut self, job: Job, of: &'static str, why: &'static str) -> bool {
        let reason = (job, of, why);
        let news = !self.reasons.contains(&reason);
        if news {
            self.reasons.push(reason);
        }
        news
    }

    fn add(&mut self, at: Timestamp, job: Job, what: What) {
        self.events.push(Forecasted { at, job, what });
    }
}

/// The moment that a notice names.
fn about(kind: &NoticeKind) -> Option<Timestamp> {
    match kind {
        NoticeKind::Reminder { expires_at: at, .. }
        | NoticeKind::UrgentReminder { expires_at: at, .. }
        | NoticeKind::GraceWarning { suspension_at: at, .. }
        | NoticeKind::Suspended { expired_at: at, .. }
        | NoticeKind::PaymentFailed { renewal: at, .. }
        | NoticeKind::PriceChanged { renewal: at, .. }
        | NoticeKind::Reactivated { paid_until: at } => Some(*at),
        NoticeKind::RenewalPaid { paid_until, .. } => *paid_until,
        NoticeKind::MailboxSwitchedOff { .. } => None,
    }
}
