//! How far the reading of one mailbox has come.

use crate::rules::failure::SyncFailure;

use super::report::{FolderOutcome, FolderReport, MailboxReport};
use super::writer::Written;

/// What one mailbox's reading has come to so far; whatever ends it, this is reported.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) folders: Vec<FolderReport>,
    pub(super) left_out: Vec<String>,
    /// Why there may be folders that are not in `folders`.
    pub(super) incomplete: Option<String>,
    pub(super) written: Written,
}

impl Progress {
    /// Moves what is known into the mailbox's report.
    pub(super) fn fill(&mut self, report: &mut MailboxReport) {
        for (index, folder) in self.folders.iter_mut().enumerate() {
            if let Some(written) = self.written.folders.get(index) {
                folder.messages = written.messages;
                folder.pending = written.cursor.as_ref().map_or(folder.pending, |cursor| cursor.pending.len());
            }
            // What was read and could not be stored any more is not read.
            if folder.outcome == FolderOutcome::Read && folder.pending > 0 {
                folder.outcome = FolderOutcome::Partial;
            }
            report.messages.add(folder.messages);
            report.pending += folder.pending;
        }
        report.folders.clone_from(&self.folders);
        report.folders_left_out.clone_from(&self.left_out);
        report.problems = std::mem::take(&mut self.written.problems);
        report.flags_changed = self.written.flags_changed;
        report.gone = self.written.gone;
    }

    /// Whether the reading got so far that the next run can go on where it ended.
    pub(super) fn wrote_a_cursor(&self) -> bool {
        self.written.folders.iter().any(|folder| folder.cursor.is_some())
    }

    /// # Errors
    /// Some folders could not be read: which, and why.
    pub(super) fn folder_errors(&self) -> Result<(), SyncFailure> {
        let errors: Vec<String> = self
            .folders
            .iter()
            .filter_map(|folder| folder.error.as_ref().map(|error| format!("folder {}: {error}", folder.name)))
            .chain(self.incomplete.clone())
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(SyncFailure::Folders(errors.join("; "))) }
    }
}
