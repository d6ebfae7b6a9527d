use proptest::prelude::*;

use super::*;
use crate::model::{Flags, Uid};

fn status(uid_validity: u32, uid_next: u32, messages: u32, mod_seq: Option<u64>) -> FolderStatus {
    FolderStatus { uid_validity, uid_next, messages, highest_mod_seq: mod_seq }
}

fn cursor(status: FolderStatus) -> FolderCursor {
    FolderCursor { folder: "INBOX".to_owned(), status, pending: UidSet::new(), window_start: None, suspect: None }
}

fn day(text: &str) -> Option<Date> {
    Some(text.parse().unwrap())
}

fn received(text: &str) -> MessageMeta {
    MessageMeta { uid: Uid(1), size: 1, internal_date: text.parse().ok(), flags: Flags::NONE }
}

#[test]
fn the_window_is_counted_in_days() {
    let now = "2026-03-01T00:30:00Z".parse().unwrap();
    assert_eq!(window_start(now, 0), None, "0 means all");
    assert_eq!(window_start(now, 1), day("2026-02-28"));
    assert_eq!(window_start(now, 365), day("2025-03-01"));
    assert_eq!(window_start(now, u32::MAX), None, "further back than the calendar");
    let start = day("2026-02-28");
    assert!(in_window(&received("2026-02-28T00:00:00Z"), start));
    assert!(!in_window(&received("2026-02-27T23:59:59Z"), start));
    assert!(in_window(&received("none"), start));
    assert!(in_window(&received("1999-01-01T00:00:00Z"), None));
    assert_eq!(search_since(start), day("2026-02-27"));
}

#[test]
fn a_folder_is_left_alone_only_if_nothing_differs() {
    let same = status(1, 10, 9, Some(5));
    let known = cursor(same);
    assert!(is_unchanged(&known, &same, None));
    for other in
        [status(2, 10, 9, Some(5)), status(1, 11, 9, Some(5)), status(1, 10, 8, Some(5)), status(1, 10, 9, Some(6))]
    {
        assert!(!is_unchanged(&known, &other, None), "{other:?}");
    }
    let owing = FolderCursor { pending: UidSet::range(1, 2), ..known.clone() };
    assert!(!is_unchanged(&owing, &same, None));
    let windowed = FolderCursor { window_start: day("2026-01-10"), ..known };
    assert!(is_unchanged(&windowed, &same, day("2026-01-11")), "the window moves on every day");
    assert!(!is_unchanged(&windowed, &same, day("2026-01-09")));
    assert!(!is_unchanged(&windowed, &same, None));
}

#[test]
fn a_folder_never_seen_is_looked_up_whole() {
    let plan = survey(None, &status(7, 101, 100, None), None);
    assert_eq!((plan.void, plan.look_up), (None, true));
}

#[test]
fn a_changed_uidvalidity_voids_what_was_known() {
    let plan = survey(Some(&cursor(status(7, 101, 100, Some(3)))), &status(8, 51, 50, Some(9)), None);
    assert_eq!((plan.void, plan.look_up), (Some(7), true));
    assert_eq!(plan.flags, FlagsStep::Nothing);
}

#[test]
fn new_uids_are_fresh() {
    let known = cursor(status(7, 101, 100, None));
    let few = survey(Some(&known), &status(7, 103, 102, None), None);
    assert_eq!((few.fresh, few.look_up), (UidSet::range(101, 102), false));
    let fell = survey(Some(&known), &status(7, 50, 40, None), None);
    assert_eq!((fell.fresh, fell.look_up), (UidSet::new(), true), "UIDNEXT must not fall");
}

#[test]
fn a_wider_window_is_looked_up_again() {
    let known = FolderCursor { window_start: day("2026-01-10"), ..cursor(status(7, 101, 100, None)) };
    let plan = survey(Some(&known), &status(7, 101, 100, None), day("2025-01-10"));
    assert!(plan.look_up);
}

#[test]
fn flags_are_asked_for_as_cheaply_as_the_server_allows() {
    let flags = |then, now| survey(Some(&cursor(status(7, 101, 100, then))), &status(7, 101, 100, now), None).flags;
    assert_eq!(flags(Some(5), Some(5)), FlagsStep::Nothing);
    assert_eq!(flags(Some(5), Some(9)), FlagsStep::ChangedSince(5));
    assert_eq!(flags(Some(9), Some(5)), FlagsStep::CompareAll, "the server lost its index");
    assert_eq!(flags(None, Some(5)), FlagsStep::CompareAll);
    assert_eq!(flags(Some(5), None), FlagsStep::CompareNewest);
}

#[test]
fn a_count_that_does_not_add_up_says_what_happened() {
    let known = cursor(status(7, 101, 100, None));
    assert_eq!(count(&known, 2, &status(7, 103, 102, None)), Count::AddsUp);
    assert_eq!(count(&known, 2, &status(7, 103, 101, None)), Count::SomeAreGone);
    assert_eq!(count(&known, 0, &status(7, 101, 101, None)), Count::SomeWereMissed);
    let in_doubt = cursor(status(7, 101, FolderStatus::NOT_COUNTED, None));
    for now in [0, 100, 101, u32::MAX - 1] {
        let now = status(7, 101, now, None);
        assert_eq!(count(&in_doubt, 0, &now), Count::SomeWereMissed, "whatever was expunged meanwhile");
        assert!(!is_unchanged(&in_doubt, &now, None) && !is_only_unfinished(&in_doubt, &now, None));
    }
}

#[test]
fn a_folder_that_was_empty_or_away_claims_nothing() {
    assert!(claims_nothing(&cursor(status(7, 1, 0, None))));
    assert!(!claims_nothing(&cursor(status(7, 2, 0, None))));
}

#[test]
fn every_schedule_gets_its_turn_for_flags() {
    for every_minutes in [1, 5, 15, 60, 24 * 60, 7 * 24 * 60] {
        for connection in 0..20 {
            let turns = (0..200)
                .filter(|run| {
                    let now = Timestamp::from_second(1_800_000_000 + run * every_minutes * 60).unwrap();
                    is_flags_turn(now, ConnectionId(connection))
                })
                .count();
            assert!(turns > 0 && turns < 60, "every {every_minutes} minutes, mailbox {connection}: {turns} turns");
        }
    }
}

proptest! {
    /// Whatever a server says from run to run, no UID below UIDNEXT is forgotten: it was known
    /// before, is fresh, or is looked up.
    #[test]
    fn no_uid_falls_between(before in 1_u32..3000, after in 1_u32..3000, validity in 1_u32..3) {
        let known = cursor(status(1, before, before - 1, None));
        let plan = survey(Some(&known), &status(validity, after, after - 1, None), None);
        let looked_up = if plan.look_up { UidSet::range(1, after - 1) } else { UidSet::new() };
        let mut covered = plan.fresh.union(&looked_up);
        if validity == 1 {
            covered = covered.union(&UidSet::range(1, before - 1));
        }
        prop_assert!(UidSet::range(1, after - 1).difference(&covered).is_empty());
    }
}
