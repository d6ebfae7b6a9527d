//! Mail: every message that was shown has one fate, and every message is stored once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::accounts::CLOCKS_WRONG_BY;
use crate::ports::imap::Sight;
use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::mail::account::{Account, Message, Place};
use crate::world::mail::letters::{Trouble, token_in};
use crate::world::mail::{Mailbox, MailboxNumber};

/// Syncs in a row that may fail before a mailbox is switched off.
const FAILURES: u32 = 5;

/// A message may be given up once the connection broke so often when it was asked for.
const CUTS: u32 = 3;

/// So many runs in a row may end early on days on which nothing goes wrong: a message or two over which the
/// connection breaks each time are given up after three.
const UNREAD_IN_QUIET: u32 = 9;

/// An item that is still on the server, with the row that it stands for.
#[derive(Debug, QueryableByName)]
struct Item {
    #[diesel(sql_type = Text)]
    folder: String,
    #[diesel(sql_type = BigInt)]
    uid_validity: i64,
    #[diesel(sql_type = BigInt)]
    uid: i64,
    #[diesel(sql_type = Text)]
    fate: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    flags: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    message_row: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    row_connection: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    row_folder: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    row_uid: Option<String>,
}

/// An item that is on the server no more.
#[derive(Debug, QueryableByName)]
struct Gone {
    #[diesel(sql_type = Text)]
    folder: String,
    #[diesel(sql_type = BigInt)]
    uid_validity: i64,
    #[diesel(sql_type = BigInt)]
    uid: i64,
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    body_text: String,
}

#[derive(Debug, QueryableByName)]
struct Standing {
    #[diesel(sql_type = Bool)]
    is_active: bool,
}

impl World {
    /// The store says that a mailbox was read to its end: so everything that was shown has its fate.
    pub(crate) fn mailbox_was_read(&self, number: MailboxNumber, sight: Option<&Sight>) {
        self.mail.change(number, |mailbox| mailbox.failures = 0);
        let Some((sight, (before, after))) = sight.and_then(|sight| Some((sight, sight.account.as_ref()?))) else {
            return self.wrong(number, "was never opened and counts as read".to_owned());
        };
        if sight.is_cut.load(Ordering::Acquire) {
            self.wrong(number, "counts as read although its connection was cut".to_owned());
        }
        if sight.folder_refused.load(Ordering::Acquire) {
            self.wrong(number, "counts as read although a folder was refused".to_owned());
        }
        let mailbox = self.mail.get(number);
        self.look_at_rows(number.tenant);
        self.check_items(number, &mailbox, before, after);
        self.check_stored_once(number.tenant);
    }

    /// The store says that a mailbox was not read to its end. It is switched off only where that is right.
    pub(crate) fn mailbox_was_not_read(&self, number: MailboxNumber, sight: Option<&Sight>) {
        let now = self.time.now();
        let login_refused = sight.is_some_and(|sight| sight.login_refused);
        let kept_out = sight.is_some_and(|sight| sight.is_slow || sight.is_cut.load(Ordering::Acquire));
        let was_on = self.mail.change(number, |mailbox| {
            if kept_out {
                mailbox.failures += 1;
            }
            mailbox.off_since.is_none()
        });
        let mailbox = self.mail.get(number);
        let is_on = self.is_switched_on(&mailbox);
        if is_on && login_refused && was_on {
            self.wrong(number, "is still switched on although its password is wrong".to_owned());
        }
        if !is_on && was_on {
            self.trace.note(number.tenant, format_args!("mailbox {number} is switched off"));
            if !login_refused && mailbox.failures < FAILURES {
                self.wrong(number, format!("is switched off after {} failures in a row", mailbox.failures));
            }
            let notices = self.off_notices(number, &mailbox);
            if notices != mailbox.off_notices + 1 {
                let new = notices.saturating_sub(mailbox.off_notices);
                self.wrong(number, format!("is switched off with {new} notices instead of one"));
            }
            self.mail.change(number, |mailbox| (mailbox.off_since, mailbox.off_notices) = (Some(now), notices));
        }
    }

    /// After days on which nothing went wrong.
    pub(super) fn check_mail_resolved(&self) {
        for number in self.mail.numbers() {
            let unread = self.mail.get(number).unread_in_quiet;
            let is_active = self.accounts.read(number.tenant, |account| account.suspended_at.is_none());
            if unread > UNREAD_IN_QUIET && is_active {
                let what = format!("mailbox {number} was not read to its end by {unread} runs");
                self.violated(Invariant::AllResolved, number.tenant, what);
            }
        }
        for tenant in self.mail.tenants() {
            self.mail.change_tenant(tenant, |mail| mail.rows.clear());
            self.look_at_rows(tenant);
            self.check_stored_once(tenant);
        }
    }

    fn wrong(&self, number: MailboxNumber, what: String) {
        self.violated(Invariant::ExactMail, number.tenant, format!("mailbox {number} {what}"));
    }

