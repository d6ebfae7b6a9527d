//! Notices that wait or are parked. Each job delivers at its end what waits.

use echodesk_store::{NoticeEntry, NoticeState, NoticeStory};
use jiff::Timestamp;

use super::super::facts::Facts;
use super::super::shown::{because, count, minute, words};
use super::Next;

pub(super) fn of(facts: &Facts) -> Vec<Next> {
    facts.notices.rows.iter().filter_map(|notice| open(notice, facts)).collect()
}

fn open(NoticeStory { entry, .. }: &NoticeStory, facts: &Facts) -> Option<Next> {
    let NoticeEntry { id, attempts, not_before, .. } = entry;
    let name = format!("notice {id} ({})", words(&entry.kind));
    let why = because(entry.why.as_deref().unwrap_or_default());
    let tried = count(u64::from(*attempts), "attempt");
    match entry.state {
        NoticeState::Sent | NoticeState::Withdrawn => None,
        NoticeState::Parked => {
            let what = format!("{name} is parked and not sent any more, after {tried}{why}");
            let todo =
                format!("mend the reason (the address is {}), then `echodesk notices retry {id}`", address(facts));
            Some(Next::new("notices", id, "parked", what).todo(Some(todo)))
        }
        NoticeState::Queued if entry.claimed_until.is_some_and(|until| until > facts.now) => {
            Some(Next::new("notices", id, "being_sent", format!("{name} is being sent by a run that is at work")))
        }
        NoticeState::Queued => {
            let wait: Option<Timestamp> = not_before.filter(|at| *at > facts.now);
            let when = match wait {
                Some(at) => format!("not before {}", minute(at)),
                None => "by the next run of any job, if it still holds".to_owned(),
            };
            let after = if *attempts > 0 { format!(" after {tried} in vain{why}") } else { String::new() };
            let todo = (*attempts > 0).then(|| "`echodesk send-test-email` tries out the mail server".to_owned());
            let what = format!("{name} waits, to be sent to {} {when}{after}", address(facts));
            Some(Next::new("notices", id, "waits", what).todo(todo).at(wait))
        }
    }
}

fn address(facts: &Facts) -> &str {
    let address = facts.tenant.admin_email.trim();
    if address.is_empty() { "missing" } else { address }
}
