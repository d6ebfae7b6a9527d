//! Bugs of mailboxes.
