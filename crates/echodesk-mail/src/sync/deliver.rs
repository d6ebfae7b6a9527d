//! Getting bodies from the server to the pipeline, within the memory that there is.

use std::ops::ControlFlow;

use crate::model::{MessageMeta, RawMessage, Uid, UidSet};
use crate::ports::MailServerError;

use super::fetch::Fetcher;
use super::memory::Permit;
use super::pipeline::Work;
use super::read::Halt;

/// What came of some FETCH commands.
#[derive(Default)]
pub(super) struct Delivery {
    /// Messages that did not come.
    pub(super) missing: Vec<MessageMeta>,
    /// What the server said if it refused any of the commands. One message that it stumbles over is
    /// enough for some servers to refuse the command for all.
    pub(super) refusal: Option<MailServerError>,
}

/// Reads batches. Messages that turn out to be over the limit are added to `oversized`.
pub(super) fn read_whole(
    fetcher: &mut Fetcher<'_>,
    batches: &[Vec<MessageMeta>],
    oversized: &mut Vec<MessageMeta>,
) -> Result<Delivery, Halt> {
    read(fetcher, batches, oversized, None)
}

/// Reads large messages one by one, each once there is memory for it.
pub(super) fn read_large(
    fetcher: &mut Fetcher<'_>,
    large: Vec<MessageMeta>,
    oversized: &mut Vec<MessageMeta>,
    delivery: &mut Delivery,
) -> Result<(), Halt> {
    for meta in large {
        let run = fetcher.run;
        let permit = run.memory.borrow_large(meta.size, || run.time_left().is_some()).ok_or(Halt::OutOfTime)?;
        let one = read(fetcher, &[vec![meta]], oversized, Some(permit))?;
        delivery.missing.extend(one.missing);
        delivery.refusal = delivery.refusal.take().or(one.refusal);
    }
    Ok(())
}

fn read(
    fetcher: &mut Fetcher<'_>,
    batches: &[Vec<MessageMeta>],
    oversized: &mut Vec<MessageMeta>,
    mut permit: Option<Permit>,
) -> Result<Delivery, Halt> {
    if batches.is_empty() {
        return Ok(Delivery::default());
    }
    let (run, pipeline, folder) = (fetcher.run, fetcher.pipeline, fetcher.folder);
    let mut arrived = UidSet::new();
    let mut halt = None;
    let fetched = fetcher.session.bodies(batches, run.options.max_message_size, &mut |raw| {
        arrived.insert(raw.meta.uid);
        if raw.truncated {
            oversized.push(raw.meta);
            return ControlFlow::Continue(());
        }
        let bytes = raw.bytes.len() as u64;
        // A size is the server's word: what is larger than it said has to wait for memory of its own.
        let lent = permit.take().filter(|permit| permit.covers(bytes));
        let permit = lent.or_else(|| run.memory.borrow(bytes, || run.time_left().is_some()));
        let sent = match permit {
            Some(permit) => pipeline.send(Work::Message { folder, raw, permit }).map_err(Halt::from),
            None => Err(Halt::OutOfTime),
        };
        match sent {
            Ok(()) if run.time_left().is_some() => ControlFlow::Continue(()),
            Ok(()) => {
                halt = Some(Halt::OutOfTime);
                ControlFlow::Break(())
            }
            Err(reason) => {
                halt = Some(reason);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(reason) = halt {
        return Err(reason);
    }
    let refusal = match fetched {
        Ok(()) => None,
        Err(error) if error.session_survives() => Some(error),
        Err(error) => {
            if let Some(uid) = due(batches, &arrived).filter(|_| !matches!(error, MailServerError::OutOfTime)) {
                pipeline.send(Work::Suspect { folder, uid })?;
            }
            return Err(error.into());
        }
    };
    let missing = batches.iter().flatten().filter(|meta| !arrived.contains(meta.uid)).cloned().collect();
    Ok(Delivery { missing, refusal })
}

/// The message that was to come next. Servers answer a FETCH in ascending order, however it was asked, and commands one
/// after another: what has not come before the last that has is passed over, and breaks no connection.
fn due(batches: &[Vec<MessageMeta>], arrived: &UidSet) -> Option<Uid> {
    let mut asked: Vec<Uid> = Vec::new();
    for batch in batches {
        let mut uids: Vec<Uid> = batch.iter().map(|meta| meta.uid).collect();
        uids.sort_unstable();
        asked.extend(uids);
    }
    let passed = asked.iter().rposition(|uid| arrived.contains(*uid)).map_or(0, |last| last + 1);
    asked.get(passed).copied()
}

/// Hands one message to the pipeline.
pub(super) fn send(fetcher: &Fetcher<'_>, raw: RawMessage) -> Result<(), Halt> {
    let run = fetcher.run;
    let bytes = raw.bytes.len() as u64;
    let permit = run.memory.borrow(bytes, || run.time_left().is_some()).ok_or(Halt::OutOfTime)?;
    Ok(fetcher.pipeline.send(Work::Message { folder: fetcher.folder, raw, permit })?)
}
