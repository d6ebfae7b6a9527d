//! The mail server, and the way to it.

use std::sync::Arc;
use std::time::Duration;

use echodesk_notify::Mail;
use echodesk_notify::ports::{SendError, Session, Transport, TransportDown};

use crate::fault::FaultKind;
use crate::process::Process;
use crate::trace::TenantNumber;

/// How servers say that they will not take a mail: it is about the recipient, the message, or us.
const REFUSALS: [&str; 4] =
    ["550 5.1.1 no such user", "552 5.3.4 message too big", "554 rejected", "554 5.7.1 rejected"];

/// The world's mail server, as one process reaches it.
#[derive(Clone, Debug)]
pub struct MailPort {
    process: Arc<Process>,
}

/// A connection to it.
#[derive(Debug)]
pub struct MailSession {
    port: MailPort,
}

impl MailPort {
    /// That of a process.
    #[must_use]
    pub fn new(process: &Arc<Process>) -> Self {
        Self { process: Arc::clone(process) }
    }

    fn happens(&self, kind: FaultKind, place: &str, tenant: Option<TenantNumber>) -> bool {
        let happens = self.process.world.faults.happens(kind, place);
        if happens {
            self.process.world.trace.note(tenant, format_args!("{kind} at {place}"));
        }
        happens
    }

    async fn travel(&self, place: &str) {
        let millis = self.process.world.chance.at(&format!("way {place}")).between(5, 400);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    async fn dies(&self, kind: FaultKind, place: &str, tenant: Option<TenantNumber>) {
        if self.process.world.faults.happens(kind, place) {
            self.process.die(&format!("{kind} {place}"), tenant);
            std::future::pending::<()>().await;
        }
    }

    /// A process that is dead waits for nothing any more.
    async fn unless_dead(&self) {
        if self.process.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}

impl Transport for MailPort {
    type Session = MailSession;

    async fn connect(&self) -> Result<MailSession, TransportDown> {
        self.unless_dead().await;
        let place = self.process.place("connect", None);
        self.dies(FaultKind::DeathBeforeCall, &place, None).await;
        self.travel(&place).await;
        if self.happens(FaultKind::SmtpDown, &place, None) {
            return Err(TransportDown("connection refused".to_owned()));
        }
        self.dies(FaultKind::DeathAfterCall, &place, None).await;
        Ok(MailSession { port: self.clone() })
    }
}

impl Session for MailSession {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        let (port, process) = (&self.port, &self.port.process);
        port.unless_dead().await;
        let tenant = process.world.recipient(&mail.to);
        let place = process.place("mail", tenant);
        port.dies(FaultKind::DeathBeforeCall, &place, tenant).await;
        port.travel(&place).await;
        if port.happens(FaultKind::SmtpBroken, &place, tenant) {
            return Err(SendError::Broken("connection reset".to_owned()));
        }
        if port.happens(FaultKind::SmtpLater, &place, tenant) {
            return Err(SendError::NotNow("451 4.3.0 try again later".to_owned()));
        }
        if port.happens(FaultKind::SmtpRefused, &place, tenant) {
            let why = process.world.chance.at(&format!("refusal {place}")).one_of(&REFUSALS);
            return Err(SendError::Refused(why.to_owned()));
        }
        let lost = port.happens(FaultKind::SmtpLostAfterData, &place, tenant);
        process.world.mail_taken(process, mail, tenant, lost);
        port.dies(FaultKind::DeathAfterCall, &place, tenant).await;
        if lost {
            return Err(SendError::InDoubt("connection lost after DATA".to_owned()));
        }
        Ok(())
    }

    async fn quit(self) {
        self.port.unless_dead().await;
        let place = self.port.process.place("quit", None);
        self.port.dies(FaultKind::DeathBeforeCall, &place, None).await;
        self.port.dies(FaultKind::DeathAfterCall, &place, None).await;
    }
}
