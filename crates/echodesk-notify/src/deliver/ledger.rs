//! The one writer: everything that has finished so far goes down in one transaction, so that little is unmarked
//! should the run die, and the database is not what everybody waits for.

use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{StoreError, StoreErrorKind};
use tokio::sync::mpsc;

use super::DeliveryReport;
use super::journal;
use super::run::{Done, Run};
use crate::ports::Fate;

/// So many fates may wait to be written down; couriers wait if it is more.
pub(super) const BACKLOG: usize = 128;

/// How long to wait before a transaction is tried again: a moment's trouble with the database must not make us
/// send mails twice.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// Counts what was written down; or what kept it from being written down.
pub(super) type Written = (DeliveryReport, Option<StoreError>);

pub(super) async fn write<T: Send + Sync + 'static>(run: Arc<Run<T>>, mut fates: mpsc::Receiver<Done>) -> Written {
    let (mut report, mut failed) = (DeliveryReport::default(), None);
    let mut batch = Vec::with_capacity(BACKLOG);
    while fates.recv_many(&mut batch, BACKLOG).await > 0 {
        let written = if failed.is_none() { record(&run, &batch).await } else { Ok(false) };
        match written {
            Ok(true) => {
                for done in batch.drain(..) {
                    count(&mut report, &done);
                    journal::tell(&done);
                    run.world.observer.fate(&done.claimed.notice, &done.fate);
                }
            }
            outcome => {
                // Their claims end by themselves; what was sent of them is sent again, recognisably.
                journal::unwritten(&batch);
                batch.clear();
                if let Err(error) = outcome {
                    run.halt();
                    failed = Some(error);
                }
            }
        }
    }
    (report, failed)
}

async fn record<T>(run: &Run<T>, batch: &[Done]) -> Result<bool, StoreError> {
    let fates: Arc<Vec<_>> = Arc::new(batch.iter().map(|done| (done.claimed.notice.id, done.fate.clone())).collect());
    let mut pauses = PAUSES.into_iter();
    loop {
        let (id, now, fates) = (run.world.run, run.now(), Arc::clone(&fates));
        let recorded = run.ask(move |outbox| outbox.record(id, &fates, now)).await;
        match (recorded, pauses.next()) {
            (Ok(()), _) => return Ok(true),
            (Err(error), Some(pause)) if error.kind == StoreErrorKind::Unavailable => {
                tracing::warn!(%error, "the database is away; trying again");
                tokio::time::sleep(pause).await;
            }
            (Err(error), _) => return Err(error),
        }
    }
}

fn count(report: &mut DeliveryReport, done: &Done) {
    match &done.fate {
        Fate::Sent { .. } => report.delivered += 1,
        Fate::Later { .. } => report.postponed += 1,
        Fate::TryAgain { .. } => report.again += 1,
        Fate::Parked { .. } => report.parked += 1,
        Fate::Withdrawn { .. } => report.withdrawn += 1,
        Fate::Back => {}
    }
}
