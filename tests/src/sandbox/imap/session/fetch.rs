//! FETCH and SEARCH.

use std::io;

use super::super::store::{Folder, Message};
use super::{Argument, Command, Misbehaviour, Outcome, Session, answers, bad, no, ok};

impl Session<'_> {
    /// FETCH and UID FETCH, with CHANGEDSINCE (RFC 7162).
    pub(super) fn fetch(&mut self, command: &Command, by_uid: bool) -> io::Result<Outcome> {
        let [set, items, modifiers @ ..] = &command.arguments[..] else { return bad("FETCH set items") };
        let mut items = items.items().to_vec();
        let bodies = items.iter().any(|item| item.keyword().starts_with("BODY"));
        let mut changed_since = None;
        if let Some(modifiers) = modifiers.first() {
            let [name, value, ..] = modifiers.items() else { return bad("unknown FETCH modifier") };
            let known = name.keyword() == "CHANGEDSINCE" && self.world.behaviour.offers("CONDSTORE");
            let (true, Ok(value)) = (known, value.text().parse::<u64>()) else { return bad("unknown FETCH modifier") };
            changed_since = Some(value);
            self.condstore = true;
            add(&mut items, "MODSEQ");
        }
        if by_uid {
            add(&mut items, "UID");
        }
        if !answers::is_set(set.text()) {
            return bad("not a set");
        }
        if bodies && self.wrong(Misbehaviour::RefuseFetch) {
            return no("[SERVERBUG] internal error, see the log");
        }
        let Some((name, read_write)) = self.selected.clone() else { return bad("open a folder first") };
        let marks_seen = read_write && items.iter().any(|item| item.keyword().starts_with("BODY["));
        let mut found = self.messages(&name, |folder, sequence, message| {
            let last = folder.messages.last().map_or(0, |message| message.uid);
            let count = u32::try_from(folder.messages.len()).unwrap_or(u32::MAX);
            let number = u32::try_from(sequence).unwrap_or(u32::MAX);
            let wanted = if by_uid {
                answers::in_set(set.text(), message.uid, last)
            } else {
                answers::in_set(set.text(), number, count)
            };
            wanted && changed_since.is_none_or(|mod_seq| message.mod_seq > mod_seq)
        })?;
        if marks_seen {
            self.mark_seen(&name, &found)?;
        }
        self.disturb(&mut found);
        if bodies && self.wrong(Misbehaviour::Flood) {
            loop {
                self.connection.line("* OK still here")?;
            }
        }
        for (number, (sequence, message)) in found.iter().enumerate() {
            let size = self.claimed_size(message);
            let nil = self.wrong(Misbehaviour::NilBodies);
            let Some(answer) = answers::fetch(*sequence, message, &items, size, nil) else {
                return bad("unknown FETCH item");
            };
            if bodies && let Some(outcome) = self.break_off(number, &answer, message)? {
                return Ok(outcome);
            }
            self.connection.send(&answer)?;
            if number == 0 {
                self.mutter()?;
            }
        }
        ok("fetched")
    }

    /// SEARCH and UID SEARCH, with RETURN (RFC 4731).
    pub(super) fn search(&mut self, command: &Command) -> io::Result<Outcome> {
        let mut keys = &command.arguments[..];
        let mut extended: Option<Vec<String>> = None;
        if let [first, options, rest @ ..] = keys
            && first.keyword() == "RETURN"
        {
            if !self.world.behaviour.offers("ESEARCH") {
                return bad("unknown key RETURN");
            }
            extended = Some(options.items().iter().map(Argument::keyword).collect());
            keys = rest;
        }
        let Some((name, _)) = self.selected.clone() else { return bad("open a folder first") };
        let found = {
            let store = self.world.store.lock();
            let account = store.accounts.get(self.user()?);
            account.and_then(|account| answers::search(account.folders.get(&name)?, keys))
        };
        let Some(uids) = found else { return bad("unknown key") };
        let line = match extended {
            None => {
                let uids: Vec<String> = uids.iter().map(u32::to_string).collect();
                format!("* SEARCH {}", uids.join(" ")).trim_end().to_owned()
            }
            Some(options) => {
                let mut line = format!("* ESEARCH (TAG \"{}\") UID", command.tag);
                for option in options {
                    match (option.as_str(), &uids[..]) {
                        ("COUNT", uids) => line.push_str(&format!(" COUNT {}", uids.len())),
                        ("MIN", [first, ..]) => line.push_str(&format!(" MIN {first}")),
                        ("MAX", [.., last]) => line.push_str(&format!(" MAX {last}")),
                        ("ALL", [_, ..]) => line.push_str(&format!(" ALL {}", answers::set(&uids))),
                        _ => {}
                    }
                }
                line
            }
        };
        self.connection.line(&line)?;
        self.mutter()?;
        ok("searched")
    }

    /// The messages of a folder that `wanted` takes, with their sequence numbers. Bodies are shared,
    /// not copied.
    fn messages(
        &self,
        name: &str,
        wanted: impl Fn(&Folder, usize, &Message) -> bool,
    ) -> io::Result<Vec<(usize, Message)>> {
        let store = self.world.store.lock();
        let folder = store.accounts.get(self.user()?).and_then(|account| account.folders.get(name));
        let all = folder.into_iter().flat_map(|folder| (1..).zip(&folder.messages).map(move |pair| (folder, pair)));
        Ok(all
            .filter(|(folder, (sequence, message))| wanted(folder, *sequence, message))
            .map(|(_, (sequence, message))| (sequence, message.clone()))
            .collect())
    }

    /// What BODY[] without PEEK does in a folder that was opened with SELECT.
    fn mark_seen(&self, name: &str, found: &[(usize, Message)]) -> io::Result<()> {
        let mut store = self.world.store.lock();
        let folder = store.accounts.get_mut(self.user()?).and_then(|account| account.folders.get_mut(name));
        for message in folder.into_iter().flat_map(|folder| &mut folder.messages) {
            if found.iter().any(|(_, fetched)| fetched.uid == message.uid) {
                message.flags.insert("\\Seen".to_owned());
            }
        }
        Ok(())
    }

    fn disturb(&self, found: &mut Vec<(usize, Message)>) {
        if self.wrong(Misbehaviour::WrongOrder) {
            found.reverse();
        }
        if self.wrong(Misbehaviour::FewerMessages) {
            found.retain(|(sequence, _)| sequence % 2 == 1);
        }
        if self.wrong(Misbehaviour::DuplicateFetches) {
            *found = found.iter().flat_map(|one| [one.clone(), one.clone()]).collect();
        }
    }

    fn claimed_size(&self, message: &Message) -> usize {
        let size = message.bytes.len();
        match () {
            () if self.wrong(Misbehaviour::SizeTooSmall) => size / 10,
            () if self.wrong(Misbehaviour::SizeTooLarge) => size * 10,
            () => size,
        }
    }

    /// Does what breaks a FETCH in the middle, if that was asked for. `number` counts its answers.
    fn break_off(&mut self, number: usize, answer: &[u8], message: &Message) -> io::Result<Option<Outcome>> {
        let half = answer.len().saturating_sub(message.bytes.len() / 2 + 3);
        if number == 2 && self.wrong(Misbehaviour::CloseMidLiteral) {
            self.connection.send(&answer[..half])?;
            return Ok(Some(Outcome::Close));
        }
        if number == 1 && self.wrong(Misbehaviour::StallAtFetch) {
            self.connection.send(&answer[..half])?;
            self.connection.stall()?;
        }
        if number == 2 && self.wrong(Misbehaviour::ByeMidFetch) {
            self.connection.line("* BYE shutting down")?;
            return Ok(Some(Outcome::Close));
        }
        if number == 1 && self.wrong(Misbehaviour::HugeLiteral) {
            self.connection.line(&format!("* 1 FETCH (UID {} BODY[] {{4294967295}}", message.uid))?;
            loop {
                self.connection.send(&[b'x'; 4096])?;
            }
        }
        Ok(None)
    }
}

fn add(items: &mut Vec<Argument>, item: &str) {
    if !items.iter().any(|present| present.keyword() == item) {
        items.insert(0, Argument::Text(item.to_owned()));
    }
}
