//! What is left when the play is over: a mail, the bank's ledger, the mailbox, and what to type next.

use std::path::Path;

use echodesk_tests::demo_mailbox::ADDRESS;
use echodesk_tests::processes::program_path;

use crate::proof::{kind, payer};
use crate::records;
use crate::screen::{Screen, say};
use crate::stage::Stage;
use crate::tenants;

/// Letters that are shown, the newest first.
const SHOWN: usize = 3;

/// One mail in full.
pub(crate) fn mail(stage: &Stage, screen: &Screen) -> Result<(), String> {
    let mails = stage.mails.mails();
    let admin = tenants::COLA.admin();
    let mail = mails.iter().find(|mail| mail.to == [admin.as_str()] && kind(mail) == "grace_warning");
    let mail = mail.ok_or("cola was never warned")?;
    screen.title("One of the mails")?;
    for header in ["From", "To", "Subject"] {
        say!("  {header}: {}", mail.header(header).unwrap_or_default())?;
    }
    say!("")?;
    for line in mail.text().trim_end().lines() {
        let line = if line.is_empty() { String::new() } else { format!("  {}", screen.mail(line)) };
        say!("{line}")?;
    }
    say!("")
}

/// What the bank has taken, in its own words.
pub(crate) fn ledger(stage: &Stage, screen: &Screen) -> Result<(), String> {
    screen.title("The bank's ledger: what it has captured")?;
    let captures = stage.bank.captures();
    for tenant in tenants::ALL {
        for capture in captures.iter().filter(|capture| payer(capture) == tenant.schema) {
            let how = if capture.parent_order_id.is_some() { "saved card" } else { "by hand" };
            let order = capture.external_id.as_deref().unwrap_or("-");
            say!("  {}  {:.2} {}  {order:<16}  {how}", tenant.schema, capture.amount, capture.currency)?;
        }
    }
    say!("")
}

/// What was synced.
pub(crate) fn mailbox(stage: &Stage, screen: &Screen) -> Result<(), String> {
    let rows = records::texts(
        stage,
        tenants::ACME.schema,
        "SELECT from_email || '|' || subject || '|' || folder AS value FROM social_integrations_emailmessage \
         ORDER BY timestamp DESC",
    )?;
    screen.title(&format!("The mailbox {ADDRESS}: {} rows in social_integrations_emailmessage", rows.len()))?;
    for row in rows.iter().take(SHOWN) {
        let mut parts = row.split('|');
        let mut part = || parts.next().unwrap_or_default();
        say!("  {:<20} {:<22} {}", part(), part(), part())?;
    }
    say!("  … and {} more", rows.len().saturating_sub(SHOWN))
}

/// What to type next.
pub(crate) fn next(screen: &Screen, kept: Option<&Path>) -> Result<(), String> {
    say!("")?;
    screen.title("Next")?;
    if let Some(kept) = kept {
        let programs = program_path("echodesk");
        let folder = programs.parent().unwrap_or(Path::new("."));
        say!("  PATH={}:$PATH", folder.display())?;
        say!("  cd {}   # all of this is still there", kept.display())?;
        say!("  echodesk explain cola           # the whole story of one customer")?;
        say!("  echodesk forecast --days 30     # what the next thirty days of cron would do")?;
        say!("  echodesk runs list              # which runs there were, and how they ended")?;
        say!("  echodesk check --offline        # what a run would trip over; the play's servers are gone")?;
    }
    say!("README.md: \"Try it on your own mailbox\".  docs/timeline.md: this story as a table.")
}
