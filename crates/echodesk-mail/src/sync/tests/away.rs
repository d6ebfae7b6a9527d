//! A folder that was away for a run, and that run died after any number of writes.

use super::*;
use crate::testing::FakeFolder;

/// A world whose folder Work, of two messages, was away while a run died after so many writes; and the folder, to be put
/// back.
pub(super) fn missed_by_a_run_that_died(writes: u32) -> (World, FakeFolder) {
    let world = World::with_mail(2);
    world.server.deliver("Work", mail(10));
    world.server.deliver("Work", mail(11));
    world.run();
    let mut work = None;
    world.server.change("Work", |folder| work = Some(folder.clone()));
    world.server.remove_folder("Work");
    world.store.die_after(Some(writes));
    world.run();
    world.store.die_after(None);
    world.clock.advance(LEASE_AND_MORE);
    (world, work.unwrap())
}

/// What has a fate in Work.
fn there(world: &World) -> Vec<u32> {
    let fates = world.store.fates(&world.mailbox.key).into_iter();
    fates.filter(|(name, ..)| name == "Work").map(|(_, uid, _)| uid.0).collect()
}

#[test]
fn seed_51_a_folder_that_comes_back_is_read_again_wherever_the_run_died_that_missed_it() {
    for writes in 0..6 {
        let (world, work) = missed_by_a_run_that_died(writes);
        world.server.change("Work", |folder| *folder = work);
        let last = world.run();
        assert_eq!(last.outcome, MailboxOutcome::Synced, "{last:?}");
        assert_eq!(there(&world), [1, 2], "dead after {writes} writes");
        assert_eq!(world.stored_ids().len(), 4);
    }
}

#[test]
fn seed_6_what_has_left_a_folder_while_that_was_away_is_gone_wherever_the_run_died_that_missed_it() {
    for writes in 0..6 {
        let (mut world, work) = missed_by_a_run_that_died(writes);
        world.server.change("Work", |folder| {
            *folder = work;
            drop(folder.expunge(1));
            folder.set_flags(2, Flags::SEEN);
        });
        world.options.dry_run = true;
        let dry = world.run();
        world.options.dry_run = false;
        let last = world.run();
        let changed = |report: &MailboxReport| (report.gone, report.flags_changed);
        assert_eq!(changed(&dry), changed(&last), "dead after {writes} writes");
        assert_eq!(last.outcome, MailboxOutcome::Synced, "{last:?}");
        assert_eq!(there(&world), [2], "dead after {writes} writes");
    }
}

#[test]
fn a_folder_that_is_made_anew_with_its_old_uidvalidity_is_read_wherever_the_run_died_that_missed_it() {
    let mut noted = 0;
    for writes in 0..6 {
        let (world, _) = missed_by_a_run_that_died(writes);
        let cursors = world.store.cursors(&world.mailbox.key).unwrap();
        // Until something is noted, nobody can know that it was away.
        if cursors.iter().any(|cursor| cursor.folder == "Work" && cursor.status.uid_next > 1) {
            continue;
        }
        noted += 1;
        world.server.deliver("Work", mail(12));
        world.run();
        assert!(world.stored_ids().contains(&"<12@example.com>".to_owned()), "dead after {writes} writes");
    }
    assert!(noted > 2, "{noted}");
}
