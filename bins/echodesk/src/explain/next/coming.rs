//! What the runs of the next days would do, if cards are paid.

use echodesk_billing::forecast::{Assumed, Forecasted, Plan, What, forecast};
use jiff::Timestamp;

use super::super::facts::Facts;
use super::super::shown::{minute, words};
use super::payments::{card, last_refusal};

/// One thing that a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Coming {
    pub(in super::super) at: Timestamp,
    pub(in super::super) job: &'static str,
    /// A name for machines that stays the same.
    pub(in super::super) event: &'static str,
    pub(in super::super) what: String,
}

/// In the order of time.
pub(in super::super) fn coming(facts: &Facts) -> Vec<Coming> {
    let Ok(billing) = &facts.billing else { return Vec::new() };
    let plan = Plan {
        renewals: facts.renewals.clone(),
        expiry: facts.expiry.clone(),
        schedule: facts.schedule.clone(),
        days: facts.days,
        ..Plan::default()
    };
    let mut coming = Vec::new();
    for account in &billing.accounts {
        let suspension = billing.suspensions.iter().find(|one| one.subscription == account.candidate.subscription);
        // Once: after a charge that is paid it is not the last any more.
        let mut refused = card(account).map(|(parent, _)| last_refusal(&facts.billing, &parent)).unwrap_or_default();
        for forecasted in forecast(account, suspension, &plan, facts.now) {
            let mut told = told(&forecasted);
            if matches!(forecasted.what, What::Charge { .. }) {
                told.what.push_str(&std::mem::take(&mut refused));
            }
            coming.push(told);
        }
    }
    coming.sort_by_key(|coming| coming.at);
    coming
}

fn told(forecasted: &Forecasted) -> Coming {
    let what = match &forecasted.what {
        What::Charge { amount, number, assumed, .. } => {
            let then = match assumed {
                Assumed::Paid { until } => format!("if it is paid, extended until {}", minute(*until)),
                Assumed::Declined { .. } => "declined".to_owned(),
            };
            format!("charges {amount}, attempt {number}; {then}")
        }
        What::Notice { kind, .. } => format!("sends a notice: {}", words(kind)),
        What::Suspend { expired_at } => format!("suspends the tenant, expired at {}", minute(*expired_at)),
        What::Reactivate { paid_until } => format!("makes it active again, paid until {}", minute(*paid_until)),
        What::NotCharged(skip) => format!("does not charge: {skip}"),
        What::Withheld { step, why } => format!("withholds {}: {why}", words(step.code())),
    };
    Coming { at: forecasted.at, job: forecasted.job.code(), event: forecasted.what.code(), what }
}
