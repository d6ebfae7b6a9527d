//! Chance, from one seed.
//!
//! What chance decides is a function of the seed and of the place where it is asked, never of how often it was asked
//! before: so the same thing happens to a tenant whether a thousand others are simulated beside it or none, and a
//! failure can be shrunk to the few that matter.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The source of all chance of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    /// All that follows from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The dice of a place; the same ones for the same place.
    #[must_use]
    pub fn at(&self, place: &str) -> Dice {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(place.as_bytes());
        Dice { state: hash.finalize().into(), used: 0 }
    }
}

/// Dice that were thrown at a place.
#[derive(Clone, Debug)]
pub struct Dice {
    state: [u8; 32],
    used: usize,
}

impl Dice {
    /// A number of which all are equally likely.
    pub fn number(&mut self) -> u64 {
        if self.used == 4 {
            self.state = Sha256::digest(self.state).into();
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.state[self.used * 8..][..8]);
        self.used += 1;
        u64::from_be_bytes(bytes)
    }

    /// True so often in a thousand.
    pub fn per_mille(&mut self, often: u32) -> bool {
        self.number() % 1000 < u64::from(often)
    }

    /// Whether something of this probability happens.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are all that a probability needs")]
    pub fn happens(&mut self, probability: f64) -> bool {
        ((self.number() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// A number from `low` up to, and not including, `high`; `low` if there is none between.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % high.saturating_sub(low).max(1)
    }

    /// One of several.
    ///
    /// # Panics
    /// If there are none.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[(self.number() % all.len() as u64) as usize]
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.number().to_be_bytes());
        bytes[8..].copy_from_slice(&self.number().to_be_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_own_dice_and_always_the_same() {
        let chance = Chance::new(7);
        let throw = |place: &str| {
            let mut dice = chance.at(place);
            [dice.number(), dice.number(), dice.number(), dice.number(), dice.number()]
        };
        assert_eq!(throw("a"), throw("a"));
        assert_ne!(throw("a"), throw("b"));
        assert_ne!(throw("a")[0], Chance::new(8).at("a").number());
        assert_ne!(throw("a")[0], throw("a")[4], "after four numbers come others");
    }

    #[test]
    fn probabilities_are_kept() {
        let chance = Chance::new(1);
        let often = (0..10_000).filter(|n| chance.at(&n.to_string()).happens(0.2)).count();
        assert!((1_800..2_200).contains(&often), "{often}");
        assert!((0..1000).all(|n| !chance.at(&n.to_string()).happens(0.0)));
        assert!((0..1000).all(|n| chance.at(&n.to_string()).happens(1.0)));
    }
}
