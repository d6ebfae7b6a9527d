//! Mailboxes: the truth about what their servers hold, and about who may write what of them.

pub mod account;
pub mod letters;
mod life;
pub mod places;
mod setup;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use echodesk_core::RunId;
use echodesk_mail::model::MailboxKey;
use jiff::{SignedDuration, Timestamp};

use crate::trace::TenantNumber;
use crate::world::World;
use account::Account;
use places::Places;
pub(crate) use setup::keys;

/// After so long whoever reads a tenant's mail notices that a mailbox is switched off, and sees to it.
const NOTICED_AFTER: SignedDuration = SignedDuration::from_hours(20);

/// A mailbox of the simulation: the tenant's first or second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxNumber {
    /// Whose it is.
    pub tenant: TenantNumber,
    /// Which of the tenant's.
    pub number: u32,
}

impl fmt::Display for MailboxNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenant, self.number)
    }
}

/// The truth about one mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// As the database names it.
    pub key: MailboxKey,
    /// Days of history that are wanted; 0 means all.
    pub days_back: u32,
    /// What its server holds now.
    pub account: Arc<Account>,
    /// Whether its server does not take the password that we have.
    pub password_is_wrong: bool,
    /// Since when it is switched off, if it is.
    pub off_since: Option<Timestamp>,
    /// Syncs in a row that its server or the way to it has kept from reading anything.
    pub failures: u32,
    /// Notices of it being switched off.
    pub off_notices: usize,
    /// Which run has its lease, or had it last.
    pub holder: Option<RunId>,
    /// How often the lease has gone to another run.
    pub takeovers: u64,
    /// Runs in a row, on days on which nothing goes wrong, that have not read it to its end.
    pub unread_in_quiet: u32,
    /// Slots of time that it has lived.
    lived: u64,
}

/// What a tenant's mail is, over all mailboxes.
#[derive(Clone, Debug, Default)]
pub struct TenantMail {
    /// Every message that any of its servers ever had, by token.
    pub tokens: BTreeSet<String>,
    /// Messages that must be stored.
    pub stored: BTreeSet<String>,
    /// Rows that have been seen, with the token of each.
    pub rows: BTreeMap<i64, String>,
}

/// All mailboxes.
#[derive(Debug, Default)]
pub struct MailWorld {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mailboxes: BTreeMap<MailboxNumber, Mailbox>,
    tenants: BTreeMap<TenantNumber, TenantMail>,
    places: BTreeMap<MailboxNumber, Places>,
}

impl MailWorld {
    /// All mailboxes.
    #[must_use]
    pub fn numbers(&self) -> Vec<MailboxNumber> {
        self.lock().mailboxes.keys().copied().collect()
    }

    /// The tenants that have mailboxes.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantNumber> {
        self.lock().tenants.keys().copied().collect()
    }

    /// Which mailbox the database calls so.
    #[must_use]
    pub fn of_key(&self, key: &MailboxKey) -> Option<MailboxNumber> {
        self.find(|_, mailbox| mailbox.key == *key)
    }

    /// Which mailbox one logs in to under this name.
    #[must_use]
    pub fn of_user(&self, username: &str) -> Option<MailboxNumber> {
        self.find(|number, _| address(*number) == username)
    }

    /// The truth about a tenant's mailbox that a notice is about, as its subject key names it.
    #[must_use]
    pub fn of_subject(&self, tenant: TenantNumber, subject_key: &str) -> Option<Mailbox> {
        let connection = subject_key.strip_prefix("mailbox:")?;
        let number =
            self.find(|number, mailbox| number.tenant == tenant && mailbox.key.connection.to_string() == connection);
        number.map(|number| self.get(number))
    }

    fn find(&self, is_it: impl Fn(&MailboxNumber, &Mailbox) -> bool) -> Option<MailboxNumber> {
        self.lock().mailboxes.iter().find(|(number, mailbox)| is_it(number, mailbox)).map(|(number, _)| *number)
    }

    /// The truth about a mailbox.
    ///
    /// # Panics
    /// If there is none of that number.
    #[must_use]
    pub fn get(&self, number: MailboxNumber) -> Mailbox {
        self.lock().mailboxes[&number].clone()
    }

    /// Changes the truth about a mailbox.
    ///
    /// # Panics
    /// If there is none of that number.
    #[expect(clippy::expect_used, reason = "numbers come from this list")]
    pub fn change<T>(&self, number: MailboxNumber, change: impl FnOnce(&mut Mailbox) -> T) -> T {
        change(self.lock().mailboxes.get_mut(&number).expect("a mailbox of the simulation"))
    }

    /// Changes the truth about a tenant's mail.
    pub fn change_tenant<T>(&self, tenant: TenantNumber, change: impl FnOnce(&mut TenantMail) -> T) -> T {
        change(self.lock().tenants.entry(tenant).or_default())
    }

    /// Changes what is known of the places of a mailbox.
    pub fn change_places<T>(&self, number: MailboxNumber, change: impl FnOnce(&mut Places) -> T) -> T {
        change(self.lock().places.entry(number).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address of a mailbox, which is also the name to log in with.
#[must_use]
pub fn address(number: MailboxNumber) -> String {
    format!("box{}@{}.example", number.number, number.tenant)
}

impl World {
    /// Tenants see to mailboxes that were switched off: the password is set again, the mailbox switched on.
    pub(crate) fn mend_mailboxes(&self) {
        let now = self.time.now();
        for number in self.mail.numbers() {
            let mailbox = self.mail.get(number);
            if mailbox.off_since.is_some_and(|since| now.duration_since(since) >= NOTICED_AFTER) {
                let done = self.database.store.enable_mailbox(&mailbox.key, now);
                self.trace.note(number.tenant, format_args!("mailbox {number} is switched on again: {done:?}"));
                self.mail.change(number, |mailbox| {
                    (mailbox.off_since, mailbox.failures, mailbox.password_is_wrong) = (None, 0, false);
                });
            }
        }
    }
}
