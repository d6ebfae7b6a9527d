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

/// The message that was to come next. Servers answer a FETCH in ascending order, however it was asked: what has not come
/// before the last of its command that has is passed over, and breaks no connection. What has come of a later command
/// says nothing: several are under way, and may be answered by turns.
fn due(batches: &[Vec<MessageMeta>], arrived: &UidSet) -> Option<Uid> {
    batches.iter().find_map(|batch| {
        let last = batch.iter().map(|meta| meta.uid).filter(|uid| arrived.contains(*uid)).max();
        batch.iter().map(|meta| meta.uid).filter(|uid| Some(*uid) > last).min()
    })
}

/// Hands one message to the pipeline.
pub(super) fn send(fetcher: &Fetcher<'_>, raw: RawMessage) -> Result<(), Halt> {
    let run = fetcher.run;
    let bytes = raw.bytes.len() as u64;
    let permit = run.memory.borrow(bytes, || run.time_left().is_some()).ok_or(Halt::OutOfTime)?;
    Ok(fetcher.pipeline.send(Work::Message { folder: fetcher.folder, raw, permit })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Flags;

    #[test]
    fn whoever_was_to_come_next_in_the_first_command_that_is_not_answered_is_blamed() {
        let meta = |uid| MessageMeta { uid: Uid(uid), size: 1, internal_date: None, flags: Flags::NONE };
        let batches: Vec<Vec<_>> =
            [vec![23, 22, 21], vec![11, 12, 13]].map(|uids| uids.into_iter().map(meta).collect()).into();
        let next = |arrived: &[u32]| due(&batches, &arrived.iter().map(|uid| Uid(*uid)).collect()).map(|uid| uid.0);
        assert_eq!(next(&[]), Some(21));
        assert_eq!(next(&[21]), Some(22));
        assert_eq!(next(&[22]), Some(23), "21 was passed over");
        assert_eq!(next(&[21, 11, 12, 13]), Some(22), "answered by turns");
        assert_eq!(next(&[21, 23, 11]), Some(12));
        assert_eq!(next(&[21, 22, 23, 13]), None, "nothing was to come any more");
    }
}
