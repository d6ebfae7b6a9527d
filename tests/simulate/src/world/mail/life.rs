//! What happens in a mailbox between two looks at it: mail arrives, is moved, read and deleted; and a server loses
//! its numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use echodesk_mail::model::Flags;
use jiff::{SignedDuration, Timestamp};

use super::account::{Account, Folder};
use super::letters::{Letter, Trouble, compose};
use super::{Mailbox, MailboxNumber};
use crate::chance::Dice;
use crate::fault::FaultKind;
use crate::world::World;

/// Life is decided for so long at a time.
const SLOT: SignedDuration = SignedDuration::from_hours(3);

/// Folders hold no more than this: people delete what is old.
const FULL: usize = 40;

/// Where mail is moved to.
const FOLDERS: [&str; 4] = ["INBOX", "Work", "Archive", "შეკვეთები"];

/// Something that happens to one mailbox at one place of the simulation.
struct Moment<'a> {
    world: &'a World,
    number: MailboxNumber,
    /// Where chance is asked.
    place: &'a str,
    at: Timestamp,
    dice: Dice,
    told: Vec<String>,
    tokens: Vec<String>,
}

impl World {
    /// Lets a mailbox live until now. What happens depends on the mailbox and the time, and not on who looks when.
    pub(crate) fn mailbox_lives(&self, number: MailboxNumber) {
        let now = self.time.elapsed().as_secs() / SLOT.unsigned_abs().as_secs();
        while let Some(slot) = self.mail.change(number, |mailbox| {
            let slot = mailbox.lived;
            mailbox.lived = now.max(slot).min(slot + 1);
            (slot < now).then_some(slot)
        }) {
            let begins = SignedDuration::from_secs((slot * SLOT.unsigned_abs().as_secs()).cast_signed());
            let at = self.time.start() + begins;
            self.mailbox_moment(number, &format!("mail {number} slot {slot}"), at, Some(slot));
        }
    }

    /// Lets something happen in a mailbox in this very moment.
    pub(crate) fn mailbox_changes(&self, number: MailboxNumber, place: &str) {
        self.mailbox_moment(number, place, self.time.now(), None);
    }

    fn mailbox_moment(&self, number: MailboxNumber, place: &str, at: Timestamp, slot: Option<u64>) {
        let dice = self.chance.at(place);
        let mut moment = Moment { world: self, number, place, at, dice, told: Vec::new(), tokens: Vec::new() };
        self.mail.change(number, |mailbox| {
            if let Some(slot) = slot {
                moment.server(mailbox, slot);
            }
            moment.people(Arc::make_mut(&mut mailbox.account), slot);
        });
        let Moment { told, tokens, .. } = moment;
        if !told.is_empty() {
            self.trace.note(number.tenant, format_args!("in mailbox {number}: {}", told.join("; ")));
        }
        self.count(|counts| counts.messages += tokens.len() as u64);
        self.mail.change_tenant(number.tenant, |tenant| tenant.tokens.extend(tokens));
    }
}

