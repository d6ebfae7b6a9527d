//! The delivery of what is queued: claim, look whether it still holds, render, send, write down.

mod claims;
mod courier;
mod crew;
mod health;
mod journal;
mod ledger;
mod prepare;
mod run;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock, RunId, SchemaName, StopToken, StoreError, TenantId};
use jiff::tz::TimeZone;

use crate::message::Sender;
use crate::ports::{Fate, Outbox, Queued, Transport, Waiting};
use crate::render::Templates;
use run::Run;

/// What delivery works with.
pub struct DeliveryWorld<T> {
    /// What is queued.
    pub outbox: Arc<dyn Outbox>,
    /// The way for mails to go.
    pub transport: Arc<T>,
    /// The texts.
    pub templates: Arc<Templates>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Asks it to stop: mails in flight are finished, the rest is given back.
    pub stop: StopToken,
    /// Who claims. Must be this delivery's alone: at its end all claims of the run are given back.
    pub run: RunId,
    /// Is told what became of each notice.
    pub observer: Arc<dyn DeliveryObserver>,
}

impl<T> std::fmt::Debug for DeliveryWorld<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliveryWorld").field("run", &self.run).finish_non_exhaustive()
    }
}

/// How delivery goes about it.
#[derive(Clone, Debug)]
pub struct DeliveryOptions {
    /// One tenant's notices; all otherwise.
    pub tenant: Option<TenantId>,
    /// Who pays nothing, and so is not asked to.
    pub exempt: BTreeSet<SchemaName>,
    /// Whom mails are from.
    pub from: Sender,
    /// Whose calendar days count.
    pub time_zone: TimeZone,
    /// How many connections there are at most; more than one only while many notices wait.
    pub connections: NonZeroUsize,
    /// How long a claim lasts, should the run die. Half of it is the longest that sending one mail may take.
    pub claim_for: Duration,
    /// After so long no further mail is begun.
    pub budget: Duration,
}

impl DeliveryOptions {
    /// The defaults: all tenants, nobody exempt, days in UTC, up to four connections, ten minutes. A claim lasts for
    /// 25 minutes: its half is the ten that a server may take for the answer to a mail, and some for the commands
    /// before it.
    #[must_use]
    pub fn new(from: Sender) -> Self {
        const FOUR: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
        Self {
            tenant: None,
            exempt: BTreeSet::new(),
            from,
            time_zone: TimeZone::UTC,
            connections: FOUR,
            claim_for: Duration::from_mins(25),
            budget: Duration::from_mins(10),
        }
    }
}

/// Is told what became of each notice, once that is written down.
pub trait DeliveryObserver: Send + Sync {
    /// What became of one.
    fn fate(&self, notice: &Queued, fate: &Fate);
}

/// What a delivery did. Counts are of what was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Sent.
    pub delivered: u64,
    /// Did not hold any more.
    pub withdrawn: u64,
    /// Will not be sent until a person says so.
    pub parked: u64,
    /// Could not be sent for now.
    pub again: u64,
    /// Kept back until something else is known: a charge is open.
    pub postponed: u64,
    /// How many were not sent in this run or before, whoever has claimed them.
    pub waiting: Waiting,
    /// Why no more could be sent, if the way for mails does not work.
    pub trouble: Option<String>,
    /// Whether its time was over before everything that was due was done.
    pub out_of_time: bool,
    /// Whether it was asked to stop before everything was done.
    pub stopped: bool,
    /// Whether the database went away before everything was done.
    pub database_away: bool,
}

impl DeliveryReport {
    /// Whether a notice could not be delivered, now, before or at all.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.parked > 0 || self.again > 0 || self.waiting.tried > 0 || self.out_of_time || self.trouble.is_some()
    }
}

/// Delivers what is queued. Nothing is ever lost: a run that dies leaves its notices claimed until the claims
/// end, and what it had sent without writing that down is sent again under the same Message-ID.
///
/// # Errors
/// The database refuses something that every further step depends on. That it is away is no error but
/// [`DeliveryReport::database_away`], and that no mail can be sent is [`DeliveryReport::trouble`].
pub async fn deliver<T: Transport>(
    world: DeliveryWorld<T>,
    options: DeliveryOptions,
) -> Result<DeliveryReport, StoreError> {
    crew::work(Arc::new(Run::new(world, options))).await
}

#[cfg(test)]
mod tests;
