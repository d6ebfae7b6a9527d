//! What the database knows of a folder, asked for only if it is needed.

use crate::model::UidSet;
use crate::ports::Item;
use crate::rules::failure::SyncFailure;

use super::mailbox::MailboxRun;
use super::read::Halt;

/// The items of a folder, asked for at most once.
pub(super) struct Known<'a> {
    run: &'a MailboxRun<'a>,
    folder: &'a str,
    uid_validity: u32,
    items: Option<Vec<Item>>,
}

impl<'a> Known<'a> {
    pub(super) fn new(run: &'a MailboxRun<'a>, folder: &'a str, uid_validity: u32) -> Self {
        Self { run, folder, uid_validity, items: None }
    }

    pub(super) fn items(&mut self) -> Result<&[Item], Halt> {
        let items = match self.items.take() {
            Some(items) => items,
            None => self
                .run
                .world
                .store
                .items(&self.run.mailbox.key, self.folder, self.uid_validity)
                .map_err(|error| Halt::Failure(SyncFailure::Store(error)))?,
        };
        Ok(self.items.insert(items))
    }

    /// From here on nothing is known: all of it is being noted as gone.
    pub(super) fn forget(&mut self) {
        self.items = Some(Vec::new());
    }

    pub(super) fn uids(&mut self) -> Result<UidSet, Halt> {
        Ok(self.items()?.iter().map(|item| item.uid).collect())
    }
}
