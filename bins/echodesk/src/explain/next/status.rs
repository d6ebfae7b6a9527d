//! What `subscription-status` does: reminders, warnings, suspensions, and lifting them.

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::rules::expiry::{Decision, Lift, REMINDER_DAYS, Step, URGENT_DAYS, Withheld, judge, lift};
use echodesk_store::NoticeState;
use jiff::Timestamp;
use jiff::ToSpan as _;

use super::super::facts::{Facts, STATUS};
use super::super::shown::{minute, words};
use super::Next;

pub(super) fn of(facts: &Facts) -> Vec<Next> {
    let Ok(billing) = &facts.billing else { return Vec::new() };
    let lifted = billing.suspensions.iter().map(|suspension| about_suspension(suspension, facts.now));
    let is_suspended =
        |account: &&Account| billing.suspensions.iter().any(|one| one.subscription == account.candidate.subscription);
    let judged = billing.accounts.iter().filter(|account| !is_suspended(account)).map(|account| judged(account, facts));
    lifted.chain(judged).collect()
}

fn about_suspension(suspension: &Suspension, now: Timestamp) -> Next {
    let subject = format!("subscription {}", suspension.subscription);
    let since = minute(suspension.suspended_at);
    match lift(suspension, now) {
        Lift::Stands => {
            let what = format!("leaves it suspended, as since {since}: nothing was paid");
            let todo = "the customer has to pay in person; the next run after that lifts the suspension".to_owned();
            Next::new(STATUS, subject, "suspended", what).todo(Some(todo))
        }
        Lift::StandsThoughExtended(until) => {
            let what = format!(
                "leaves it suspended, as since {since}, although it was paid: what was booked ends at {}, which is over",
                minute(until)
            );
            let todo = "extend the subscription in EchoDesk to a day that is still to come".to_owned();
            Next::new(STATUS, subject, "still_suspended", what).todo(Some(todo))
        }
        Lift::Lifted => Next::new(STATUS, subject, "lifted", "notes that it is active again"),
        Lift::Reactivate(_) => {
            let until = suspension.expires_at.map(minute).unwrap_or_default();
            Next::new(STATUS, subject, "reactivate", format!("lifts the suspension: it is paid until {until}"))
        }
    }
}

fn judged(account: &Account, facts: &Facts) -> Next {
    let subject = format!("subscription {}", account.candidate.subscription);
    let end = account.candidate.seen.expires_at.map(|at| facts.expiry.suspension_at(at));
    let suspension =
        || end.map(|end| format!("; suspended from {} on unless it is paid", minute(end))).unwrap_or_default();
    match judge(account, &facts.expiry, facts.now) {
        Decision::Nothing(Step::None) => quiet(account, facts, subject),
        Decision::Nothing(step) => {
            let what = format!("nothing: {}; next: {}", told_before(account, facts, step), after(account, facts, step));
            Next::new(STATUS, subject, "told", what).at(end.filter(|_| step == Step::Grace))
        }
        Decision::Notify(step, notice) => {
            let more = if step == Step::Grace { suspension() } else { String::new() };
            let what = format!("sends the tenant a notice: {}{more}", words(notice.kind.code()));
            Next::new(STATUS, subject, "notify", what)
        }
        Decision::Suspend(_) => {
            let what = format!("suspends tenant and subscription: {} days of grace are over", facts.expiry.grace_days);
            let todo = "if it is not to be suspended, extend it in EchoDesk before that run".to_owned();
            Next::new(STATUS, subject, "suspend", what).todo(Some(todo)).at(end)
        }
        Decision::Withhold(step, why) => {
            let due = match step {
                Step::Suspension => "the suspension",
                Step::Grace => "the warning",
                _ => "the reminder",
            };
            let what = format!("withholds {due}: {why}");
            Next::new(STATUS, subject, "withhold", what).todo(todo(&why))
        }
    }
}

