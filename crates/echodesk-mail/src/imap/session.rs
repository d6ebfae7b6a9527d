//! A logged-in session: each request as commands, and what its answers mean.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::civil::Date;

use super::capabilities::Capabilities;
use super::command::{Command, for_uids, search_date};
use super::examine::{Numbers, opened};
use super::fetch::{read_fetch, take_fetch};
use super::folders::{Folders, key, read_status};
use super::reader::{Bodies, SEARCH_LINE_LIMIT};
use super::search::Search;
use super::wire::{Plan, Untagged, Wire, all_done};
use crate::model::{Flags, FolderListing, FolderName, FolderStatus, MessageMeta, RawMessage, Uid, UidSet};
use crate::ports::{MailServerError, MailSession, Opened, SessionCounters, Sink};

/// STATUS commands under way at a time.
const STATUS_WIDTH: usize = 100;

/// From this round-trip time on, four FETCH commands under way instead of two keep the line full.
const LONG_ROUND_TRIP: Duration = Duration::from_millis(20);

const GO_ON: super::wire::Handled = Ok(ControlFlow::Continue(()));

/// A session of [`super::ImapServer`].
pub(super) struct ImapSession {
    wire: Wire,
    round_trip: Duration,
    /// The server has LIST-STATUS among its capabilities and refuses it nevertheless.
    list_status_refused: bool,
}

impl ImapSession {
    pub(super) fn new(wire: Wire, round_trip: Duration) -> Self {
        Self { wire, round_trip, list_status_refused: false }
    }

    /// Asks what the server can do, unless it has said so.
    fn ensure_capabilities(&mut self) -> Result<(), MailServerError> {
        if self.wire.capabilities.is_none() {
            let commands = [Command::new("CAPABILITY", "CAPABILITY")];
            self.wire.run(&Plan::new("asking for capabilities"), &commands, &mut |_| GO_ON)?;
            self.wire.capabilities.get_or_insert_with(Capabilities::default);
        }
        Ok(())
    }

    fn status_items(&self) -> &'static str {
        if self.wire.capabilities.as_ref().is_some_and(Capabilities::has_condstore) {
            "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
        } else {
            "(MESSAGES UIDNEXT UIDVALIDITY)"
        }
    }

    /// Runs LIST, with whatever else is in `commands`; returns what was listed and how all ended.
    fn list(&mut self, commands: &[Command]) -> Result<(Vec<FolderListing>, Vec<Option<String>>), MailServerError> {
        let mut folders = Folders::default();
        let mut excess = None;
        let result = self.wire.run(&Plan::new("listing folders"), commands, &mut |untagged| {
            match untagged {
                Untagged::Data(data) if data.is("LIST") => folders.list(data)?,
                Untagged::Data(data) if data.is("STATUS") => folders.status(data)?,
                _ => {}
            }
            excess = folders.excess();
            if excess.is_some() { Ok(ControlFlow::Break(())) } else { GO_ON }
        })?;
        if let Some(excess) = excess {
            return Err(MailServerError::Protocol { problem: format!("it lists {excess}") });
        }
        Ok((folders.finish(), result))
    }

    /// Runs FETCH commands without bodies, and hands what each answer says of a message of `uids` to
    /// `each`. A server may speak of other messages in between, and always speaks of the last one
    /// where a range ends in `*`.
    fn fetch(
        &mut self,
        doing: &'static str,
        uids: &UidSet,
        commands: &[Command],
        each: &mut dyn FnMut(Uid, super::fetch::Fetched),
    ) -> Result<(), MailServerError> {
        let endings = self.wire.run(&Plan::new(doing), commands, &mut |untagged| {
            if let Untagged::Data(data) = untagged
                && data.is("FETCH")
            {
                let fetched = read_fetch(data)?;
                if let Some(uid) = fetched.uid.filter(|uid| uids.contains(*uid)) {
                    each(uid, fetched);
                }
            }
            GO_ON
        })?;
        all_done("UID FETCH", endings)
    }
}

