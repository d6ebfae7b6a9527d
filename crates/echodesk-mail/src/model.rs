//! The nouns of mail: mailboxes, folders, UIDs, flags, messages.

mod flags;
mod folder;
mod mailbox;
mod message;
mod uid;

pub use flags::Flags;
pub use folder::{FolderCursor, FolderListing, FolderName, FolderStatus, SpecialUse, Suspect};
pub use mailbox::{Endpoint, Mailbox, MailboxKey, Security};
pub use message::{Address, AttachmentRef, ColumnLimits, ContentDigest, Fate, MailMessage, MessageMeta, RawMessage};
pub use uid::{Uid, UidSet, UidSetError};
