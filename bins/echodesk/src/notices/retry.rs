//! `echodesk notices retry`.

use std::collections::BTreeSet;

use echodesk_core::NoticeId;
use echodesk_job::{Needs, tenant};
use echodesk_store::Access;

use crate::answer::Answer;
use crate::cli::NoticesRetryArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn retry(world: &World, args: &NoticesRetryArgs) -> Result<Answer, CommandError> {
    let store = world.store(Access::ReadWrite, Needs::Mail)?;
    let tenant = args.tenant.as_ref().map(|schema| tenant::find(&store, schema)).transpose()?;
    let ids = (!args.all).then_some(args.ids.as_slice());
    let queued = store.retry_notices(ids, tenant.map(|tenant| tenant.id), world.clock.now())?;
    Ok(answer(&args.ids, &queued))
}

/// `asked` is empty where all were asked for.
fn answer(asked: &[NoticeId], queued: &[NoticeId]) -> Answer {
    let queued: BTreeSet<NoticeId> = queued.iter().copied().collect();
    let left: BTreeSet<NoticeId> = asked.iter().copied().filter(|id| !queued.contains(id)).collect();
    let mut text = match queued.len() {
        0 => String::new(),
        1 => "1 notice is sent by the next job\n".to_owned(),
        count => format!("{count} notices are sent by the next job\n"),
    };
    for id in &left {
        text.push_str(&format!("notice {id}: neither parked nor waiting for its time: nothing was done\n"));
    }
    if text.is_empty() {
        text.push_str("no notice is parked or waits for its time\n");
    }
    Answer::done(text).failed_if(!left.is_empty())
}

#[cfg(test)]
mod tests {
    use echodesk_job::ExitStatus;

    use super::*;

    fn told(asked: &[i64], queued: &[i64]) -> (String, ExitStatus) {
        let ids = |numbers: &[i64]| numbers.iter().copied().map(NoticeId).collect::<Vec<_>>();
        let Answer { text, status } = answer(&ids(asked), &ids(queued));
        (text, status)
    }

    #[test]
    fn what_was_asked_for_and_not_done_is_a_failure() {
        assert_eq!(told(&[7], &[7]), ("1 notice is sent by the next job\n".to_owned(), ExitStatus::Done));
        assert_eq!(told(&[], &[7, 8]), ("2 notices are sent by the next job\n".to_owned(), ExitStatus::Done));
        assert_eq!(told(&[], &[]), ("no notice is parked or waits for its time\n".to_owned(), ExitStatus::Done));
        let (text, status) = told(&[8, 7, 8], &[7]);
        assert!(text.ends_with("notice 8: neither parked nor waiting for its time: nothing was done\n"), "{text}");
        assert_eq!((text.lines().count(), status), (2, ExitStatus::DoneWithFailures));
    }
}
