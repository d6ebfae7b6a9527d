//! What has happened at the places of one mailbox, however its messages are moved about.

use std::collections::{BTreeMap, BTreeSet};

use super::account::Place;

/// What is known of the places of a mailbox.
#[derive(Debug, Default)]
pub struct Places {
    /// How often the connection broke when the message at a place was to come, and that was written down.
    pub broke: BTreeMap<Place, u32>,
    /// How often a run has written down that it did, while it suspected the message.
    pub deaths: BTreeMap<Place, u32>,
    /// Those that had a fate when the mailbox was last read to its end, and are on the server.
    pub living: BTreeSet<Place>,
    /// Those that had one before: a message that is gone keeps its fate.
    pub left: BTreeSet<Place>,
}

impl Places {
    /// A mailbox was read to its end, and these have a fate. Returns those of which the same was known before, and that
    /// are gone from the server now.
    pub fn have_fates(&mut self, living: BTreeSet<Place>) -> BTreeSet<Place> {
        let gone: BTreeSet<Place> = self.living.difference(&living).cloned().collect();
        self.left.extend(gone.iter().cloned());
        self.left.retain(|place| !living.contains(place));
        self.living = living;
        gone
    }
}
