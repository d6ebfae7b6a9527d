//! The store of mail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use echodesk_core::{SchemaName, StoreError};
use echodesk_mail::model::{Fate, Flags, FolderCursor, Mailbox, MailboxKey, Uid, UidSet};
use echodesk_mail::ports::{Batch, FailedItems, FailureRecord, Item, Lease, MailStore, Scope, TenantMailboxes};
use echodesk_mail::rules::identity::Existing;
use jiff::{SignedDuration, Timestamp};

use crate::fault::FaultKind;
use crate::ports::imap::Shown;
use crate::process::{Effect, Process};
use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::mail::MailboxNumber;

/// So many runs in a thousand look at all tenants for mailboxes.
const LISTS_ALL: u32 = 20;

/// The real store, as one process reaches it.
#[derive(Debug)]
pub struct MailPort {
    process: Arc<Process>,
    shown: Arc<Shown>,
    kind: Kind,
    /// The takeover by which this process got each mailbox.
    got_by: Mutex<BTreeMap<MailboxNumber, u64>>,
}

/// What a sync is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What cron starts.
    Cron,
    /// Another host's, in the middle of one.
    Meanwhile,
    /// One that only looks.
    DryRun,
}

impl MailPort {
    /// That of a process, which is shown this by the mail servers.
    #[must_use]
    pub fn new(process: &Arc<Process>, shown: &Arc<Shown>, kind: Kind) -> Arc<Self> {
        Arc::new(Self { process: Arc::clone(process), shown: Arc::clone(shown), kind, got_by: Mutex::default() })
    }

    fn store(&self) -> &dyn MailStore {
        &self.process.world.database.store
    }

    /// Whether this run looks at all tenants: always on the first day.
    fn lists_all(&self) -> bool {
        let world = &self.process.world;
        let place = format!("list of {}", self.process.name);
        world.time.day() == 0 || world.chance.at(&place).per_mille(LISTS_ALL)
    }

    fn got_by(&self) -> MutexGuard<'_, BTreeMap<MailboxNumber, u64>> {
        self.got_by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self, key: &MailboxKey) -> Option<MailboxNumber> {
        self.process.world.mail.of_key(key)
    }

    fn tenant(&self, schema: &SchemaName) -> Option<TenantNumber> {
        let mail = &self.process.world.mail;
        mail.numbers().into_iter().find(|number| mail.get(*number).key.schema == *schema).map(|number| number.tenant)
    }

    fn reads<T>(
        &self,
        call: &'static str,
        tenant: Option<TenantNumber>,
        act: impl FnOnce(&dyn MailStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.process.store_call(call, tenant, Effect::Reads, || act(self.store()))
    }

    /// A write, and what the truth says of it once it is made. Nothing else runs then that could change anything:
    /// reads of the same run at most.
    fn writes<T>(
        &self,
        call: &'static str,
        key: &MailboxKey,
        act: impl FnOnce(&dyn MailStore) -> Result<T, StoreError>,
        done: impl FnOnce(MailboxNumber, &T),
    ) -> Result<T, StoreError> {
        let world = &self.process.world;
        let Some(number) = self.number(key) else { return act(self.store()) };
        self.another_host(number);
        self.process.store_call(call, Some(number.tenant), Effect::WritesMail, || {
            let result = act(self.store())?;
            if self.kind == Kind::DryRun {
                let what = format!("a dry run has written to mailbox {number}: {call}");
                world.violated(Invariant::DryRunsChangeNothing, number.tenant, what);
            }
            done(number, &result);
            Ok(result)
        })
    }

    /// A write that is made only by whoever has the lease, and has had it ever since it was taken: what a run has read
    /// of a mailbox that another had in between is old.
    fn writes_leased<T>(
        &self,
        call: &'static str,
        key: &MailboxKey,
        act: impl FnOnce(&dyn MailStore) -> Result<T, StoreError>,
        done: impl FnOnce(MailboxNumber, &T),
    ) -> Result<T, StoreError> {
        let world = &self.process.world;
        self.writes(call, key, act, |number, result| {
            let mailbox = world.mail.get(number);
            let is_new = self.got_by().get(&number) == Some(&mailbox.takeovers);
            if mailbox.holder != Some(self.process.run) || !is_new {
                let what =
                    format!("{} wrote to mailbox {number} after another run had taken it over", self.process.name);
                world.violated(Invariant::ExactMail, number.tenant, what);
            }
            done(number, result);
        })
    }

    /// Before a write, the host may sleep, and another may look at the same mailboxes.
    fn another_host(&self, number: MailboxNumber) {
        if self.kind != Kind::Cron || self.process.is_dead() {
            return;
        }
        let world = &self.process.world;
        let place = self.process.place("moment", Some(number.tenant));
        let mut dice = world.chance.at(&format!("sleep {place}"));
        let mut is_seen_to = world.faults.happens(FaultKind::SyncMeanwhile, &place);
        if world.faults.happens(FaultKind::HostSleeps, &place) {
            let minutes = dice.between(3, 200).cast_signed();
            world.trace.note(number.tenant, format_args!("the host sleeps for {minutes} min at {place}"));
            self.process.disturb();
            world.time.pass_until(world.time.now() + SignedDuration::from_mins(minutes));
            is_seen_to |= dice.per_mille(700);
        }
        if is_seen_to {
            world.trace.note(number.tenant, format_args!("meanwhile, at {place}, another host syncs"));
            self.process.disturb();
            world.sync_meanwhile(&self.process, &place, number.tenant);
        }
    }
}

