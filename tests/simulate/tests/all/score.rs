//! A check that never fails proves nothing: each known bug, put back in, is found, and soon.

use std::ops::ControlFlow;

use echodesk_simulate::bugs::Bug;
use echodesk_simulate::in_order::in_order;
use echodesk_simulate::score::{Score, score_of};

/// So many seeds each is looked for with, at most.
const SEEDS: u64 = 4;

#[test]
fn every_known_bug_is_found_within_few_seeds() {
    // Neighbours in the list are of a kind, and so is what is simulated to see that it is the bug.
    let some: Vec<&[Bug]> = Bug::ALL.chunks(Bug::ALL.len().div_ceil(8)).collect();
    let mut searches = Vec::new();
    in_order(
        &some,
        2,
        |bugs, _| score_of(bugs, SEEDS, |_| ()),
        |score| {
            searches.extend(score.searches);
            ControlFlow::Continue(())
        },
    );
    let score = Score { seeds: SEEDS, searches };
    println!("{score}");
    assert!(score.is_full(), "{score}");
    assert_eq!(score.found(), Bug::ALL.len());
}
