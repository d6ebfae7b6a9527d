//! LIST, STATUS, SELECT and EXAMINE.

use std::io;

use super::super::store::Folder;
use super::{Argument, Command, Misbehaviour, Outcome, Session, answers, bad, no, ok, utf7};

impl Session<'_> {
    /// LIST, with RETURN (RFC 5258), STATUS (RFC 5819) and SPECIAL-USE (RFC 6154).
    pub(super) fn list(&mut self, command: &Command) -> io::Result<Outcome> {
        if self.wrong(Misbehaviour::StallAtList) {
            self.connection.stall()?;
        }
        self.connection.trickle = self.wrong(Misbehaviour::Trickle);
        if self.wrong(Misbehaviour::EndlessLine) {
            self.connection.send(b"* LIST () \"/\" \"")?;
            loop {
                self.connection.send(&[b'a'; 4096])?;
            }
        }
        let behaviour = &self.world.behaviour;
        let mut arguments = command.arguments.iter().peekable();
        let selection = arguments.next_if(|argument| argument.is_list());
        let only_special =
            selection.is_some_and(|options| options.items().iter().any(|option| option.keyword() == "SPECIAL-USE"));
        let (Some(_reference), Some(pattern)) = (arguments.next(), arguments.next()) else {
            return bad("LIST reference pattern");
        };
        let options = match (arguments.next().map(Argument::keyword).as_deref(), arguments.next()) {
            (None, None) => None,
            (Some("RETURN"), Some(options)) if behaviour.offers("LIST-EXTENDED") => Some(options),
            _ => return bad("unknown LIST options"),
        };
        let mut wanted_status: Option<&Argument> = None;
        let mut special_use = behaviour.offers("SPECIAL-USE");
        if let Some(options) = options {
            let mut items = options.items().iter();
            while let Some(item) = items.next() {
                match item.keyword().as_str() {
                    "STATUS" => wanted_status = items.next(),
                    "SPECIAL-USE" => special_use = true,
                    "CHILDREN" | "SUBSCRIBED" => {}
                    _ => return bad("unknown RETURN option"),
                }
            }
        }
        if wanted_status.is_some() && (!behaviour.offers("LIST-STATUS") || self.wrong(Misbehaviour::RefuseListStatus)) {
            return bad("Error in IMAP command LIST: Unknown RETURN option");
        }
        let mut lines = Vec::new();
        {
            let store = self.world.store.lock();
            let folders = store.accounts.get(self.user()?).map(|account| &account.folders);
            for (name, folder) in folders.into_iter().flatten() {
                if !answers::matches(pattern.text(), &utf7::encode(name)) {
                    continue;
                }
                let attributes = attributes(folder, special_use);
                if only_special && folder.special_use.is_none() {
                    continue;
                }
                let name = answers::name(name, behaviour.names);
                lines.push(format!("* LIST ({attributes}) \"/\" {name}"));
                if let Some(items) = wanted_status.filter(|_| folder.selectable) {
                    lines.push(format!("* STATUS {name} {}", answers::status(folder, items.items())));
                }
            }
        }
        for line in lines {
            self.connection.line(&line)?;
        }
        self.mutter()?;
        ok("listed")
    }

    pub(super) fn status(&mut self, command: &Command) -> io::Result<Outcome> {
        let [wire, items] = &command.arguments[..] else { return bad("STATUS name (items)") };
        let line = self.with_folder(wire.text(), |_, folder, style| {
            format!("* STATUS {} {}", answers::name(&style.0, style.1), answers::status(folder, items.items()))
        })?;
        let Some(line) = line else { return no("[NONEXISTENT] no such folder") };
        self.connection.line(&line)?;
        self.mutter()?;
        ok("done")
    }

    /// SELECT and EXAMINE, with (CONDSTORE).
    pub(super) fn open(&mut self, command: &Command) -> io::Result<Outcome> {
        let Some(wire) = command.arguments.first() else { return bad("EXAMINE name") };
        let parameters = command.arguments.get(1).map(Argument::items).unwrap_or_default();
        self.condstore |= parameters.iter().any(|parameter| parameter.keyword() == "CONDSTORE");
        self.selected = None;
        if self.wrong(Misbehaviour::RefuseFolder) && !wire.text().eq_ignore_ascii_case("INBOX") {
            return no("[SERVERBUG] internal error, see the log");
        }
        let change = if self.wrong(Misbehaviour::UidValidityChanges) { 1 } else { 0 };
        let condstore = self.world.behaviour.offers("CONDSTORE");
        let opened = self.with_folder(wire.text(), |name, folder, _| {
            let mut lines = vec![
                "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)".to_owned(),
                "* OK [PERMANENTFLAGS ()] read-only".to_owned(),
                format!("* {} EXISTS", folder.messages.len()),
                "* 0 RECENT".to_owned(),
                format!("* OK [UIDVALIDITY {}] valid", folder.uid_validity + change),
                format!("* OK [UIDNEXT {}] next", folder.uid_next),
            ];
            if condstore {
                lines.push(format!("* OK [HIGHESTMODSEQ {}] highest", folder.highest_mod_seq));
            }
            (name.to_owned(), lines)
        })?;
        let Some((name, lines)) = opened else { return no("[NONEXISTENT] no such folder") };
        self.mutter()?;
        for line in lines {
            self.connection.line(&line)?;
        }
        let read_write = command.name == "SELECT";
        self.selected = Some((name, read_write));
        ok(if read_write { "[READ-WRITE] opened" } else { "[READ-ONLY] opened" })
    }

    /// Looks at a folder by its wire name; `None` if there is none that can be opened.
    fn with_folder<T>(
        &self,
        wire: &str,
        look: impl FnOnce(&str, &Folder, (String, super::super::NameStyle)) -> T,
    ) -> io::Result<Option<T>> {
        let store = self.world.store.lock();
        let folders = store.accounts.get(self.user()?).map(|account| &account.folders);
        let inbox = wire.eq_ignore_ascii_case("INBOX");
        let found = folders
            .into_iter()
            .flatten()
            .find(|(name, folder)| folder.selectable && (utf7::encode(name) == wire || (inbox && *name == "INBOX")));
        Ok(found.map(|(name, folder)| look(name, folder, (name.clone(), self.world.behaviour.names))))
    }
}

fn attributes(folder: &Folder, special_use: bool) -> String {
    let mut attributes = vec![if folder.selectable { "\\HasNoChildren" } else { "\\Noselect" }];
    attributes.extend(folder.special_use.as_deref().filter(|_| special_use));
    attributes.join(" ")
}
