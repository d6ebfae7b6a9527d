//! Servers that do not name for a moment what they hold: their index is behind.

use super::*;
use crate::sync::tests::away::missed_by_a_run_that_died;

/// What has a fate in INBOX.
fn there(world: &World) -> Vec<u32> {
    world.store.fates(&world.mailbox.key).into_iter().map(|(_, uid, _)| uid.0).collect()
}

/// A world in which all history is read, or that of thirty days.
fn world_back(days_back: u32) -> World {
    let mut world = World::with_mail(0);
    world.mailbox.days_back = days_back;
    world.store = Arc::new(MemoryStore::with([world.mailbox.clone()]));
    world
}

fn deliver(world: &World, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        world.server.deliver("INBOX", mail(number));
    }
}

fn expunge(world: &World, uid: u32) {
    world.server.change("INBOX", |inbox| drop(inbox.expunge(uid)));
}

#[test]
fn what_a_server_does_not_name_for_a_moment_is_read_once_it_does() {
    for days_back in [0, 30] {
        for habit in [Habit::SearchMisses(2), Habit::Hides(2)] {
            for is_seen_empty in [true, false] {
                let world = world_back(days_back);
                if is_seen_empty {
                    world.run();
                }
                deliver(&world, 1..=3);
                run_odd(&world, habit);
                world.run();
                let first = (there(&world), world.last_sync());
                assert_eq!(first, (vec![1, 2, 3], true), "first mail, {days_back} days, {is_seen_empty}");

                // Gone is what SEARCH does not name: one is, and the other is there again in the next run.
                expunge(&world, 1);
                run_odd(&world, habit);
                world.run();
                assert_eq!(there(&world), [2, 3], "after one was expunged, {days_back} days");
            }
        }
    }
}

#[test]
fn what_a_server_does_not_name_is_missed_whatever_is_expunged_meanwhile() {
    for days_back in [0, 30] {
        let world = world_back(days_back);
        deliver(&world, 1..=3);
        run_odd(&world, Habit::SearchMisses(2));
        expunge(&world, 1);
        world.run();
        assert_eq!(there(&world), [2, 3], "{days_back} days");
    }
}

#[test]
fn what_a_server_does_not_name_when_the_window_is_widened_is_read_later() {
    let world = world_back(30);
    deliver(&world, 1..=3);
    world.server.change("INBOX", |inbox| {
        inbox.messages.get_mut(&2).unwrap().received = Some("2026-01-01T00:00:00Z".parse().unwrap());
    });
    world.run();
    assert_eq!(there(&world), [1, 3]);
    assert!(world.store.widen(&world.mailbox.key, 3000));
    run_odd(&world, Habit::SearchMisses(2));
    world.run();
    assert_eq!(there(&world), [1, 2, 3]);
}

#[test]
fn what_is_described_is_there_whatever_search_says() {
    // A hole, and a count that adds up without 3.
    let world = world_back(0);
    deliver(&world, 1..=1);
    world.run();
    expunge(&world, 1);
    deliver(&world, 2..=3);
    expunge(&world, 2);
    run_odd(&world, Habit::SearchMisses(3));
    assert_eq!(there(&world), [3]);

    // A count that says that some are gone.
    let world = world_back(0);
    deliver(&world, 1..=3);
    world.run();
    expunge(&world, 1);
    deliver(&world, 4..=4);
    run_odd(&world, Habit::SearchMisses(4));
    assert_eq!(there(&world), [2, 3, 4]);
}

#[test]
fn what_is_pending_and_not_named_for_a_moment_is_read_later() {
    for (habit, expunged) in [(Habit::SearchMisses(1), Some(15)), (Habit::Hides(1), Some(15)), (Habit::Hides(1), None)]
    {
        let mut world = World::with_mail(20);
        world.options.max_messages = NonZeroU32::new(10).unwrap();
        world.run();
        if let Some(uid) = expunged {
            expunge(&world, uid);
        }
        run_odd(&world, habit);
        // As if that had been what was not there.
        expunge(&world, 20);
        for _ in 0..3 {
            world.run();
        }
        let left: Vec<u32> = (1..20).filter(|uid| Some(*uid) != expunged).collect();
        assert_eq!((there(&world), world.last_sync()), (left, true), "{expunged:?}");
    }
}

#[test]
fn what_was_noted_as_gone_is_not_noted_again() {
    // Dead between noting that it is away and noting the same of its messages.
    let (mut world, work) = missed_by_a_run_that_died(1);
    world.server.change("Work", |folder| *folder = work);
    world.options.dry_run = true;
    assert_eq!(run_odd(&world, Habit::Hides(2)).0.unwrap().gone, 2);
}

#[test]
fn a_message_that_is_expunged_while_it_is_pending_costs_one_more_look() {
    let mut world = World::with_mail(3);
    world.options.max_messages = NonZeroU32::new(1).unwrap();
    world.run();
    run_odd(&world, Habit::Hides(1));
    expunge(&world, 1);
    for _ in 0..3 {
        world.run();
    }
    assert_eq!((there(&world), world.last_sync()), (vec![2, 3], true));
    drop(world.server.take_examined());
    world.run();
    assert_eq!(world.server.take_examined(), [""; 0], "nothing happens any more");
}

#[test]
fn what_a_server_does_not_name_is_missed_wherever_the_run_died_that_took_it_for_gone() {
    for writes in 0..5 {
        let world = world_back(0);
        deliver(&world, 1..=3);
        world.run();
        expunge(&world, 1);
        world.store.die_after(Some(writes));
        run_odd(&world, Habit::SearchMisses(2));
        world.store.die_after(None);
        world.clock.advance(LEASE_AND_MORE);
        world.run();
        world.run();
        assert_eq!(there(&world), [2, 3], "dead after {writes} writes");
    }
}

#[test]
fn what_a_server_names_only_in_its_second_answer_is_read() {
    let world = world_back(0);
    deliver(&world, 1..=3);
    world.run();
    expunge(&world, 1);
    expunge(&world, 2);
    deliver(&world, 4..=4);
    run_odd(&world, Habit::HidesAtFirst(4));
    world.run();
    assert_eq!(there(&world), [3, 4]);
}
