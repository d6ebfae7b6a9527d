//! What `recurring-payments` does: about charges that are open, and about what is due.

use echodesk_billing::model::{Account, CardOrder};
use echodesk_billing::rules::due::{Decision, Skip, judge};
use echodesk_billing::rules::period::renewal_date;
use echodesk_billing::run::{Outcome, RenewalEvent};
use echodesk_core::SchemaName;
use jiff::{SignedDuration, Timestamp};

use super::super::facts::{Billing, Facts, PAYMENTS};
use super::super::refused;
use super::super::shown::minute;
use super::Next;

pub(super) fn of(facts: &Facts) -> Vec<Next> {
    let subject = &facts.tenant.schema;
    let mut next = Vec::new();
    match &facts.billing {
        Err(why) => {
            let what = format!("what it does cannot be told, since the payments cannot be read: {why}");
            next.push(Next::new(PAYMENTS, subject, "unreadable", what).todo(Some("`echodesk check`".to_owned())));
        }
        Ok(Billing { accounts, open, .. }) => {
            next.extend(open.iter().filter_map(attended));
            next.extend(accounts.iter().map(|account| due(account, facts)));
            if accounts.is_empty() {
                next.push(Next::new(PAYMENTS, subject, "no_subscription", "nothing: there is no subscription"));
            }
        }
    }
    next
}

/// A charge that is open, or that a person has to look at.
fn attended(event: &RenewalEvent) -> Option<Next> {
    let order = event.order.as_ref()?;
    match &event.outcome {
        Outcome::WouldSettle(words) => {
            Some(Next::new(PAYMENTS, order, "settle", format!("order {order} is open; the next run will {words}")))
        }
        Outcome::NeedsPerson(words) => Some(
            Next::new(PAYMENTS, order, "needs_person", format!("order {order} needs a person: {words}")).todo(Some(format!(
                "look it up at the bank, then `echodesk orders resolve {order} --paid --because \"…\"` or `--failed`"
            ))),
        ),
        _ => None,
    }
}

fn due(account: &Account, facts: &Facts) -> Next {
    let candidate = &account.candidate;
    let subject = format!("subscription {}", candidate.subscription);
    match judge(candidate, &facts.renewals, facts.now) {
        Decision::Charge(charge) => {
            let what = format!(
                "charges {} to the card saved on the bank's order {}, attempt {}, for what follows {}{}",
                charge.amount,
                charge.parent,
                charge.number,
                minute(charge.period),
                last_refusal(&facts.billing, charge.parent.as_str())
            );
            Next::new(PAYMENTS, subject, "charge", what)
        }
        Decision::Skip(Skip::NotDue) => not_due(account, facts, &subject),
        Decision::Skip(skip) => {
            let what = format!("does not charge: {skip}");
            let at = match &skip {
                Skip::EchoDeskRetries(at) => Some(*at),
                _ => None,
            };
            Next::new(PAYMENTS, subject, skip.code(), what).todo(todo(&skip, &candidate.tenant.schema)).at(at)
        }
    }
}

/// What to say of a card whose last charge was refused.
pub(in super::super) fn last_refusal(billing: &Result<Billing, String>, parent: &str) -> String {
    let refused = billing.as_ref().ok().and_then(|billing| refused::last(billing, parent));
    refused.map(|refused| refused.shown()).unwrap_or_default()
}

fn not_due(account: &Account, facts: &Facts, subject: &str) -> Next {
    let code = Skip::NotDue.code();
    let Some(renewal) = renewal_date(&account.candidate.seen) else {
        let what = "does not charge: the subscription has neither an expiry nor a billing date";
        return Next::new(PAYMENTS, subject, code, what);
    };
    let days = |count: u32| SignedDuration::from_hours(i64::from(count) * 24);
    let (before, grace) = (facts.renewals.days_before, facts.renewals.grace_days);
    if renewal > facts.now {
        let from = renewal.checked_sub(days(before)).unwrap_or(Timestamp::MIN);
        let what =
            format!("does not charge yet: not due before {} ({before} days before {})", minute(from), minute(renewal));
        return Next::new(PAYMENTS, subject, code, what).at(Some(from));
    }
    let what = format!("does not charge any more: what expired at {} is past {grace} days of grace", minute(renewal));
    let todo = "the customer has to pay in person, or extend it in EchoDesk".to_owned();
    Next::new(PAYMENTS, subject, code, what).todo(Some(todo))
}

/// What has to be done so that it is charged, where that is for somebody to do.
fn todo(skip: &Skip, schema: &SchemaName) -> Option<String> {
    let todo = match skip {
        Skip::TenantInactive | Skip::SubscriptionInactive => {
            "the customer has to pay in person, which makes the account active again".to_owned()
        }
        Skip::NoCard => "the customer has to pay once in person and save the card".to_owned(),
        Skip::WaitsForCard(_) => "the customer has to save another card, or pay in person".to_owned(),
        Skip::Exempt => format!("take {schema} out of ECHODESK_EXEMPT_TENANTS if it is to pay"),
        Skip::PriceUnusable(_) => "correct the prices of its features, or the number of agents".to_owned(),
        Skip::CardAmountUnusable(_) => "the customer has to pay once in person, which saves the card anew".to_owned(),
        Skip::PeriodPaid(_) => {
            "extend the subscription in EchoDesk, unless somebody has meant to set it back".to_owned()
        }
        Skip::ForeignOrder(_) => {
            "see at the bank what became of it, and set its row in EchoDesk accordingly".to_owned()
        }
        Skip::NotDue
        | Skip::Provider(_)
        | Skip::NothingToPay
        | Skip::PriceChanged { .. }
        | Skip::Open { .. }
        | Skip::RetryOn(_)
        | Skip::Exhausted
        | Skip::EchoDeskRetries(_)
        | Skip::EchoDeskRetryOverdue(_)
        | Skip::Changed => return None,
    };
    Some(todo)
}

/// The card that would be charged: the subscription's own, else the newest that was saved.
pub(in super::super) fn card(account: &Account) -> Option<(String, Option<&CardOrder>)> {
    let candidate = &account.candidate;
    match (&candidate.seen.parent, &candidate.newest_card_order) {
        (Some(parent), _) => Some((parent.to_string(), candidate.own_card_order.as_ref())),
        (None, Some(newest)) => Some((newest.bank_order.to_string(), Some(newest))),
        (None, None) => None,
    }
}
