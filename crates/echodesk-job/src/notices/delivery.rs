//! The last thing that a job does.

use std::sync::Arc;

use echodesk_core::{Clock, RunId, StopToken, StoreError, TenantId};
use echodesk_notify::ports::{Fate, Outbox, Queued};
use echodesk_notify::{Carrier, DeliveryObserver, DeliveryOptions, DeliveryReport, DeliveryWorld, deliver};

use super::outcome::Outcome;
use super::settings::NoticeSettings;
use crate::error::one_line;
use crate::progress::{Progress, ProgressWords};

/// What the progress line counts. `Watch` gives the places in its list.
pub(crate) const PROGRESS: ProgressWords = ProgressWords::Phases {
    phases: &["delivering notices"],
    fates: &["delivered", "to be tried again", "parked", "withdrawn"],
};

/// Who delivers.
pub(crate) struct Courier {
    pub(crate) settings: NoticeSettings,
    pub(crate) outbox: Arc<dyn Outbox>,
    /// One tenant's notices only.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: StopToken,
    pub(crate) run: RunId,
    pub(crate) progress: Progress,
}

impl Courier {
    /// Delivers what waits. Whatever happens here, the job's own work is done and has to be told of: trouble,
    /// and even a bug, is part of the outcome.
    pub(crate) async fn deliver(self) -> Outcome {
        let done = tokio::spawn(async move {
            match &self.settings.email {
                None => self.count().await,
                Some(_) => self.carry().await,
            }
        });
        done.await.unwrap_or_else(|panic| {
            Outcome::trouble(format!("notices were not delivered because of a bug: {panic}"))
        })
    }

    /// Where nothing can be delivered, it is at least told that something waits.
    async fn count(self) -> Outcome {
        let (outbox, tenant) = (self.outbox, self.tenant);
        let counted = tokio::task::spawn_blocking(move || outbox.waiting(tenant)).await;
        match counted {
            Ok(Ok(0)) => Outcome::default(),
            Ok(Ok(waiting)) => {
                tracing::warn!(waiting, "{waiting} notices wait: no e-mail settings (EMAIL_HOST, DEFAULT_FROM_EMAIL)");
                Outcome::not_set_up(waiting)
            }
            Ok(Err(error)) => refused(&error),
            Err(panic) => Outcome::trouble(format!("notices were not counted because of a bug: {panic}")),
        }
    }

    async fn carry(self) -> Outcome {
        let Some(email) = self.settings.email else { return Outcome::default() };
        let carrier = match Carrier::new(&email) {
            Ok(carrier) => carrier,
            Err(error) => return Outcome::trouble(format!("notices cannot be delivered: {}", one_line(&error))),
        };
        let world = DeliveryWorld {
            outbox: self.outbox,
            transport: Arc::new(carrier),
            templates: self.settings.templates,
            clock: self.clock,
            stop: self.stop,
            run: self.run,
            observer: Arc::new(Watch { progress: self.progress }),
        };
        let options = DeliveryOptions { tenant: self.tenant, ..DeliveryOptions::new(email.from, self.settings.time_zone) };
        told(deliver(world, options).await)
    }
}

fn told(done: Result<DeliveryReport, StoreError>) -> Outcome {
    match done {
        Ok(report) => report.into(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &StoreError) -> Outcome {
    Outcome::trouble(format!("notices were not delivered: {}", one_line(error)))
}

/// Counts for people.
struct Watch {
    progress: Progress,
}

impl DeliveryObserver for Watch {
    fn fate(&self, _: &Queued, fate: &Fate) {
        let place = match fate {
            Fate::Sent { .. } => 0,
            Fate::TryAgain { .. } => 1,
            Fate::Parked { .. } => 2,
            Fate::Withdrawn { .. } => 3,
            Fate::Back => return,
        };
        self.progress.fate(place);
    }
}
