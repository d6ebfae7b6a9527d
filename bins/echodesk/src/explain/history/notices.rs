//! Notices: what the tenant was told.

use echodesk_core::notice::NoticeKind;
use echodesk_store::{NoticeEntry, NoticeState, NoticeStory};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::entry::StoryEntry;
use super::super::shown::{because, count, minute, together, words};

pub(super) fn of(notices: &[NoticeStory]) -> Vec<StoryEntry> {
    notices.iter().flat_map(entries).collect()
}

/// One entry where it was sent at once, else one when it was decided and one when it came to its end.
fn entries(notice: &NoticeStory) -> Vec<StoryEntry> {
    let NoticeEntry { id, state, decided_at, closed_at, .. } = notice.entry.clone();
    let name = format!("{} ({id}){}", words(&notice.entry.kind), said(notice));
    let entry = |at, event, what: String| StoryEntry::new(at, "notice", event, what).about(id);
    let decided = || entry(decided_at, "notice_queued", format!("{name}: queued"));
    let end = closed_at.map(|at| entry(at, ended(state), format!("{name}: {}", end(&notice.entry))));
    match end {
        None => vec![decided()],
        Some(end) if together(end.at, decided_at) => vec![end],
        Some(end) => vec![decided(), end],
    }
}

fn ended(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Queued => "notice_queued",
        NoticeState::Sent => "notice_sent",
        NoticeState::Parked => "notice_parked",
        NoticeState::Withdrawn => "notice_withdrawn",
    }
}

fn end(entry: &NoticeEntry) -> String {
    let why = because(entry.why.as_deref().unwrap_or_default());
    match (entry.state, &entry.sent_to) {
        (NoticeState::Sent, Some(to)) => format!("sent to {to}"),
        (NoticeState::Sent, None) => "sent".to_owned(),
        (NoticeState::Parked, _) => format!("not sent after {}{why}", count(u64::from(entry.attempts), "attempt")),
        (NoticeState::Withdrawn, _) => format!("not sent, since it did not hold any more{why}"),
        (NoticeState::Queued, _) => "queued".to_owned(),
    }
}

/// The value that matters most in what it says.
fn said(notice: &NoticeStory) -> String {
    let left = |until: Timestamp| {
        let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
        let days = day(notice.entry.decided_at).until(day(until)).map_or(0, |span| span.get_days());
        format!("{} left", count(u64::try_from(days).unwrap_or_default(), "day"))
    };
    let detail = match &notice.kind {
        Some(NoticeKind::Reminder { expires_at, .. } | NoticeKind::UrgentReminder { expires_at, .. }) => {
            left(*expires_at)
        }
        Some(NoticeKind::GraceWarning { suspension_at, .. }) => {
            format!("suspension from {}", minute(*suspension_at))
        }
        Some(NoticeKind::RenewalPaid { amount, .. }) => amount.clone(),
        Some(NoticeKind::PaymentFailed { next_attempt: Some(day), .. }) => format!("next attempt on {day}"),
        Some(NoticeKind::PaymentFailed { next_attempt: None, .. }) => "no further attempt by itself".to_owned(),
        Some(NoticeKind::PriceChanged { card_amount, price, .. }) => {
            format!("card can be charged {card_amount}, price is {price}")
        }
        Some(NoticeKind::MailboxSwitchedOff { address, .. }) => address.clone(),
        Some(NoticeKind::Reactivated { paid_until }) => format!("paid until {}", minute(*paid_until)),
        Some(NoticeKind::Suspended { .. }) | None => return String::new(),
    };
    format!(", {detail}")
}
