//! Cutting what is to be read into FETCH commands.

use crate::model::MessageMeta;

/// A FETCH asks for about this many bytes at most.
pub const BATCH_BYTES: u64 = 4 << 20;
/// A FETCH asks for this many messages at most.
pub const BATCH_MESSAGES: usize = 100;

/// A larger message is fetched by itself, once there is memory for it.
pub const LARGE: u64 = 1 << 20;

/// Messages to be fetched whole, in batches, and those over the size limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batches {
    /// Each becomes one FETCH; the newest messages come first.
    pub whole: Vec<Vec<MessageMeta>>,
    /// To be fetched whole, one by one, the newest first: over [`LARGE`].
    pub large: Vec<MessageMeta>,
    /// To be fetched in part, the newest first.
    pub oversized: Vec<MessageMeta>,
}

/// Cuts `metas` (ascending by UID) into batches of at most [`BATCH_BYTES`] and [`BATCH_MESSAGES`],
/// a batch of one being as large as it is.
#[must_use]
pub fn batches(metas: Vec<MessageMeta>, max_message_size: u64) -> Batches {
    let mut cut = Batches::default();
    let mut bytes = 0_u64;
    for meta in metas.into_iter().rev() {
        if meta.size > max_message_size {
            cut.oversized.push(meta);
            continue;
        }
        if meta.size > LARGE {
            cut.large.push(meta);
            continue;
        }
        let size = meta.size;
        match cut.whole.last_mut() {
            Some(batch) if batch.len() < BATCH_MESSAGES && bytes.saturating_add(size) <= BATCH_BYTES => {
                bytes += size;
                batch.push(meta);
            }
            _ => {
                bytes = size;
                cut.whole.push(vec![meta]);
            }
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Flags, Uid};

    proptest! {
        #[test]
        fn every_message_is_asked_for_once_newest_first_within_the_limits(
            sizes in proptest::collection::vec(0_u64..8_000_000, 0..300),
        ) {
            let metas: Vec<MessageMeta> = sizes
                .iter()
                .enumerate()
                .map(|(i, size)| MessageMeta {
                    uid: Uid(u32::try_from(i).unwrap() + 1),
                    size: *size,
                    internal_date: None,
                    flags: Flags::NONE,
                })
                .collect();
            let cut = batches(metas.clone(), 6_000_000);
            for batch in &cut.whole {
                let bytes: u64 = batch.iter().map(|meta| meta.size).sum();
                prop_assert!(batch.len() == 1 || (batch.len() <= BATCH_MESSAGES && bytes <= BATCH_BYTES));
            }
            let mut all: Vec<MessageMeta> = cut.whole.iter().flatten().cloned().collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].uid > pair[1].uid));
            prop_assert!(all.iter().all(|meta| meta.size <= LARGE));
            prop_assert!(cut.large.iter().all(|meta| meta.size > LARGE && meta.size <= 6_000_000));
            prop_assert!(cut.oversized.iter().all(|meta| meta.size > 6_000_000));
            all.extend(cut.large);
            all.extend(cut.oversized);
            all.sort_by_key(|meta| meta.uid);
            prop_assert_eq!(all, metas);
        }
    }
}