impl Moment<'_> {
    /// What a server does by itself.
    fn server(&mut self, mailbox: &mut Mailbox, slot: u64) {
        let faults = &self.world.faults;
        if faults.happens(FaultKind::ImapPasswordChanged, self.place) {
            mailbox.password_is_wrong = true;
            self.told.push("the password is changed".to_owned());
        }
        let account = Arc::make_mut(&mut mailbox.account);
        let name = self.dice.one_of(&FOLDERS);
        let Some(folder) = account.folders.get_mut(name) else { return };
        if faults.happens(FaultKind::UidValidityChanges, self.place) {
            folder.renumber(folder.uid_validity + 1 + u32::try_from(self.dice.between(0, 9)).unwrap_or(0));
            self.told.push(format!("the UIDVALIDITY of {name} is {} from now on", folder.uid_validity));
        }
        if name != "INBOX" && faults.happens(FaultKind::FolderDisappears, self.place) {
            (folder.is_hidden, folder.hidden_until) = (true, slot + self.dice.between(1, 12));
            self.told.push(format!("{name} is not there any more"));
        }
        for (name, folder) in &mut account.folders {
            if folder.is_hidden && folder.hidden_until <= slot {
                folder.is_hidden = false;
                self.told.push(format!("{name} is there again"));
            }
        }
    }

    /// What senders do, and who reads the mailbox elsewhere.
    fn people(&mut self, account: &mut Account, slot: Option<u64>) {
        let arrivals = self.dice.one_of(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 5]);
        for nth in 0..arrivals {
            let to = self.dice.one_of(&["INBOX", "INBOX", "INBOX", "Work", "Junk"]);
            let letter = self.letter(account, nth, slot);
            let received = slot.map_or(self.at, |_| self.at + SignedDuration::from_secs(self.seconds()));
            self.deliver(account, to, &letter, received);
            if self.dice.per_mille(60) {
                self.deliver(account, "Work", &letter, received);
            }
        }
        if let Some(slot) = slot {
            self.reaches_both(account, slot);
        }
        if self.dice.per_mille(250) {
            let to = self.dice.one_of(&FOLDERS);
            self.moves(account, "INBOX", to);
        }
        if self.dice.per_mille(50) {
            self.moves(account, "Junk", "INBOX");
        }
        if self.dice.per_mille(60) {
            let from = self.dice.one_of(&FOLDERS);
            self.moves(account, from, "INBOX");
        }
        if self.dice.per_mille(300) {
            let (name, number) = (self.dice.one_of(&FOLDERS), self.dice.number());
            let flags = self.dice.one_of(&[Flags::NONE, Flags::SEEN, Flags::SEEN | Flags::ANSWERED, Flags::FLAGGED]);
            if let Some((folder, uid)) =
                open(account, name).and_then(|folder| folder.any(number).map(|uid| (folder, uid)))
            {
                folder.set_flags(uid, flags);
            }
        }
        self.tidy(account);
    }

    fn seconds(&mut self) -> i64 {
        self.dice.between(0, SLOT.unsigned_abs().as_secs()).cast_signed()
    }

    /// A new message.
    fn letter(&mut self, account: &Account, nth: u32, slot: Option<u64>) -> Arc<Letter> {
        // A token is a name in the tables too: short, and the same whoever else is simulated.
        let when = slot.map_or_else(|| format!("m{}", self.at.as_millisecond()), |slot| slot.to_string());
        let token = format!("{}-{when}-{nth}", self.number);
        let place = format!("{}, message {token}", self.place);
        let faults = &self.world.faults;
        let mut message_id = Some(format!("<{token}@example.org>"));
        if faults.happens(FaultKind::MessageIdMissing, &place) {
            message_id = None;
        } else if faults.happens(FaultKind::MessageIdReused, &place) {
            let inbox = account.folders.get("INBOX");
            let other = inbox.and_then(|inbox| inbox.messages.get(&inbox.any(self.dice.number())?));
            message_id = other.and_then(|other| other.letter.message_id.clone()).or(message_id);
        }
        let trouble = if faults.happens(FaultKind::MessageUndeliverable, &place) {
            Some(Trouble::Undeliverable)
        } else if faults.happens(FaultKind::MessageBreaksConnection, &place) {
            Some(Trouble::BreaksConnection)
        } else {
            None
        };
        let sent = self.at - SignedDuration::from_secs(self.seconds());
        let bytes = compose(&token, message_id.as_deref(), sent, &mut self.dice);
        Arc::new(Letter { token, message_id, bytes, trouble })
    }

    /// A mail to both mailboxes of a tenant, which is one message.
    fn reaches_both(&mut self, account: &mut Account, slot: u64) {
        let tenant = self.number.tenant;
        let mut dice = self.world.chance.at(&format!("mail {tenant} slot {slot} to both"));
        if dice.per_mille(80) {
            let token = format!("{tenant}.both-{slot}");
            let message_id = Some(format!("<{token}@example.org>"));
            let bytes = compose(&token, message_id.as_deref(), self.at, &mut dice);
            self.deliver(account, "INBOX", &Arc::new(Letter { token, message_id, bytes, trouble: None }), self.at);
        }
    }

    fn deliver(&mut self, account: &mut Account, to: &str, letter: &Arc<Letter>, received: Timestamp) {
        let Some(folder) = open(account, to) else { return };
        let uid = folder.append(Arc::clone(letter), received, Flags::NONE);
        let trouble = letter.trouble.map(|trouble| format!(" ({trouble:?})")).unwrap_or_default();
        self.told.push(format!("{} arrives in {to} as {uid}{trouble}", letter.token));
        self.tokens.push(letter.token.clone());
    }

    fn moves(&mut self, account: &mut Account, from: &str, to: &str) {
        let number = self.dice.number();
        if from == to || open(account, to).is_none() {
            return;
        }
        let moved = open(account, from).and_then(|folder| folder.expunge(folder.any(number)?));
        if let (Some(message), Some(folder)) = (moved, open(account, to)) {
            let token = message.letter.token.clone();
            let uid = folder.append(message.letter, message.received, message.flags);
            self.told.push(format!("{token} is moved from {from} to {to} as {uid}"));
        }
    }

    /// Deletes something now and then, and what is old once a folder is full.
    fn tidy(&mut self, account: &mut Account) {
        let mut gone = BTreeSet::new();
        let (name, number) = (self.dice.one_of(&FOLDERS), self.dice.number());
        let any = open(account, name).and_then(|folder| folder.any(number));
        gone.extend(any.filter(|_| self.dice.per_mille(150)).map(|uid| (name.to_owned(), uid)));
        for (name, folder) in account.folders.iter().filter(|(_, folder)| !folder.is_hidden) {
            let over = folder.messages.len().saturating_sub(FULL);
            gone.extend(folder.messages.keys().take(over).map(|uid| (name.clone(), *uid)));
        }
        for (name, uid) in gone {
            if let Some(message) = open(account, &name).and_then(|folder| folder.expunge(uid)) {
                self.told.push(format!("{} is deleted from {name}", message.letter.token));
            }
        }
    }
}

fn open<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Folder> {
    account.folders.get_mut(name).filter(|folder| !folder.is_hidden)
}
