//! The runs against servers with one odd habit each.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use echodesk_core::Secret;
use jiff::civil::Date;

use super::*;
use crate::model::{Endpoint, FolderListing, FolderName, FolderStatus, MessageMeta, RawMessage, Suspect, UidSet};
use crate::ports::{MailServer, MailServerError, MailSession, Opened, SessionCounters, Sink};

mod unnamed;

#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// A FETCH of bodies that has this UID in it is answered with NO and nothing else.
    RefuseBatchWith(u32),
    /// The connection breaks when one of these bodies is asked for.
    DieAt(&'static [u32]),
    /// The same for this one, of which nothing is told but that it is there.
    DieAtUndescribed(u32),
    /// SEARCH does not name this one.
    SearchMisses(u32),
    /// Nor does FETCH.
    Hides(u32),
    /// Nor does FETCH, but SEARCH does if it is asked for all.
    HidesAtFirst(u32),
    /// Heads do not come.
    NoHeads,
    /// Logging in takes the whole budget.
    Tarpit,
    /// Opening a folder takes a second.
    SlowExamine,
    /// While a folder is opened we sleep, and another run takes the mailbox over and is done with it.
    SleepAtExamine,
    None,
}

struct Odd {
    inner: FakeServer,
    habit: Habit,
    held: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
}

struct OddSession {
    inner: Box<dyn MailSession>,
    habit: Habit,
    held: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
}

impl MailServer for Odd {
    fn open(&self, e: &Endpoint, u: &str, p: &Secret, t: Duration) -> Result<Box<dyn MailSession>, MailServerError> {
        if self.habit == Habit::Tarpit {
            return Err(MailServerError::OutOfTime);
        }
        let inner = self.inner.open(e, u, p, t)?;
        Ok(Box::new(OddSession {
            inner,
            habit: self.habit,
            held: self.held.clone(),
            most: self.most.clone(),
            clock: self.clock.clone(),
            store: self.store.clone(),
        }))
    }
}

impl MailSession for OddSession {
    fn folders(&mut self) -> Result<Vec<FolderListing>, MailServerError> {
        self.inner.folders()
    }
    fn status(&mut self, f: &[&FolderName]) -> Result<Vec<Option<FolderStatus>>, MailServerError> {
        self.inner.status(f)
    }
    fn examine(&mut self, f: &FolderName) -> Result<Opened, MailServerError> {
        if self.habit == Habit::SlowExamine {
            self.clock.advance(Duration::from_secs(1));
        }
        if self.habit == Habit::SleepAtExamine {
            self.clock.advance(LEASE_AND_MORE);
            self.store.free(&testing::mailbox("acme", 1).key);
        }
        self.inner.examine(f)
    }
    fn search(&mut self, u: &UidSet, s: Option<Date>) -> Result<UidSet, MailServerError> {
        let hidden = match self.habit {
            Habit::SearchMisses(one) | Habit::Hides(one) => Some(one),
            Habit::HidesAtFirst(one) if !u.contains(Uid(1)) => Some(one),
            _ => None,
        };
        Ok(self.inner.search(u, s)?.iter().filter(|uid| hidden != Some(uid.0)).collect())
    }
    fn metas(&mut self, u: &UidSet) -> Result<Vec<MessageMeta>, MailServerError> {
        let mut metas = self.inner.metas(u)?;
        let (Habit::DieAtUndescribed(one) | Habit::Hides(one) | Habit::HidesAtFirst(one)) = self.habit else {
            return Ok(metas);
        };
        metas.retain(|meta| meta.uid.0 != one);
        Ok(metas)
    }
    fn bodies(&mut self, batches: &[Vec<MessageMeta>], limit: u64, sink: &mut Sink<'_>) -> Result<(), MailServerError> {
        // As ImapSession: every command runs, the first refusal is the result.
        let mut refused = None;
        for batch in batches {
            match self.habit {
                Habit::DieAtUndescribed(bad) if batch.iter().any(|meta| meta.uid.0 == bad) => {
                    let source = std::io::ErrorKind::ConnectionReset.into();
                    return Err(MailServerError::Lost { doing: "reading messages", source });
                }
                Habit::RefuseBatchWith(bad) if batch.iter().any(|meta| meta.uid.0 == bad) => {
                    refused = Some(MailServerError::Refused { command: "UID FETCH", answer: "NO".to_owned() });
                    continue;
                }
                Habit::DieAt(bad) => {
                    // In ascending order, as servers answer.
                    for meta in batch.iter().rev() {
                        if bad.contains(&meta.uid.0) {
                            let source = std::io::ErrorKind::ConnectionReset.into();
                            return Err(MailServerError::Lost { doing: "reading messages", source });
                        }
                        self.inner.bodies(&[vec![meta.clone()]], limit, sink)?;
                    }
                    continue;
                }
                _ => {}
            }
            let (held, most) = (&self.held, &self.most);
            let mut broken = false;
            self.inner.bodies(std::slice::from_ref(batch), limit, &mut |raw: RawMessage| {
                let size = raw.bytes.len() as u64;
                most.fetch_max(held.fetch_add(size, Ordering::SeqCst) + size, Ordering::SeqCst);
                let flow = sink(raw);
                held.fetch_sub(size, Ordering::SeqCst);
                broken |= flow == ControlFlow::Break(());
                flow
            })?;
            if broken {
                return Ok(());
            }
        }
        refused.map_or(Ok(()), Err)
    }
    fn head(&mut self, m: &MessageMeta, b: u64) -> Result<Option<RawMessage>, MailServerError> {
        if self.habit == Habit::NoHeads { Ok(None) } else { self.inner.head(m, b) }
    }
    fn flags(&mut self, u: &UidSet, m: Option<u64>) -> Result<Vec<(Uid, Flags)>, MailServerError> {
        self.inner.flags(u, m)
    }
    fn logout(self: Box<Self>) {}
    fn counters(&self) -> SessionCounters {
        self.inner.counters()
    }
}

