//! What a folder needs: how its numbers now compare with the cursor that an earlier run left.

use std::cmp::Ordering;

use echodesk_core::ConnectionId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::{FolderCursor, FolderStatus, MessageMeta, UidSet};

/// How many of the newest messages have their flags compared where the server keeps no MODSEQ.
pub const FLAGS_WITHOUT_MODSEQ: u64 = 300;

/// The first day of the history window: `days_back` days before today, UTC. `None` for 0: all.
#[must_use]
pub fn window_start(now: Timestamp, days_back: u32) -> Option<Date> {
    let days = jiff::Span::new().try_days(i64::from(days_back)).ok().filter(|_| days_back > 0)?;
    // Further back than there are days means all history.
    now.to_zoned(TimeZone::UTC).date().checked_sub(days).ok()
}

/// Whether a message lies in the window. One without a date does: better once too often.
#[must_use]
pub fn in_window(meta: &MessageMeta, window_start: Option<Date>) -> bool {
    let (Some(start), Some(received)) = (window_start, meta.internal_date) else { return true };
    received.to_zoned(TimeZone::UTC).date() >= start
}

/// The day to give to SEARCH SINCE. It compares days as the server's time zone has them (RFC 9051
/// §6.4.4), so a day more is asked for; [`in_window`] has the last word.
#[must_use]
pub fn search_since(window_start: Option<Date>) -> Option<Date> {
    window_start.map(|day| day.yesterday().unwrap_or(day))
}

/// Whether the folder can be left alone: nothing came, went or changed, and nothing is owed.
#[must_use]
pub fn is_unchanged(cursor: &FolderCursor, status: &FolderStatus, window_start: Option<Date>) -> bool {
    cursor.status == *status && cursor.pending.is_empty() && !widened(cursor.window_start, window_start)
}

/// Whether nothing happened in the folder, but an earlier run has not read it to its end.
#[must_use]
pub fn is_only_unfinished(cursor: &FolderCursor, status: &FolderStatus, window_start: Option<Date>) -> bool {
    cursor.status == *status && !cursor.pending.is_empty() && !widened(cursor.window_start, window_start)
}

/// What to do with a folder that is open, before any body is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The UIDVALIDITY whose items are all void now, if it changed.
    pub void: Option<u32>,
    /// UIDs that arrived since the cursor was written.
    pub fresh: UidSet,
    /// Whether all is to be looked up with SEARCH, within the window, because nothing is known of it (a
    /// new folder, a changed UIDVALIDITY), because the window was widened, or because UIDNEXT fell. What
    /// has a fate keeps it.
    pub look_up: bool,
    /// How to bring flags up to date.
    pub flags: FlagsStep,
}

/// How to bring flags up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagsStep {
    /// Nothing changed, or nothing is known yet.
    Nothing,
    /// Ask for what changed since this MODSEQ.
    ChangedSince(u64),
    /// Compare all that we know.
    CompareAll,
    /// Compare the newest [`FLAGS_WITHOUT_MODSEQ`].
    CompareNewest,
}

/// Compares a cursor with the folder as EXAMINE found it.
#[must_use]
pub fn survey(cursor: Option<&FolderCursor>, opened: &FolderStatus, window_start: Option<Date>) -> Survey {
    let Some(cursor) = cursor.filter(|cursor| cursor.status.uid_validity == opened.uid_validity) else {
        return Survey {
            void: cursor.map(|cursor| cursor.status.uid_validity),
            fresh: UidSet::new(),
            look_up: true,
            flags: FlagsStep::Nothing,
        };
    };
    let fresh = UidSet::range(cursor.status.uid_next, opened.uid_next.saturating_sub(1));
    // UIDNEXT must not fall. If it does, the server lost its index, or was wrong before: look again.
    let fell = opened.uid_next < cursor.status.uid_next;
    let look_up = fell || widened(cursor.window_start, window_start);
    let flags = match (cursor.status.highest_mod_seq, opened.highest_mod_seq) {
        (Some(then), Some(now)) if then == now => FlagsStep::Nothing,
        (Some(then), Some(now)) if then < now => FlagsStep::ChangedSince(then),
        // It fell (the server lost its index) or has only now begun to be kept.
        (_, Some(_)) => FlagsStep::CompareAll,
        (_, None) => FlagsStep::CompareNewest,
    };
    Survey { void: None, fresh, look_up, flags }
}

/// Whether the cursor claims nothing: the folder was empty, or it was away. The run that noted that it was away may have
/// died before it had noted the same of the messages; so if any are still known, all are gone, and read again if they are
/// there.
#[must_use]
pub fn claims_nothing(cursor: &FolderCursor) -> bool {
    cursor.status.uid_next <= 1
}

/// What the number of messages says, given that `arrived` of the fresh UIDs were seen.
#[must_use]
pub fn count(cursor: &FolderCursor, arrived: u64, opened: &FolderStatus) -> Count {
    if cursor.status.messages == FolderStatus::NOT_COUNTED {
        return Count::SomeWereMissed;
    }
    match u64::from(opened.messages).cmp(&(u64::from(cursor.status.messages) + arrived)) {
        Ordering::Equal => Count::AddsUp,
        Ordering::Less => Count::SomeAreGone,
        Ordering::Greater => Count::SomeWereMissed,
    }
}

/// See [`count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Nothing more happened.
    AddsUp,
    /// Some were expunged.
    SomeAreGone,
    /// There are more than can be explained, or there may be: an earlier answer was wrong. Look everything up again.
    SomeWereMissed,
}

/// Whether it is this mailbox's turn to have flags compared where the server would not say that
/// they changed: about once in 13 runs, however often the job runs. (13 shares no factor with the
/// five-minute slots of an hour or a day, so no schedule misses its turn for ever.)
#[must_use]
pub fn is_flags_turn(now: Timestamp, connection: ConnectionId) -> bool {
    const SLOT_SECONDS: i64 = 300;
    const TURNS: i64 = 13;
    (now.as_second().div_euclid(SLOT_SECONDS).wrapping_add(connection.0)).rem_euclid(TURNS) == 0
}

fn widened(then: Option<Date>, now: Option<Date>) -> bool {
    match (then, now) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(then), Some(now)) => now < then,
    }
}

#[cfg(test)]
mod tests;
