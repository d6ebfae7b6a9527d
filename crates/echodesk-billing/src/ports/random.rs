//! Chance, from outside.

use uuid::Uuid;

/// Where keys, names of orders and jitter come from.
pub trait Random: Send + Sync {
    /// A version 4 UUID.
    fn uuid(&self) -> Uuid;
}

/// The system's own randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}
