//! The last thing that a job does.

use std::collections::BTreeSet;
use std::sync::Arc;

use echodesk_core::{Clock, RunId, SchemaName, StopToken, StoreError, TenantId};
use echodesk_notify::ports::{Fate, Outbox, Queued};
use echodesk_notify::{Carrier, DeliveryObserver, DeliveryOptions, DeliveryWorld, Sender, Templates, deliver};
use jiff::tz::TimeZone;

use super::outcome::Outcome;
use crate::error::one_line;
use crate::progress::{Progress, ProgressWords};

/// What the progress line counts. `Watch` gives the places in its list.
pub(crate) const PROGRESS: ProgressWords = ProgressWords::Phases {
    phases: &["delivering notices"],
    fates: &["delivered", "to be tried again", "parked", "withdrawn"],
};

/// Why notices wait where nothing says how they go.
pub(crate) const NO_EMAIL_SETTINGS: &str = "no e-mail settings: EMAIL_HOST, DEFAULT_FROM_EMAIL";
/// Why they wait where the database may be a copy.
pub(crate) const NOT_BOUND: &str = "nobody has said whose this database is: `echodesk identity bind`";

/// Who delivers.
pub(crate) struct Courier {
    pub(crate) outbox: Arc<dyn Outbox>,
    /// What carries mails, and whom they are from; without it they wait.
    pub(crate) carrier: Option<(Carrier, Sender)>,
    /// Why they wait then.
    pub(crate) why_waiting: &'static str,
    pub(crate) templates: Arc<Templates>,
    pub(crate) time_zone: TimeZone,
    /// One tenant's notices only.
    pub(crate) tenant: Option<TenantId>,
    /// Who pays nothing.
    pub(crate) exempt: BTreeSet<SchemaName>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: StopToken,
    pub(crate) run: RunId,
}

impl Courier {
    /// Delivers what waits. Whatever happens here, the job's own work is done and has to be told of: trouble,
    /// and even a bug, is part of the outcome.
    pub(crate) async fn deliver(self, progress: Progress) -> Outcome {
        let done = tokio::spawn(async move { self.carry_or_count(progress).await }).await;
        match done {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::trouble(format!("notices were not delivered: {}", one_line(&error))),
            Err(panic) => Outcome::trouble(format!("notices were not delivered because of a bug: {panic}")),
        }
    }

    async fn carry_or_count(self, progress: Progress) -> Result<Outcome, StoreError> {
        let Self { outbox, carrier, why_waiting, templates, time_zone, tenant, exempt, clock, stop, run } = self;
        let Some((carrier, from)) = carrier else { return count(outbox, tenant, why_waiting).await };
        let observer = Arc::new(Watch { progress });
        let world = DeliveryWorld { outbox, transport: Arc::new(carrier), templates, clock, stop, run, observer };
        let options = DeliveryOptions { tenant, exempt, time_zone, ..DeliveryOptions::new(from) };
        deliver(world, options).await.map(Outcome::from)
    }
}

/// Where nothing can be delivered, it is at least told that something waits.
async fn count(outbox: Arc<dyn Outbox>, tenant: Option<TenantId>, why: &'static str) -> Result<Outcome, StoreError> {
    let counted = tokio::task::spawn_blocking(move || outbox.waiting(tenant)).await;
    let waiting = match counted {
        Ok(counted) => counted?,
        Err(panic) => return Ok(Outcome::trouble(format!("notices were not counted because of a bug: {panic}"))),
    };
    if waiting.queued > 0 {
        tracing::warn!("{} notices wait: {why}", waiting.queued);
    }
    Ok(Outcome::not_set_up(waiting, why))
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
            // Nothing became of it yet.
            Fate::Later { .. } | Fate::Back => return,
        };
        self.progress.fate(place);
    }
}

#[cfg(test)]
mod tests {
    use echodesk_core::{ManualClock, NoticeId, StoreErrorKind};
    use echodesk_notify::ports::{Claim, Page, Waiting};
    use jiff::Timestamp;

    use super::*;

    /// An outbox of which only the number of notices is known, if it answers at all.
    struct Counted(Result<Waiting, StoreErrorKind>);

    impl Counted {
        fn error(kind: StoreErrorKind) -> StoreError {
            StoreError { kind, what: "counting notices".to_owned(), source: None }
        }
    }

    impl Outbox for Counted {
        fn claim(&self, _: &Claim, _: Option<TenantId>, _: usize) -> Result<Page, StoreError> {
            panic!("asked for notices")
        }

        fn look_again(&self, _: RunId, _: NoticeId, _: Timestamp) -> Result<Option<Queued>, StoreError> {
            panic!("asked for a notice")
        }

        fn record(&self, _: RunId, _: &[(NoticeId, Fate)], _: Timestamp) -> Result<(), StoreError> {
            panic!("told of fates")
        }

        fn release(&self, _: RunId) -> Result<(), StoreError> {
            Ok(())
        }

        fn waiting(&self, _: Option<TenantId>) -> Result<Waiting, StoreError> {
            self.0.map_err(Self::error)
        }
    }

    fn courier(outbox: Counted, carrier: Option<(Carrier, Sender)>) -> Courier {
        Courier {
            outbox: Arc::new(outbox),
            carrier,
            why_waiting: NO_EMAIL_SETTINGS,
            templates: Arc::new(Templates::embedded()),
            time_zone: TimeZone::UTC,
            tenant: None,
            exempt: BTreeSet::new(),
            clock: Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap())),
            stop: StopToken::new(),
            run: RunId::random(),
        }
    }

    #[tokio::test]
    async fn without_settings_what_waits_is_counted_and_nothing_is_claimed() {
        let told = |outbox| courier(outbox, None).deliver(Progress::hidden());
        for waiting in [Waiting { queued: 5, tried: 1, parked: 2 }, Waiting::default()] {
            assert_eq!(told(Counted(Ok(waiting))).await, Outcome::not_set_up(waiting, NO_EMAIL_SETTINGS));
        }
        let refused = told(Counted(Err(StoreErrorKind::Other))).await;
        assert_eq!(refused.trouble.as_deref(), Some("notices were not delivered: counting notices"));
    }

    #[tokio::test]
    async fn a_bug_in_delivery_is_part_of_the_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let sender = Sender::parse("EchoDesk <noreply@echodesk.example>").unwrap();
        let email = echodesk_notify::EmailSettings::file(folder.path(), sender.clone());
        let carrier = email.carrier(Box::new(std::io::sink())).unwrap();
        let outcome =
            courier(Counted(Ok(Waiting::default())), Some((carrier, sender))).deliver(Progress::hidden()).await;
        assert!(outcome.trouble.is_some(), "{outcome:?}");
    }
}
