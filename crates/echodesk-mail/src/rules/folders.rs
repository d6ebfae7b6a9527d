//! Which folders are synced.

use crate::model::{FolderListing, SpecialUse};

/// Whether a folder is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Its mail is wanted.
    Sync,
    /// Drafts, sent, deleted and junk mail, and folders that only show other folders' mail again.
    LeaveOut,
    /// It cannot be opened: a mere node of the hierarchy.
    NotAFolder,
}

/// No person names a folder so; a database could not index the name.
const MAX_NAME: usize = 1000;

/// Names that EchoDesk leaves out, in lower case, compared with the whole name below the personal
/// prefix. The Russian and Georgian ones serve servers that mark no special use (RFC 6154).
const LEFT_OUT: [&str; 29] = [
    "drafts",
    "draft",
    "sent",
    "sent items",
    "sent messages",
    "sent mail",
    "sent-mail",
    "trash",
    "bin",
    "deleted",
    "deleted items",
    "deleted messages",
    "spam",
    "bulk mail",
    "junk",
    "junk e-mail",
    "junk email",
    "all mail",
    "starred",
    "important",
    "черновики",
    "отправленные",
    "корзина",
    "удаленные",
    "спам",
    "მონახაზები",
    "გაგზავნილი",
    "წაშლილი",
    "სპამი",
];

/// Chooses for one folder. `sync_folder` is the one that the mailbox names: it is synced whatever it
/// is called.
#[must_use]
pub fn choose(folder: &FolderListing, sync_folder: &str) -> Choice {
    if !folder.selectable {
        return Choice::NotAFolder;
    }
    if folder.name.name.len() > MAX_NAME {
        return Choice::LeaveOut;
    }
    if is_named(folder, sync_folder) {
        return Choice::Sync;
    }
    let left_out_use = folder.special_use.is_some_and(|special_use| match special_use {
        SpecialUse::All
        | SpecialUse::Drafts
        | SpecialUse::Junk
        | SpecialUse::Sent
        | SpecialUse::Trash
        | SpecialUse::Flagged => true,
    });
    if left_out_use || is_left_out_by_name(folder) { Choice::LeaveOut } else { Choice::Sync }
}

/// Whether this is the folder that a mailbox's `sync_folder` names. INBOX in any case.
#[must_use]
pub fn is_named(folder: &FolderListing, sync_folder: &str) -> bool {
    let inbox = folder.name.name == "INBOX" && sync_folder.eq_ignore_ascii_case("INBOX");
    inbox || (!sync_folder.is_empty() && folder.name.name == sync_folder)
}

fn is_left_out_by_name(folder: &FolderListing) -> bool {
    let name = folder.name.name.to_lowercase();
    let mut below = name.as_str();
    if let Some(separator) = folder.separator {
        for prefix in ["inbox", "[gmail]", "[google mail]"] {
            below = below.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(separator)).unwrap_or(below);
        }
        // What lies below such a folder belongs to it: Trash/2024.
        below = below.split(separator).next().unwrap_or(below);
    }
    LEFT_OUT.contains(&below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FolderName;

    fn folder(name: &str, separator: char) -> FolderListing {
        FolderListing {
            name: FolderName { name: name.to_owned(), wire: name.as_bytes().to_vec() },
            separator: Some(separator),
            selectable: true,
            special_use: None,
            status: None,
        }
    }

    #[test]
    fn names() {
        use Choice::{LeaveOut, Sync};
        for (name, separator, want) in [
            ("INBOX", '/', Sync),
            ("INBOX.Sent", '.', LeaveOut),
            ("INBOX/Clients", '/', Sync),
            ("Sent", '/', LeaveOut),
            ("SENT ITEMS", '/', LeaveOut),
            ("Sent to us", '/', Sync),
            ("Junk E-mail", '/', LeaveOut),
            ("[Gmail]/All Mail", '/', LeaveOut),
            ("[Google Mail]/Spam", '/', LeaveOut),
            ("[Gmail]/Work", '/', Sync),
            ("Trash/2024", '/', LeaveOut),
            ("Trash/2024", '.', Sync),
            ("Clients/Sent", '/', Sync),
            ("შეკვეთები", '/', Sync),
            ("სპამი", '/', LeaveOut),
            ("Отправленные", '/', LeaveOut),
        ] {
            assert_eq!(choose(&folder(name, separator), "INBOX"), want, "{name}");
        }
    }

    #[test]
    fn what_the_server_says_wins_over_the_name() {
        let mut sent = folder("Envoyés", '/');
        assert_eq!(choose(&sent, "INBOX"), Choice::Sync);
        sent.special_use = Some(SpecialUse::Sent);
        assert_eq!(choose(&sent, "INBOX"), Choice::LeaveOut);
    }

    #[test]
    fn the_folder_a_mailbox_names_is_synced_whatever_it_is_called() {
        let mut junk = folder("Junk", '/');
        junk.special_use = Some(SpecialUse::Junk);
        assert_eq!(choose(&junk, "Junk"), Choice::Sync);
        assert_eq!(choose(&folder("INBOX", '/'), "inbox"), Choice::Sync);
        junk.selectable = false;
        assert_eq!(choose(&junk, "Junk"), Choice::NotAFolder);
    }
}
