//! What people read at the end of a run.

use echodesk_job::progress::shown_bytes;
use echodesk_job::table::Table;
use echodesk_mail::sync::{FolderOutcome, MailboxOutcome, MailboxReport, MessageCounts, SyncReport, TenantOutcome};

/// Up to here every mailbox has its line; beyond, only those with something to tell.
const ALL_SHOWN: usize = 20;

/// Messages that are listed per mailbox; the report file has them all.
const PROBLEMS_SHOWN: usize = 10;

/// The whole summary, ending with a line break.
pub(crate) fn render(report: &SyncReport) -> String {
    let mut text = String::new();
    let all = report.mailboxes.len() <= ALL_SHOWN;
    let shown: Vec<&MailboxReport> = report.mailboxes.iter().filter(|mailbox| all || is_telling(mailbox)).collect();
    if !shown.is_empty() {
        let table = if report.dry_run { folders_table(&shown) } else { mailboxes_table(&shown) };
        text.push_str(&table.to_string());
    }
    if shown.len() < report.mailboxes.len() {
        let rest = report.mailboxes.len() - shown.len();
        line(&mut text, format_args!("… and {} with nothing new", counted(rest, "mailbox", "mailboxes")));
    }
    for note in &report.tenants {
        let what = match note.outcome {
            TenantOutcome::Failed => "FAILED",
            TenantOutcome::Inactive => "inactive, nothing was done",
        };
        line(&mut text, format_args!("tenant {}: {what}: {}", note.tenant, note.message));
    }
    for mailbox in &report.mailboxes {
        troubles(&mut text, mailbox, report.dry_run);
    }
    totals(&mut text, report);
    text
}

/// The name of an outcome, as in the report.
pub(crate) fn outcome_name(outcome: MailboxOutcome) -> &'static str {
    match outcome {
        MailboxOutcome::Synced => "synced",
        MailboxOutcome::Partial => "partial",
        MailboxOutcome::Failed => "FAILED",
        MailboxOutcome::Skipped => "skipped",
    }
}

fn is_telling(mailbox: &MailboxReport) -> bool {
    mailbox.outcome != MailboxOutcome::Synced || mailbox.messages != MessageCounts::default() || mailbox.pending > 0
}

fn mailboxes_table(mailboxes: &[&MailboxReport]) -> Table {
    let names = ["MAILBOX", "ADDRESS", "OUTCOME", ">STORED", ">DUP", ">REDUCED", ">FAILED", ">PENDING", ">SECONDS"];
    let mut table = Table::new(&names);
    for mailbox in mailboxes {
        let MessageCounts { stored, duplicate, reduced, failed } = mailbox.messages;
        table.row([
            name(mailbox),
            mailbox.address.clone(),
            outcome_name(mailbox.outcome).to_owned(),
            stored.to_string(),
            duplicate.to_string(),
            reduced.to_string(),
            failed.to_string(),
            mailbox.pending.to_string(),
            format!("{:.1}", mailbox.seconds),
        ]);
    }
    table
}

/// A dry run tells folder by folder what a run would store.
fn folders_table(mailboxes: &[&MailboxReport]) -> Table {
    let names = ["MAILBOX", "ADDRESS", "FOLDER", ">WOULD STORE", ">DUP", ">REDUCED", ">FAILED", ">LATER"];
    let mut table = Table::new(&names);
    for mailbox in mailboxes {
        let row = |folder: String, counts: MessageCounts, pending: u64| {
            [
                name(mailbox),
                mailbox.address.clone(),
                folder,
                counts.stored.to_string(),
                counts.duplicate.to_string(),
                counts.reduced.to_string(),
                counts.failed.to_string(),
                pending.to_string(),
            ]
        };
        if mailbox.folders.is_empty() {
            table.row(row(format!("({})", outcome_name(mailbox.outcome)), mailbox.messages, mailbox.pending));
        }
        for folder in &mailbox.folders {
            table.row(row(folder.name.clone(), folder.messages, folder.pending));
        }
    }
    table
}

/// As `echodesk mailbox` takes it.
fn name(mailbox: &MailboxReport) -> String {
    format!("{}/{}", mailbox.tenant, mailbox.connection)
}

/// Why a mailbox, a folder or a message is not as it should be.
fn troubles(text: &mut String, mailbox: &MailboxReport, dry_run: bool) {
    let name = format!("{} {}", name(mailbox), mailbox.address);
    if let Some(error) = &mailbox.error {
        let off = match (mailbox.switched_off, dry_run) {
            (true, false) => " (switched off: `echodesk mailbox enable` when it is mended)",
            (true, true) => " (would be switched off)",
            (false, _) => "",
        };
        line(text, format_args!("{name}: {}: {error}{off}", outcome_name(mailbox.outcome)));
    }
    for folder in mailbox.folders.iter().filter(|folder| folder.outcome == FolderOutcome::Failed) {
        let error = folder.error.as_deref().unwrap_or("could not be read");
        line(text, format_args!("{name}: folder {:?}: {error}", folder.name));
    }
    for problem in mailbox.problems.iter().take(PROBLEMS_SHOWN) {
        let (folder, uid, fate, reason) = (&problem.folder, problem.uid, problem.fate, &problem.reason);
        line(text, format_args!("{name}: {folder:?} UID {uid} {fate}: {reason}"));
    }
    let counted_problems = mailbox.messages.reduced + mailbox.messages.failed;
    let more = counted_problems.saturating_sub(mailbox.problems.len().min(PROBLEMS_SHOWN));
    if more > 0 {
        let messages = counted(more, "more message", "more messages");
        line(text, format_args!("{name}: {messages} reduced or failed; --report FILE lists them"));
    }
}

fn totals(text: &mut String, report: &SyncReport) {
    let totals = &report.totals;
    let MessageCounts { stored, duplicate, reduced, failed } = totals.messages;
    let mode = match (report.dry_run, report.stopped) {
        (true, true) => "dry run, stopped by a signal: ",
        (true, false) => "dry run, nothing was written: ",
        (false, true) => "stopped by a signal: ",
        (false, false) => "",
    };
    line(
        text,
        format_args!(
            "{mode}{}: {} synced, {} partial, {} failed, {} skipped",
            counted(totals.mailboxes, "mailbox", "mailboxes"),
            totals.synced,
            totals.partial,
            totals.failed,
            totals.skipped,
        ),
    );
    let verb = if report.dry_run { "would be stored" } else { "stored" };
    line(
        text,
        format_args!(
            "messages: {stored} {verb}, {duplicate} duplicate, {reduced} reduced, {failed} failed; {} received in {:.1} s, {}",
            shown_bytes(totals.bytes),
            report.seconds,
            counted(usize::try_from(totals.round_trips).unwrap_or(usize::MAX), "round trip", "round trips"),
        ),
    );
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// One line, whatever the words of a server hold.
fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    let clean = what.to_string().replace(|c: char| c.is_control(), " ");
    text.push_str(&clean);
    text.push('\n');
}

#[cfg(test)]
pub(crate) mod tests;
