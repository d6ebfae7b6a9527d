//! Sharing one mailbox's `--max-messages` among its folders.

/// What a folder could use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Messages that arrived since the last run.
    pub fresh: u64,
    /// All messages that wait to be read, fresh ones included.
    pub pending: u64,
}

/// How many messages each folder may read, in the order given.
///
/// What has just arrived comes before history, so that a long back-fill delays no new mail; and
/// small folders come before large ones, so that a large one does not starve the rest.
#[must_use]
pub fn allot(budget: u64, wants: &[Want]) -> Vec<u64> {
    let fresh: Vec<u64> = wants.iter().map(|want| want.fresh.min(want.pending)).collect();
    let mut given = pour(budget, &fresh);
    let left = budget - given.iter().sum::<u64>();
    let history: Vec<u64> = wants.iter().zip(&given).map(|(want, given)| want.pending - given).collect();
    for (given, more) in given.iter_mut().zip(pour(left, &history)) {
        *given += more;
    }
    given
}

/// Gives everyone the same share, and what the small ones leave to the larger ones.
fn pour(budget: u64, wants: &[u64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..wants.len()).collect();
    order.sort_by_key(|index| wants[*index]);
    let mut left = budget;
    let mut given = vec![0; wants.len()];
    for (done, index) in order.into_iter().enumerate() {
        let others = (wants.len() - done) as u64;
        given[index] = wants[index].min(left.div_ceil(others));
        left -= given[index];
    }
    given
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn want(fresh: u64, pending: u64) -> Want {
        Want { fresh, pending }
    }

    #[test]
    fn new_mail_comes_before_history_and_small_folders_before_large_ones() {
        assert_eq!(allot(500, &[want(0, 100_000), want(3, 3), want(1, 1)]), [496, 3, 1]);
        assert_eq!(allot(500, &[want(0, 100_000), want(0, 90_000), want(0, 10)]), [245, 245, 10]);
        assert_eq!(allot(2, &[want(5, 5), want(5, 5), want(5, 5)]), [1, 1, 0]);
        assert_eq!(allot(10, &[]), [0_u64; 0]);
    }

    proptest! {
        #[test]
        fn nothing_is_wasted_and_nothing_overdrawn(
            budget in 0_u64..1000,
            pairs in proptest::collection::vec((0_u64..300, 0_u64..300), 0..10),
        ) {
            let wants: Vec<Want> = pairs.iter().map(|(fresh, more)| want(*fresh, fresh + more)).collect();
            let given = allot(budget, &wants);
            let all: u64 = wants.iter().map(|want| want.pending).sum();
            prop_assert_eq!(given.iter().sum::<u64>(), budget.min(all));
            for (given, want) in given.iter().zip(&wants) {
                prop_assert!(given <= &want.pending);
            }
            let fresh: u64 = wants.iter().map(|want| want.fresh).sum();
            if fresh <= budget {
                for (given, want) in given.iter().zip(&wants) {
                    prop_assert!(given >= &want.fresh, "new mail first");
                }
            }
        }
    }
}