impl MailStore for MailPort {
    /// Most of the time only of tenants that have mailboxes: to look into the files of all others costs the simulation
    /// more than everything else. Now and then the store lists them all, and the same mailboxes.
    fn tenants(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError> {
        let Scope::AllActive = scope else {
            return self.reads("mailboxes", None, |store| store.tenants(scope));
        };
        let world = &self.process.world;
        let schema = |tenant| world.accounts.read(tenant, |account| account.schema.clone());
        self.reads("mailboxes", None, |store| {
            let mut all = Vec::new();
            for tenant in world.mail.tenants() {
                all.extend(store.tenants(&Scope::One(schema(tenant)))?);
            }
            all.retain(|listed| listed.tenant.is_active);
            if !self.lists_all() {
                return Ok(all);
            }
            let listed = store.tenants(scope)?;
            if mailboxes_of(&listed) != mailboxes_of(&all) {
                let what = format!("{:?} are listed instead of {:?}", mailboxes_of(&listed), mailboxes_of(&all));
                world.violated(Invariant::ExactMail, None, what);
            }
            Ok(listed)
        })
    }

    fn acquire(&self, mailbox: &MailboxKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let mail = &self.process.world.mail;
        self.writes(
            "acquire",
            mailbox,
            |store| store.acquire(mailbox, lease, now),
            |number, taken| {
                if *taken {
                    let takeover = mail.change(number, |mailbox| {
                        let before = mailbox.holder.replace(lease.holder);
                        mailbox.takeovers += u64::from(before != Some(lease.holder));
                        mailbox.takeovers
                    });
                    self.got_by().entry(number).or_insert(takeover);
                }
            },
        )
    }

    fn renew(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<bool, StoreError> {
        self.writes("renew", mailbox, |store| store.renew(mailbox, lease), |_, _| {})
    }

    fn release(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<(), StoreError> {
        self.writes("release", mailbox, |store| store.release(mailbox, lease), |_, ()| {})
    }

    fn refresh(&self, mailbox: &Mailbox) -> Result<Option<Mailbox>, StoreError> {
        self.reads("refresh", self.tenant(&mailbox.key.schema), |store| store.refresh(mailbox))
    }

    fn cursors(&self, mailbox: &MailboxKey) -> Result<Vec<FolderCursor>, StoreError> {
        self.reads("cursors", self.tenant(&mailbox.schema), |store| store.cursors(mailbox))
    }

    /// Asked for by the thread that reads while another writes: so nothing happens here that chance decides.
    fn items(&self, mailbox: &MailboxKey, folder: &str, uid_validity: u32) -> Result<Vec<Item>, StoreError> {
        self.store().items(mailbox, folder, uid_validity)
    }

    fn failed(&self, mailbox: &MailboxKey, since: Timestamp) -> Result<Vec<FailedItems>, StoreError> {
        self.reads("failed", self.tenant(&mailbox.schema), |store| store.failed(mailbox, since))
    }

    fn existing(&self, schema: &SchemaName, ids: &[String]) -> Result<Vec<Existing>, StoreError> {
        self.reads("existing", self.tenant(schema), |store| store.existing(schema, ids))
    }

    fn store(&self, mailbox: &Mailbox, lease: &Lease, batch: &Batch) -> Result<Vec<Fate>, StoreError> {
        let world = &self.process.world;
        let stored = |number: MailboxNumber, _: &Vec<Fate>| {
            let FolderCursor { folder, status, pending, suspect, .. } = &batch.cursor;
            let uids: UidSet = batch.items.iter().map(|item| item.uid).collect();
            let now = format!("{folder} under {} up to {}", status.uid_validity, status.uid_next);
            if let Some(suspect) = suspect {
                let place = (folder.clone(), status.uid_validity, suspect.uid.0);
                world.mail.change_places(number, |places| {
                    // What was written down before is written again with other things.
                    let is_new = places.deaths.insert(place.clone(), suspect.deaths) < Some(suspect.deaths);
                    if is_new && self.shown.of(number).is_some_and(|sight| sight.is_noted(&place)) {
                        *places.broke.entry(place).or_default() += 1;
                    }
                });
            }
            let suspect = suspect.map(|suspect| format!(", suspects {suspect:?}")).unwrap_or_default();
            world.trace.note(
                number.tenant,
                format_args!("stored of mailbox {number}: {now}: {uids:?}, and owes {pending:?}{suspect}"),
            );
        };
        self.writes_leased("store", &mailbox.key, |store| store.store(mailbox, lease, batch), stored)
    }

    fn update_flags(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        flags: &[(Uid, Flags)],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let write = |store: &dyn MailStore| store.update_flags(mailbox, lease, folder, uid_validity, flags, now);
        self.writes_leased("update_flags", mailbox, write, |_, _| {})
    }

    fn mark_gone(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        uids: Option<&UidSet>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let write = |store: &dyn MailStore| store.mark_gone(mailbox, lease, folder, uid_validity, uids, now);
        self.writes_leased("mark_gone", mailbox, write, |_, _| {})
    }

    fn record_success(&self, mailbox: &MailboxKey, lease: &Lease, at: Timestamp) -> Result<(), StoreError> {
        let world = &self.process.world;
        self.writes_leased(
            "record_success",
            mailbox,
            |store| store.record_success(mailbox, lease, at),
            |number, ()| world.mailbox_was_read(number, self.shown.of(number).as_deref()),
        )
    }

    fn record_failure(&self, mailbox: &Mailbox, lease: &Lease, failure: &FailureRecord) -> Result<bool, StoreError> {
        let world = &self.process.world;
        self.writes_leased(
            "record_failure",
            &mailbox.key,
            |store| store.record_failure(mailbox, lease, failure),
            |number, recorded| {
                if *recorded {
                    world.mailbox_was_not_read(number, self.shown.of(number).as_deref());
                }
            },
        )
    }
}

/// The mailboxes of active tenants, with what the order of a run depends on.
fn mailboxes_of(listed: &[TenantMailboxes]) -> BTreeMap<String, (bool, Option<Timestamp>)> {
    let active = listed.iter().filter(|listed| listed.tenant.is_active);
    let mailboxes = active.filter_map(|listed| listed.mailboxes.as_ref().ok()).flat_map(|(_, mailboxes)| mailboxes);
    mailboxes.map(|mailbox| (mailbox.key.to_string(), (mailbox.is_active, mailbox.last_sync_at))).collect()
}
