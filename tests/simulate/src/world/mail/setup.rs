//! How mailboxes begin.

use std::collections::BTreeMap;
use std::sync::Arc;

use echodesk_core::Secret;
use echodesk_mail::credential::{CredentialKeys, seal};
use echodesk_mail::model::{Endpoint, Flags, MailboxKey, Security, SpecialUse};
use echodesk_store::NewMailbox;
use jiff::{SignedDuration, Timestamp};

use super::account::{Account, Folder};
use super::letters::{Letter, compose};
use super::{Mailbox, MailboxNumber, address};
use crate::chance::Dice;
use crate::trace::TenantNumber;
use crate::world::World;

/// The key that passwords are sealed with.
const KEY: &str = "the key of a simulated installation";

/// What passwords are opened with.
pub(crate) fn keys() -> CredentialKeys {
    CredentialKeys { django: None, own: Some(Secret::new(KEY)) }
}

#[expect(clippy::expect_used, reason = "what is built here is known to be right, and nothing is simulated without it")]
impl World {
    /// Gives a tenant its mailboxes, if it is one that has some. The first always has.
    pub(in crate::world) fn found_mailboxes(&self, tenant: TenantNumber, now: Timestamp) {
        let mut dice = self.chance.at(&format!("mailboxes {tenant}"));
        let share = self.plan.mailboxes;
        if !dice.per_mille(share) && (tenant.0 != 1 || share == 0) {
            return;
        }
        for number in 1..=u32::try_from(dice.between(1, 3)).expect("one or two") {
            self.found_mailbox(MailboxNumber { tenant, number }, now);
        }
    }

    fn found_mailbox(&self, number: MailboxNumber, now: Timestamp) {
        let mut dice = self.chance.at(&format!("mailbox {number}"));
        let schema = self.accounts.read(number.tenant, |account| account.schema.clone());
        let days_back = dice.one_of(&[0, 7, 30]);
        let new = NewMailbox {
            address: address(number),
            display_name: "Support".to_owned(),
            // A server for each, so that one that is down leaves evidence that ours is not the fault.
            endpoint: Endpoint { host: format!("imap.{number}.example"), port: 993, security: Security::Tls },
            username: address(number),
            stored_password: seal(&Secret::new("password"), &Secret::new(KEY), &schema).expect("it is sealed"),
            sync_folder: "INBOX".to_owned(),
            days_back,
        };
        let connection = self.database.store.add_mailbox(&schema, &new, now).expect("a mailbox can be added");
        let (account, tokens) = account(number, now, &mut dice);
        self.trace.note(
            number.tenant,
            format_args!("mailbox {number} with {} messages, {days_back} days of which are wanted", tokens.len()),
        );
        self.mail.change_tenant(number.tenant, |tenant| tenant.tokens.extend(tokens));
        let mailbox = Mailbox {
            key: MailboxKey { schema, connection },
            days_back,
            account: Arc::new(account),
            password_is_wrong: false,
            off_since: None,
            failures: 0,
            off_notices: 0,
            holder: None,
            takeovers: 0,
            unread_in_quiet: 0,
            lived: 0,
        };
        self.mail.lock().mailboxes.insert(number, mailbox);
    }
}

/// A mailbox that has been in use for weeks, and the tokens of its messages.
fn account(number: MailboxNumber, now: Timestamp, dice: &mut Dice) -> (Account, Vec<String>) {
    let folder = |special_use| Folder::new(1, special_use);
    let mut folders: BTreeMap<String, Folder> =
        ["INBOX", "Work", "Archive", "შეკვეთები"].iter().map(|name| ((*name).to_owned(), folder(None))).collect();
    folders.insert("Junk".to_owned(), folder(Some(SpecialUse::Junk)));
    let mut tokens = Vec::new();
    let count = dice.between(5, 60);
    for nth in 0..count {
        let age = SignedDuration::from_secs((40 * 86_400 * (count - nth) / count).cast_signed());
        let (received, token) = (now - age, format!("{number}-old-{nth}"));
        let message_id = Some(format!("<{token}@example.org>"));
        let bytes = compose(&token, message_id.as_deref(), received, dice);
        let letter = Arc::new(Letter { token: token.clone(), message_id, bytes, trouble: None });
        let name = dice.one_of(&["INBOX", "INBOX", "Work", "Archive", "Junk"]);
        if let Some(folder) = folders.get_mut(name) {
            folder.append(letter, received, dice.one_of(&[Flags::NONE, Flags::SEEN]));
            tokens.push(token);
        }
    }
    (Account { folders, lists_status: dice.per_mille(700), keeps_mod_seq: dice.per_mille(600) }, tokens)
}
