//! Chance that is the same each time.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

use crate::ports::Random;

/// Counts instead of throwing dice.
#[derive(Debug, Default)]
pub struct SequenceRandom(AtomicU64);

impl Random for SequenceRandom {
    fn uuid(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Builder::from_random_bytes(u128::from(number).to_be_bytes()).into_uuid()
    }
}