/// What became of the notice of a step that was decided on before.
fn told_before(account: &Account, facts: &Facts, step: Step) -> String {
    let (kind, name) = match step {
        Step::Grace => ("grace_warning", "today's warning"),
        Step::Urgent => ("urgent_reminder", "the urgent reminder"),
        _ => ("reminder", "the reminder"),
    };
    let subject = format!("subscription:{}", account.candidate.subscription);
    let of_kind =
        facts.notices.rows.iter().map(|row| &row.entry).filter(|row| row.kind == kind && row.subject_key == subject);
    let became = match of_kind.max_by_key(|entry| entry.decided_at) {
        Some(entry) => match (entry.state, entry.closed_at) {
            (NoticeState::Sent, Some(at)) => format!("was sent on {}", minute(at)),
            (NoticeState::Sent, None) => "was sent".to_owned(),
            (NoticeState::Queued, _) => "waits to be sent".to_owned(),
            (NoticeState::Parked, _) => format!("could not be sent (notice {} is parked)", entry.id),
            (NoticeState::Withdrawn, _) => format!("was withdrawn (notice {})", entry.id),
        },
        None => "was decided on before".to_owned(),
    };
    format!("{name} {became}")
}

/// What follows a notice if nobody pays.
fn after(account: &Account, facts: &Facts, step: Step) -> String {
    let Some(expires_at) = account.candidate.seen.expires_at else { return "nothing".to_owned() };
    let suspended = format!("suspended from {} on unless it is paid", minute(facts.expiry.suspension_at(expires_at)));
    match step {
        Step::Grace => format!("a warning each day, and {suspended}"),
        Step::Urgent if facts.expiry.grace_days == 0 => suspended,
        Step::Urgent => format!("a warning each day from {} on unless it is paid", minute(expires_at)),
        _ => match facts.expiry.day(expires_at).checked_sub(URGENT_DAYS.days()) {
            Ok(day) => format!("the urgent reminder from {day} on unless it is paid"),
            Err(_) => suspended,
        },
    }
}

/// Nothing is due, and why.
fn quiet(account: &Account, facts: &Facts, subject: String) -> Next {
    let seen = &account.candidate.seen;
    let nothing = |why: String| Next::new(STATUS, &subject, "nothing", format!("nothing: {why}"));
    if !seen.tenant_active || !seen.active {
        let what = if seen.tenant_active { "the subscription" } else { "the tenant" };
        let todo = "switch it on in EchoDesk if it is to be active: no run of ours has switched it off".to_owned();
        return nothing(format!("{what} is not active")).todo(Some(todo));
    }
    let Some(expires_at) = seen.expires_at else { return nothing("the subscription never expires".to_owned()) };
    if facts.expiry.exempt.contains(&account.candidate.tenant.schema) {
        return nothing("the tenant is exempt".to_owned());
    }
    if seen.provider != "bog" {
        return nothing(format!("billed by {}", seen.provider));
    }
    let first = facts.expiry.day(expires_at).checked_sub(REMINDER_DAYS.days()).ok();
    match first.filter(|first| facts.expiry.day(facts.now) < *first) {
        Some(first) => nothing(format!("it expires at {}; the first reminder is due on {first}", minute(expires_at))),
        None => nothing("it costs nothing".to_owned()),
    }
}

fn todo(why: &Withheld) -> Option<String> {
    let todo = match why {
        Withheld::Provider(_) | Withheld::PayingNow(_) | Withheld::Open { .. } => return None,
        Withheld::PaidNotExtended(_) => "see why, then extend the subscription in EchoDesk",
        Withheld::ForeignOrder(_) | Withheld::EchoDeskRetry(_) => {
            "see at the bank what became of it, and set its row in EchoDesk accordingly"
        }
        Withheld::PriceUnusable(_) => "correct the prices of its features, or the number of agents",
    };
    Some(todo.to_owned())
}
