//! Bugs of delivery.

use std::sync::Arc;

use echodesk_core::notice::NoticeKind;
use echodesk_core::{NoticeId, RunId, StoreError, TenantId};
use echodesk_notify::Mail;
use echodesk_notify::ports::{
    Claim, Fate, Outbox, Page, Queued, SendError, Session, Transport, TransportDown, Waiting,
};
use jiff::Timestamp;

use crate::bugs::Bug;
use crate::ports::outbox::OutboxPort;
use crate::ports::transport::{MailPort, MailSession};
use crate::process::Process;

/// The outbox as a process sees it.
pub(crate) fn outbox(process: &Arc<Process>) -> Arc<dyn Outbox> {
    let port = OutboxPort::new(process);
    match process.world.plan.bug {
        Some(
            bug @ (Bug::NoticeMarkedBeforeSent
            | Bug::NoticeNotLookedAtAgain
            | Bug::NoticeDropped
            | Bug::NoticeClaimWithoutExpiry),
        ) => Arc::new(Layer { bug, port }),
        _ => port,
    }
}

/// The mail server as a process sees it.
pub(crate) fn transport(process: &Arc<Process>) -> Arc<Way> {
    Arc::new(Way { port: MailPort::new(process), process: Arc::clone(process) })
}

struct Layer {
    bug: Bug,
    port: Arc<OutboxPort>,
}

impl Outbox for Layer {
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError> {
        let until = if self.bug == Bug::NoticeClaimWithoutExpiry { Timestamp::MAX } else { claim.until };
        let mut page = self.port.claim(&Claim { until, ..*claim }, tenant, limit)?;
        match self.bug {
            Bug::NoticeMarkedBeforeSent => {
                let sent = |queued: &Queued| (queued.id, Fate::Sent { to: queued.tenant.admin_email.clone() });
                let fates: Vec<_> = page.notices.iter().map(sent).collect();
                if !fates.is_empty() {
                    self.port.record(claim.run, &fates, claim.now)?;
                }
            }
            Bug::NoticeNotLookedAtAgain => page.notices.iter_mut().for_each(as_it_was),
            _ => {}
        }
        Ok(page)
    }

    fn look_again(&self, run: RunId, notice: NoticeId, now: Timestamp) -> Result<Option<Queued>, StoreError> {
        let mut found = self.port.look_again(run, notice, now)?;
        if self.bug == Bug::NoticeNotLookedAtAgain {
            found.iter_mut().for_each(as_it_was);
        }
        Ok(found)
    }

    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], now: Timestamp) -> Result<(), StoreError> {
        let fate = |fate: &Fate| match (self.bug, fate) {
            (Bug::NoticeDropped, Fate::TryAgain { why, .. }) => Fate::Withdrawn { why: why.clone() },
            (_, fate) => fate.clone(),
        };
        let fates: Vec<_> = fates.iter().map(|(id, what)| (*id, fate(what))).collect();
        self.port.record(run, &fates, now)
    }

    fn release(&self, run: RunId) -> Result<(), StoreError> {
        self.port.release(run)
    }

    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError> {
        self.port.waiting(tenant)
    }
}

/// Things stand as they did when it was decided.
fn as_it_was(queued: &mut Queued) {
    let Ok(kind) = &queued.kind else { return };
    queued.tenant.is_active = !matches!(kind, NoticeKind::Suspended { .. });
    let Some(subscription) = &mut queued.situation.subscription else { return };
    subscription.active = queued.tenant.is_active;
    (subscription.charge_open, subscription.refused_since) = (false, false);
    match kind {
        NoticeKind::Reminder { expires_at: then, .. }
        | NoticeKind::UrgentReminder { expires_at: then, .. }
        | NoticeKind::GraceWarning { expired_at: then, .. }
        | NoticeKind::PaymentFailed { renewal: then, .. }
        | NoticeKind::PriceChanged { renewal: then, .. } => subscription.expires_at = Some(*then),
        _ => {}
    }
}

/// The way to the mail server.
#[derive(Debug)]
pub(crate) struct Way {
    port: MailPort,
    process: Arc<Process>,
}

/// A connection to it.
#[derive(Debug)]
pub(crate) struct Line {
    session: MailSession,
    /// What each Message-ID of this run gets, if there is a bug that gives it something.
    suffix: Option<String>,
}

impl Transport for Way {
    type Session = Line;

    async fn connect(&self) -> Result<Line, TransportDown> {
        let is_fresh = self.process.world.plan.bug == Some(Bug::FreshMessageId);
        let suffix = is_fresh.then(|| self.process.run.to_string());
        Ok(Line { session: self.port.connect().await?, suffix })
    }
}

impl Session for Line {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        let Some(suffix) = &self.suffix else { return self.session.send(mail).await };
        let message_id = mail.message_id.replace('@', &format!(".{suffix}@"));
        let text = String::from_utf8_lossy(&mail.bytes).replace(&mail.message_id, &message_id);
        self.session.send(&Mail { message_id, bytes: text.into_bytes(), ..mail.clone() }).await
    }

    async fn quit(self) {
        self.session.quit().await;
    }
}