impl MailSession for ImapSession {
    fn folders(&mut self) -> Result<Vec<FolderListing>, MailServerError> {
        if self.wire.has("LIST-STATUS") && !self.list_status_refused {
            let special_use = if self.wire.has("SPECIAL-USE") { "SPECIAL-USE " } else { "" };
            let items = self.status_items();
            let command = Command::new("LIST", format!("LIST \"\" \"*\" RETURN ({special_use}STATUS {items})"));
            let (folders, endings) = self.list(&[command])?;
            if all_done("LIST", endings).is_ok() {
                return Ok(folders);
            }
            self.list_status_refused = true;
        }
        let mut commands = vec![Command::new("LIST", "LIST \"\" \"*\"")];
        if self.wire.capabilities.is_none() {
            commands.push(Command::new("CAPABILITY", "CAPABILITY"));
        }
        let (folders, mut endings) = self.list(&commands)?;
        self.wire.capabilities.get_or_insert_with(Capabilities::default);
        endings.truncate(1);
        all_done("LIST", endings)?;
        Ok(folders)
    }

    fn status(&mut self, folders: &[&FolderName]) -> Result<Vec<Option<FolderStatus>>, MailServerError> {
        self.ensure_capabilities()?;
        let items = self.status_items();
        let commands: Vec<Command> = folders
            .iter()
            .map(|folder| {
                let command = Command::new("STATUS", "STATUS ");
                command.mailbox(&folder.wire, self.wire.capabilities.as_ref()).text(" ").text(items)
            })
            .collect();
        let mut wanted: HashMap<Vec<u8>, Option<FolderStatus>> =
            folders.iter().map(|folder| (key(&folder.wire), None)).collect();
        let plan = Plan { width: STATUS_WIDTH, ..Plan::new("asking for the numbers of folders") };
        // A refusal is a folder without numbers.
        self.wire.run(&plan, &commands, &mut |untagged| {
            if let Untagged::Data(data) = untagged
                && data.is("STATUS")
            {
                let (key, status) = read_status(data)?;
                if let Some(place) = wanted.get_mut(&key) {
                    *place = status;
                }
            }
            GO_ON
        })?;
        Ok(folders.iter().map(|folder| wanted.get(&key(&folder.wire)).copied().flatten()).collect())
    }

    fn examine(&mut self, folder: &FolderName) -> Result<Opened, MailServerError> {
        self.ensure_capabilities()?;
        let condstore = self.wire.capabilities.as_ref().is_some_and(Capabilities::has_condstore);
        let command = Command::new("EXAMINE", "EXAMINE ")
            .mailbox(&folder.wire, self.wire.capabilities.as_ref())
            .text(if condstore { " (CONDSTORE)" } else { "" });
        let mut numbers = Numbers::default();
        let endings = self.wire.run(&Plan::new("opening a folder"), &[command], &mut |untagged| {
            numbers.take(&untagged);
            GO_ON
        })?;
        all_done("EXAMINE", endings)?;
        if numbers.needs_last_uid() {
            let commands = [Command::new("UID FETCH", "UID FETCH * (UID)")];
            let everything = UidSet::range(1, u32::MAX);
            self.fetch("opening a folder", &everything, &commands, &mut |uid, _| numbers.last_uid(uid))?;
        }
        opened(&numbers)
    }

    fn search(&mut self, uids: &UidSet, since: Option<Date>) -> Result<UidSet, MailServerError> {
        self.ensure_capabilities()?;
        let before = if self.wire.has("ESEARCH") { "UID SEARCH RETURN (ALL) UID " } else { "UID SEARCH UID " };
        let after = since.map_or_else(String::new, |day| format!(" SINCE {}", search_date(day)));
        let commands = for_uids("UID SEARCH", before, uids, &after);
        let plan = Plan { line_limit: SEARCH_LINE_LIMIT, ..Plan::new("searching a folder") };
        let refused = |answer: &str| MailServerError::Refused { command: "SEARCH", answer: answer.to_owned() };
        let mut all = UidSet::new();
        // One by one: SEARCH answers name no command, and each command must have got its own. Only a
        // set of thousands of ranges takes more than one.
        for command in &commands {
            let mut search = Search::new(uids, self.wire.next_tag());
            let endings = self.wire.run(&plan, std::slice::from_ref(command), &mut |untagged| {
                search.take(untagged)?;
                GO_ON
            })?;
            all_done("SEARCH", endings)?;
            all = all.union(&search.finish().map_err(refused)?);
        }
        Ok(all)
    }