    /// Reads rows that are new. Each holds a message that a server of the tenant once had.
    fn look_at_rows(&self, tenant: TenantNumber) {
        let schema = self.accounts.read(tenant, |account| account.schema.clone());
        let last = self.mail.change_tenant(tenant, |mail| mail.rows.last_key_value().map_or(0, |(id, _)| *id));
        let rows: Vec<Row> = self.database.tenant_rows(
            &schema,
            &format!(
                "SELECT CAST(id AS bigint) AS id, subject, body_text FROM social_integrations_emailmessage \
                 WHERE id > {last} ORDER BY id"
            ),
        );
        for row in rows {
            let token = token_in(&row.subject).or_else(|| token_in(&row.body_text)).unwrap_or_default();
            let is_known = self.mail.change_tenant(tenant, |mail| {
                mail.rows.insert(row.id, token.to_owned());
                mail.tokens.contains(token)
            });
            if !is_known {
                let what = format!("a row holds a message that no server ever had: {:?}", row.subject);
                self.violated(Invariant::ExactMail, tenant, what);
            }
        }
    }

    fn check_items(&self, number: MailboxNumber, mailbox: &Mailbox, before: &Account, after: &Account) {
        let items = self.items(mailbox);
        let place = |item: &Item| (item.folder.clone(), narrow(item.uid_validity), narrow(item.uid));
        let mut fates: BTreeMap<Place, &Item> = BTreeMap::new();
        for item in &items {
            if fates.insert(place(item), item).is_some() {
                self.wrong(number, format!("has two fates for one UID: {item:?}"));
            }
        }
        let (first, last): (BTreeMap<_, _>, BTreeMap<_, _>) = (before.places().collect(), after.places().collect());
        for (place, message) in last.iter().filter(|(place, _)| first.contains_key(*place)) {
            match fates.get(place) {
                Some(item) => self.check_fate(number, place, message, item),
                None if !self.is_wanted(mailbox, message) => {}
                None => {
                    self.wrong(number, format!("counts as read, and {} at {place:?} has no fate", message.letter.token))
                }
            }
            if let (true, Some(item)) = (before.keeps_mod_seq, fates.get(place))
                && first.get(place).is_some_and(|then| then.flags == message.flags)
                && item.flags != i64::from(message.flags.bits())
            {
                self.wrong(number, format!("has other flags than the server for {place:?}: {item:?}"));
            }
        }
        // What goes in the middle of a session may make up for what has come in the numbers of the folder; the next run
        // notices that they differ.
        let stood_still = std::ptr::eq(before, after);
        self.check_gone(number, mailbox, fates.keys().cloned().collect());
        for (place, item) in fates.iter().filter(|_| stood_still) {
            if !first.contains_key(place) && !last.contains_key(place) {
                self.wrong(number, format!("has a fate for what is not on the server any more: {item:?}"));
            }
        }
        if !stood_still {
            return;
        }
        let places = |token: &str| -> BTreeSet<(String, String)> {
            let all = first.iter().chain(&last).filter(|(_, message)| message.letter.token == token);
            all.map(|((folder, _, uid), _)| (folder.clone(), uid.to_string())).collect()
        };
        for item in items.iter().filter(|item| item.row_connection == Some(mailbox.key.connection.0)) {
            let Some(message) = first.get(&place(item)).filter(|_| last.contains_key(&place(item))) else { continue };
            let named = (item.row_folder.clone().unwrap_or_default(), item.row_uid.clone().unwrap_or_default());
            if !places(&message.letter.token).contains(&named) {
                self.wrong(number, format!("has a row that names no place where its message is: {item:?}"));
            }
        }
    }

    /// A message that has left the server keeps its fate, and has no second one.
    fn check_gone(&self, number: MailboxNumber, mailbox: &Mailbox, living: BTreeSet<Place>) {
        let is_quiet = self.faults.is_quiet();
        let (left, living) = self.mail.change_places(number, |places| {
            let newly = places.have_fates(living);
            // All of them on days on which nothing goes wrong; on others those that have changed.
            (if is_quiet { places.left.clone() } else { newly }, places.living.clone())
        });
        if left.is_empty() {
            return;
        }
        let mut fates: BTreeMap<Place, u32> = BTreeMap::new();
        for Gone { folder, uid_validity, uid } in self.gone(mailbox) {
            *fates.entry((folder, narrow(uid_validity), narrow(uid))).or_default() += 1;
        }
        if let Some(place) = left.iter().find(|place| fates.get(place) != Some(&1)) {
            let count = fates.get(place).copied().unwrap_or(0);
            self.wrong(number, format!("has {count} fates for {place:?}, which has left the server"));
        }
        if let Some(place) = living.iter().find(|place| fates.contains_key(place)) {
            self.wrong(number, format!("has a second fate for {place:?}, as if it had left the server"));
        }
    }