fn run_odd(world: &World, habit: Habit) -> (Option<MailboxReport>, u64) {
    let most = Arc::new(AtomicU64::new(0));
    let server = Odd {
        inner: world.server.clone(),
        habit,
        held: Arc::default(),
        most: most.clone(),
        clock: world.clock.clone(),
        store: world.store.clone(),
    };
    let sync = SyncWorld {
        store: world.store.clone(),
        server: Arc::new(server),
        attachments: Arc::new(dry_run::NoAttachments),
        keys: testing::keys(),
        clock: world.clock.clone(),
        stop: world.stop.clone(),
        run: RunId(Uuid::from_u128(1)),
        observer: Arc::new(Silent),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut report = runtime.block_on(sync_all(sync, Scope::AllActive, world.options.clone())).unwrap();
    ((!report.mailboxes.is_empty()).then(|| report.mailboxes.remove(0)), most.load(Ordering::SeqCst))
}

fn is_active(world: &World) -> bool {
    world.store.mailbox(&world.mailbox.key).unwrap().is_active
}

#[test]
fn a_fetch_refused_for_one_message_does_not_stop_the_folder() {
    let world = World::with_mail(250);
    let mut last = None;
    for _ in 0..10 {
        last = run_odd(&world, Habit::RefuseBatchWith(240)).0;
    }
    assert_eq!(world.store.rows().len(), 249, "{last:?}");
}

#[test]
fn a_refused_message_gets_its_fate_however_few_are_read_at_once() {
    let mut world = World::with_mail(30);
    world.options.max_messages = NonZeroU32::new(1).unwrap();
    for _ in 0..40 {
        run_odd(&world, Habit::RefuseBatchWith(29));
    }
    assert_eq!(world.store.fates(&world.mailbox.key).len(), 30);
}

#[test]
fn a_message_that_breaks_the_connection_does_not_switch_the_mailbox_off() {
    let world = World::with_mail(60);
    world.server.deliver("Orders", mail(900));
    let mut last = None;
    for _ in 0..6 {
        last = run_odd(&world, Habit::DieAt(&[55])).0.or(last);
    }
    assert!(is_active(&world), "switched off by one message, {} of 61 stored: {last:?}", world.store.rows().len());
}

#[test]
fn only_the_message_that_breaks_the_connection_is_given_up() {
    let world = World::with_mail(60);
    let mut last = None;
    for _ in 0..6 {
        last = run_odd(&world, Habit::DieAt(&[30])).0.or(last);
    }
    assert_eq!(last.as_ref().unwrap().outcome, MailboxOutcome::Synced, "{last:?}");
    let fates = world.store.fates(&world.mailbox.key);
    let failed: Vec<Uid> =
        fates.iter().filter(|(_, _, fate)| matches!(fate, Fate::Failed(_))).map(|(_, uid, _)| *uid).collect();
    assert_eq!((failed, world.store.rows().len()), (vec![Uid(30)], 59));
}

/// Runs until the mailbox is synced, `most` times at most: exactly `bad` must be given up, by name.
fn given_up_within(most: usize, bad: &'static [u32]) {
    let mut world = World::with_mail(60);
    world.options.max_messages = NonZeroU32::new(60).unwrap();
    let mut last = None;
    for _ in 0..most {
        last = run_odd(&world, Habit::DieAt(bad)).0.or(last);
        if world.last_sync() {
            break;
        }
    }
    assert!(world.last_sync() && is_active(&world), "not read to its end by {most} runs: {last:?}");
    let fates = world.store.fates(&world.mailbox.key);
    let failed = |fate: &Fate| fate.reason().is_some_and(|why| why.contains("the connection broke 3 times"));
    let mut failed: Vec<u32> = fates.iter().filter(|(_, _, fate)| failed(fate)).map(|(_, uid, _)| uid.0).collect();
    failed.sort_unstable();
    assert_eq!((failed.as_slice(), world.store.rows().len()), (bad, 60 - bad.len()));
}

#[test]
fn seed_2_two_messages_that_break_the_connection_are_both_given_up() {
    given_up_within(7, &[20, 40]);
    given_up_within(7, &[59, 60]);
}

#[test]
fn however_many_break_the_connection_each_is_given_up() {
    given_up_within(16, &[10, 20, 30, 40, 50]);
    given_up_within(16, &[10, 11, 12, 13, 14]);
    const THIRD: [u32; 20] = [3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57, 60];
    given_up_within(61, &THIRD);
}

#[test]
fn connections_that_break_at_random_cost_no_message() {
    let world = World::with_mail(60);
    for cut in [7, 0, 5, 3, 1, 4, 2, 6, 1, 9, 5, 2, 3, 1, 8, 1, 6, 2, 5, 1, 3] {
        world.server.cut_after(Some(cut));
        run_odd(&world, Habit::None);
    }
    world.server.cut_after(None);
    run_odd(&world, Habit::None);
    assert_eq!(
        (world.store.rows().len(), world.last_sync()),
        (60, true),
        "{:?}",
        world.store.fates(&world.mailbox.key)
    );
}

#[test]
fn a_message_that_is_not_described_and_breaks_the_connection_is_given_up() {
    let world = World::with_mail(60);
    let mut last = None;
    for _ in 0..4 {
        last = run_odd(&world, Habit::DieAtUndescribed(30)).0.or(last);
    }
    assert!(world.last_sync() && is_active(&world), "{last:?}");
    assert_eq!((world.store.rows().len(), world.store.fates(&world.mailbox.key).len()), (59, 60));
}

#[test]
fn seed_44_two_messages_that_break_the_connection_are_both_given_up() {
    let world = World::with_mail(60);
    let mut last = None;
    for _ in 0..9 {
        last = run_odd(&world, Habit::DieAt(&[30, 35])).0.or(last);
    }
    assert_eq!(last.as_ref().unwrap().outcome, MailboxOutcome::Synced, "{last:?}");
    assert_eq!(world.store.rows().len(), 58);
    assert!(is_active(&world));
}

#[test]
fn a_mailbox_that_gets_on_in_every_run_is_not_switched_off() {
    let world = World::with_mail(200);
    world.server.cut_after(Some(20));
    for _ in 0..10 {
        run_odd(&world, Habit::None);
    }
    assert!(is_active(&world), "each run stored 20 more, and yet: {} of 200", world.store.rows().len());
}

#[test]
fn a_uidnext_that_was_too_high_once_hides_no_mail() {
    let world = World::with_mail(3);
    world.server.change("INBOX", |inbox| inbox.uid_next = 1_000_000);
    assert_eq!(world.run().outcome, MailboxOutcome::Synced);
    world.server.change("INBOX", |inbox| inbox.uid_next = 4);
    for number in 4..=10 {
        world.server.deliver("INBOX", mail(number));
    }
    let mut last = world.run();
    for _ in 0..5 {
        last = world.run();
    }
    assert!(
        world.store.rows().len() == 10 || last.outcome != MailboxOutcome::Synced,
        "7 messages are lost and the mailbox counts as synced: {last:?}"
    );
}

#[test]
fn a_large_message_whose_head_does_not_come_has_a_fate() {
    let mut world = World::with_mail(2);
    world.options.max_message_size = 2000;
    world.server.deliver("INBOX", format!("{}{}", mail(3), "x".repeat(10_000)));
    let report = run_odd(&world, Habit::NoHeads).0.unwrap();
    assert!(
        world.store.fates(&world.mailbox.key).len() == 3 || report.outcome != MailboxOutcome::Synced,
        "lost: {report:?}"
    );
}

#[test]
fn a_server_that_never_lets_us_in_does_not_look_healthy() {
    let world = World::with_mail(2);
    let mut last = None;
    for _ in 0..20 {
        last = run_odd(&world, Habit::Tarpit).0;
    }
    let mailbox = world.store.mailbox(&world.mailbox.key).unwrap();
    assert!(
        !mailbox.last_error.is_empty() || mailbox.failure_count > 0,
        "20 runs without a login: no error, no failure, {last:?}"
    );
}

#[test]
fn bytes_in_memory_stay_within_the_budget() {
    let mailboxes = (1..=8).map(|id| testing::mailbox("acme", id));
    let mut world = World { store: Arc::new(MemoryStore::with(mailboxes)), ..World::new() };
    world.options.memory = 4 << 20;
    world.options.max_message_size = 5 << 20;
    world.options.jobs = NonZeroUsize::new(8).unwrap();
    world.options.per_host = NonZeroUsize::new(8).unwrap();
    for number in 1..=4 {
        world.server.deliver("INBOX", format!("{}{}", mail(number), "x".repeat(4 << 20)));
    }
    let (_, most) = run_odd(&world, Habit::None);
    let bound = world.options.memory + world.options.max_message_size;
    assert!(most <= bound, "{most} bytes held, where {bound} are allowed");
}

#[test]
fn a_folder_that_was_away_for_a_run_comes_back_with_its_flags() {
    let world = World::with_mail(1);
    for number in 10..15 {
        world.server.deliver("Clients", mail(number));
    }
    world.run();
    let mut away = None;
    world.server.change("Clients", |folder| away = Some(folder.clone()));
    world.server.remove_folder("Clients");
    world.run();
    world.server.change("Clients", |folder| *folder = away.unwrap());
    world.server.change("Clients", |folder| folder.set_flags(2, Flags::SEEN));
    let report = world.run();
    assert_eq!(report.messages.stored, 0, "nothing new was stored");
    world.run();
    let row = world.store.rows().into_iter().find(|row| row.message_id == "<11@example.com>").unwrap();
    assert_eq!(row.flags, Flags::SEEN, "a flag that was set while the folder was away");
}

#[test]
fn a_mailbox_of_many_slow_folders_gets_on() {
    let world = World::with_mail(5);
    for number in 0..300 {
        world.server.deliver(&format!("Folder {number}"), mail(1000 + number));
    }
    let mut last = None;
    for _ in 0..20 {
        last = run_odd(&world, Habit::SlowExamine).0;
    }
    let outcome = last.unwrap().outcome;
    assert!(
        world.store.rows().len() > 100,
        "{} of 305 stored after 20 runs of 240 s each, {outcome:?}",
        world.store.rows().len()
    );
}

#[test]
fn a_message_that_did_not_come_once_is_read_when_it_comes_again() {
    let world = World::with_mail(3);
    let deliverable = |is: bool| {
        world.server.change("INBOX", |inbox| inbox.messages.get_mut(&2).unwrap().undeliverable = !is);
    };
    deliverable(false);
    world.run();
    deliverable(true);
    let mut last = world.run();
    for _ in 0..13 {
        world.clock.advance(Duration::from_secs(300));
        last = world.run();
    }
    assert!(
        world.store.rows().len() == 3 && last.outcome == MailboxOutcome::Synced,
        "given up for good after one run: {last:?}"
    );
}

fn given_up(world: &World) -> Vec<(Uid, String)> {
    let fates = world.store.fates(&world.mailbox.key).into_iter();
    fates.filter_map(|(_, uid, fate)| Some((uid, fate.reason()?.to_owned()))).collect()
}

#[test]
fn seed_301_a_message_is_not_given_up_for_what_another_does() {
    let world = World::with_mail(60);
    // The second time the connection breaks before 10 is asked for.
    for habit in [Habit::DieAt(&[10]), Habit::DieAt(&[40]), Habit::DieAt(&[10]), Habit::None] {
        run_odd(&world, habit);
    }
    assert_eq!((given_up(&world), world.store.rows().len(), world.last_sync()), (vec![], 60, true));
}

#[test]
fn seed_1_what_the_server_has_passed_over_is_not_blamed_for_the_next_that_breaks_the_connection() {
    let world = World::with_mail(60);
    world.server.change("INBOX", |inbox| inbox.messages.get_mut(&10).unwrap().undeliverable = true);
    run_odd(&world, Habit::DieAt(&[40]));
    let suspects: Vec<_> =
        world.store.cursors(&world.mailbox.key).unwrap().into_iter().map(|one| one.suspect).collect();
    assert_eq!(suspects, [Some(Suspect { uid: Uid(40), deaths: 1 })]);
}

#[test]
fn what_was_suspected_under_another_uidvalidity_is_not_held_against_a_message() {
    let world = World::with_mail(60);
    for _ in 0..3 {
        run_odd(&world, Habit::DieAt(&[60]));
    }
    world.server.change("INBOX", |inbox| inbox.uid_validity = 2);
    run_odd(&world, Habit::None);
    assert_eq!((given_up(&world), world.store.rows().len(), world.last_sync()), (vec![], 60, true));
}

#[test]
fn a_lease_that_another_has_held_meanwhile_is_lost() {
    let world = World::with_mail(3);
    let report = run_odd(&world, Habit::SleepAtExamine).0.unwrap();
    assert_eq!((report.outcome, world.store.rows().len()), (MailboxOutcome::Failed, 0), "{report:?}");
    assert!(report.error.unwrap().contains("lease") && world.store.failures().is_empty());
    assert_eq!(world.run().messages.stored, 3);
}
