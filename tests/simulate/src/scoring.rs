//! The score, on all cores.

use std::io;
use std::ops::ControlFlow;

use echodesk_simulate::bugs::Bug;
use echodesk_simulate::in_order::in_order;
use echodesk_simulate::score::{Score, score_of};

use crate::{BROKEN, KEPT, print};

/// Looks for every bug, and prints each search when it is over.
pub(crate) fn score(seeds: u64, jobs: usize) -> io::Result<u8> {
    let (mut score, mut written) = (Score { seeds, searches: Vec::new() }, Ok(()));
    in_order(
        Bug::ALL,
        jobs,
        |bug, _| score_of(&[*bug], seeds, |_| ()).searches,
        |searches| {
            for search in searches {
                written = print(&format!("{search}\n"));
                score.searches.push(search);
            }
            if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    written?;
    let sum = score.to_string();
    print(&format!("{}\n", sum.lines().last().unwrap_or_default()))?;
    Ok(if score.is_full() { KEPT } else { BROKEN })
}