    fn metas(&mut self, uids: &UidSet) -> Result<Vec<MessageMeta>, MailServerError> {
        let commands = for_uids("UID FETCH", "UID FETCH ", uids, " (UID RFC822.SIZE INTERNALDATE FLAGS)");
        let mut metas: BTreeMap<Uid, MessageMeta> = BTreeMap::new();
        self.fetch("reading sizes and dates", uids, &commands, &mut |uid, fetched| {
            // An answer without a size is still a message: it must not be lost for that.
            let nothing = MessageMeta { uid, size: 0, internal_date: None, flags: Flags::NONE };
            let meta = metas.entry(uid).or_insert(nothing);
            meta.size = fetched.size.unwrap_or(meta.size);
            meta.internal_date = fetched.internal_date.or(meta.internal_date);
            meta.flags = fetched.flags.unwrap_or(meta.flags);
        })?;
        Ok(metas.into_values().collect())
    }

    fn bodies(&mut self, batches: &[Vec<MessageMeta>], limit: u64, sink: &mut Sink<'_>) -> Result<(), MailServerError> {
        let commands: Vec<Command> = batches
            .iter()
            .flat_map(|batch| {
                let uids = batch.iter().map(|meta| meta.uid).collect();
                for_uids("UID FETCH", "UID FETCH ", &uids, " (UID FLAGS INTERNALDATE BODY.PEEK[])")
            })
            .collect();
        // By UID over all batches: a server may answer the commands that are under way by turns
        // (Dovecot does), so messages of one batch come among those of another.
        let mut owed: HashMap<Uid, &MessageMeta> = batches.iter().flatten().map(|meta| (meta.uid, meta)).collect();
        let width = if self.round_trip > LONG_ROUND_TRIP { 4 } else { 2 };
        let plan = Plan { width, bodies: Bodies::Whole(limit), ..Plan::new("reading messages") };
        let endings = self.wire.run_taking(&plan, &commands, &mut |response| {
            let Some((fetched, Some(body))) = take_fetch(response)? else { return GO_ON };
            let Some(meta) = fetched.uid.and_then(|uid| owed.remove(&uid)) else { return GO_ON };
            let truncated = body.size > limit || (body.bytes.len() as u64) < body.size;
            Ok(sink(RawMessage {
                meta: MessageMeta {
                    flags: fetched.flags.unwrap_or(meta.flags),
                    internal_date: meta.internal_date.or(fetched.internal_date),
                    ..meta.clone()
                },
                bytes: if truncated { Vec::new() } else { body.bytes },
                truncated,
            }))
        })?;
        all_done("UID FETCH", endings)
    }

    fn head(&mut self, meta: &MessageMeta, bytes: u64) -> Result<Option<RawMessage>, MailServerError> {
        // The grammar has 32-bit numbers here, and no zero.
        let bytes = bytes.clamp(1, u64::from(u32::MAX));
        let text = format!("UID FETCH {} (UID FLAGS INTERNALDATE BODY.PEEK[]<0.{bytes}>)", meta.uid);
        let plan = Plan { bodies: Bodies::First(bytes), ..Plan::new("reading the head of a message") };
        let mut head = None;
        let endings = self.wire.run_taking(&plan, &[Command::new("UID FETCH", text)], &mut |response| {
            if let Some((fetched, Some(mut body))) = take_fetch(response)?
                && fetched.uid == Some(meta.uid)
            {
                body.bytes.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
                head = Some(RawMessage {
                    meta: MessageMeta { flags: fetched.flags.unwrap_or(meta.flags), ..meta.clone() },
                    truncated: body.bytes.len() as u64 >= bytes,
                    bytes: body.bytes,
                });
            }
            GO_ON
        })?;
        all_done("UID FETCH", endings)?;
        Ok(head)
    }

    fn flags(&mut self, uids: &UidSet, mod_seq: Option<u64>) -> Result<Vec<(Uid, Flags)>, MailServerError> {
        let after = match mod_seq {
            Some(mod_seq) => format!(" (UID FLAGS) (CHANGEDSINCE {})", mod_seq.max(1)),
            None => " (UID FLAGS)".to_owned(),
        };
        let commands = for_uids("UID FETCH", "UID FETCH ", uids, &after);
        let mut all = BTreeMap::new();
        self.fetch("reading flags", uids, &commands, &mut |uid, fetched| {
            if let Some(flags) = fetched.flags {
                all.insert(uid, flags);
            }
        })?;
        Ok(all.into_iter().collect())
    }

    fn logout(self: Box<Self>) {
        self.wire.say_goodbye();
    }

    fn counters(&self) -> SessionCounters {
        self.wire.counters()
    }
}
