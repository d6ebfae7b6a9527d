//! Can every mailbox be read? Resolving, connecting, TLS, logging in and listing, as a run would.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use echodesk_core::Clock;
use echodesk_mail::credential::{self, CredentialKeys};
use echodesk_mail::imap::ImapSettings;
use echodesk_mail::model::{Mailbox, Security};
use echodesk_mail::ports::{MailServer, MailServerError, TenantMailboxes};

use super::far::STEP;
use super::finding::Finding;
use super::remedy;

/// How long a server may take: less than in a run, for which it is no loss to wait.
pub(super) fn limits() -> ImapSettings {
    ImapSettings { connect_timeout: STEP, io_timeout: STEP, ..ImapSettings::default() }
}

/// The time for one mailbox: longer than connecting and the wait for one answer, so that a server that
/// says nothing is told by what it did not answer and not as time that is used up.
fn time() -> Duration {
    let ImapSettings { connect_timeout, io_timeout, .. } = limits();
    connect_timeout + io_timeout * 2
}

/// What mailboxes are tried with.
#[derive(Clone, Copy)]
pub(super) struct Probe<'a> {
    pub(super) server: &'a dyn MailServer,
    pub(super) keys: &'a CredentialKeys,
    pub(super) clock: &'a dyn Clock,
}

/// Tries every mailbox of active tenants (or of any, where `inactive_too`), `at_once` at a time, in
/// the order of tenants and ids.
pub(super) fn check(
    probe: &Probe<'_>,
    tenants: Vec<TenantMailboxes>,
    inactive_too: bool,
    at_once: NonZeroUsize,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut to_try = Vec::new();
    for tenant in tenants.into_iter().filter(|tenant| tenant.tenant.is_active || inactive_too) {
        match tenant.mailboxes {
            Ok((_, mailboxes)) => to_try.extend(mailboxes),
            Err(problem) => {
                let schema = tenant.tenant.schema.as_str();
                findings.push(Finding::failed("tenant", schema, problem.to_string(), remedy::tenant(&problem)));
            }
        }
    }
    findings.extend(try_all(probe, &to_try, at_once));
    findings
}

fn try_all(probe: &Probe<'_>, mailboxes: &[Mailbox], at_once: NonZeroUsize) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(mailboxes.len()));
    std::thread::scope(|scope| {
        for _ in 0..at_once.get().min(mailboxes.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mailbox) = mailboxes.get(index) else { break };
                    let finding = try_one(probe, mailbox);
                    // A panic elsewhere leaves whole findings behind.
                    found.lock().unwrap_or_else(PoisonError::into_inner).push((index, finding));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, finding)| finding).collect()
}

fn try_one(probe: &Probe<'_>, mailbox: &Mailbox) -> Finding {
    let off = if mailbox.is_active { "" } else { " (switched off)" };
    let subject = format!("{} {}{off}", mailbox.key, mailbox.address);
    let finding = match credential::open(&mailbox.stored_password, probe.keys, &mailbox.key.schema) {
        Err(error) => Finding::failed("mailbox", subject, error.to_string(), remedy::credential(&error)),
        Ok(password) => match try_server(probe, mailbox, &password) {
            Ok(detail) => return Finding::ok("mailbox", subject, detail),
            Err(error) => {
                let advice = remedy::mail_server(&error, &mailbox.endpoint);
                Finding::failed("mailbox", subject, error.one_line(), advice)
            }
        },
    };
    // Nobody relies on a mailbox that is switched off.
    if mailbox.is_active { finding } else { finding.warning() }
}

fn try_server(
    probe: &Probe<'_>,
    mailbox: &Mailbox,
    password: &echodesk_core::Secret,
) -> Result<String, MailServerError> {
    let started = probe.clock.elapsed();
    let mut session = probe.server.open(&mailbox.endpoint, &mailbox.username, password, time())?;
    let folders = session.folders()?.len();
    session.logout();
    let took = probe.clock.elapsed().saturating_sub(started).as_secs_f64();
    let way = match mailbox.endpoint.security {
        Security::Tls => "over TLS",
        Security::StartTls => "over STARTTLS",
    };
    let noun = if folders == 1 { "folder" } else { "folders" };
    Ok(format!("logged in to {} {way}, {folders} {noun}, {took:.1} s", mailbox.endpoint))
}

#[cfg(test)]
mod tests;