    /// The fate of a message that is on the server: it is stored in a row of its own content, or there is a reason.
    fn check_fate(&self, number: MailboxNumber, place: &Place, message: &Message, item: &Item) {
        let token = &message.letter.token;
        if item.fate == "failed" {
            let reason = item.reason.as_deref().unwrap_or_default();
            let broke = self.mail.change_places(number, |places| places.broke.get(place).copied().unwrap_or(0));
            let is_right = match times_broken(reason) {
                Some(times) => (CUTS..=broke).contains(&times),
                None => message.letter.trouble == Some(Trouble::Undeliverable),
            };
            if !is_right {
                self.wrong(
                    number,
                    format!("gave up {token} at {place:?}, over which {broke} connections broke: {reason}"),
                );
            }
            return;
        }
        let stored = self.mail.change_tenant(number.tenant, |mail| {
            mail.stored.insert(token.clone());
            item.message_row.and_then(|row| mail.rows.get(&row).cloned())
        });
        if stored.as_ref() != Some(token) {
            self.wrong(
                number,
                format!("takes {token} at {place:?} for {}", stored.unwrap_or_else(|| "nothing".to_owned())),
            );
        }
    }

    /// Whether a message is in the window by every clock that a run may have had.
    fn is_wanted(&self, mailbox: &Mailbox, message: &Message) -> bool {
        // A run that slept had begun earlier: its window was wider, if anything.
        let today = day(self.time.now() + CLOCKS_WRONG_BY);
        let age = SignedDuration::from_hours(24 * i64::from(mailbox.days_back));
        mailbox.days_back == 0 || today.checked_sub(age).is_ok_and(|start| day(message.received) >= start)
    }

    /// Every message that must be stored is, once; and so is everything else that is.
    fn check_stored_once(&self, tenant: TenantNumber) {
        let (missing, twice) = self.mail.change_tenant(tenant, |mail| {
            let mut seen = BTreeSet::new();
            let twice = mail.rows.values().find(|token| !seen.insert(token.as_str())).cloned();
            (mail.stored.iter().find(|token| !seen.contains(token.as_str())).cloned(), twice)
        });
        if let Some(token) = missing {
            self.violated(Invariant::ExactMail, tenant, format!("{token} was shown and is not stored"));
        }
        if let Some(token) = twice {
            self.violated(Invariant::ExactMail, tenant, format!("{token} is stored twice"));
        }
    }

    fn items(&self, mailbox: &Mailbox) -> Vec<Item> {
        let sql = format!(
            "SELECT f.name AS folder, CAST(i.uid_validity AS bigint) AS uid_validity, CAST(i.uid AS bigint) AS uid, i.fate, i.reason, \
               CAST(i.flags AS bigint) AS flags, CAST(i.message_row AS bigint) AS message_row, \
               CAST(m.connection_id AS bigint) AS row_connection, m.folder AS row_folder, m.uid AS row_uid \
             FROM echodesk_mail_folder f JOIN echodesk_mail_item i ON i.folder_id = f.id \
               LEFT JOIN social_integrations_emailmessage m ON m.id = i.message_row \
             WHERE f.connection_id = {} AND i.gone_at IS NULL",
            mailbox.key.connection
        );
        self.database.tenant_rows(&mailbox.key.schema, &sql)
    }

    fn gone(&self, mailbox: &Mailbox) -> Vec<Gone> {
        let sql = format!(
            "SELECT f.name AS folder, CAST(i.uid_validity AS bigint) AS uid_validity, CAST(i.uid AS bigint) AS uid \
             FROM echodesk_mail_folder f JOIN echodesk_mail_item i ON i.folder_id = f.id \
             WHERE f.connection_id = {} AND i.gone_at IS NOT NULL",
            mailbox.key.connection
        );
        self.database.tenant_rows(&mailbox.key.schema, &sql)
    }

    fn is_switched_on(&self, mailbox: &Mailbox) -> bool {
        let sql =
            format!("SELECT is_active FROM social_integrations_emailconnection WHERE id = {}", mailbox.key.connection);
        let rows: Vec<Standing> = self.database.tenant_rows(&mailbox.key.schema, &sql);
        rows.first().is_some_and(|row| row.is_active)
    }

    fn off_notices(&self, number: MailboxNumber, mailbox: &Mailbox) -> usize {
        let tenant = self.accounts.read(number.tenant, |account| account.tenant);
        let queued = self.database.values(&format!(
            "SELECT CAST(count(*) AS text) AS value FROM echodesk_notice WHERE kind = 'mailbox_switched_off' \
               AND tenant_id = {tenant} AND subject_key = 'mailbox:{}'",
            mailbox.key.connection
        ));
        queued.first().and_then(Option::as_deref).and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

/// How often the connection is said to have broken over a message, if that is why it was given up.
fn times_broken(reason: &str) -> Option<u32> {
    reason.strip_prefix("the connection broke ")?.strip_suffix(" times when it was asked for")?.parse().ok()
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn narrow(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}
