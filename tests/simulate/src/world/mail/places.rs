//! What has happened at the places of one mailbox, however its messages are moved about.

use std::collections::BTreeMap;

use super::account::Place;

/// What is known of the places of a mailbox.
#[derive(Debug, Default)]
pub struct Places {
    /// How often the connection broke while the message at a place was asked for and had not come yet.
    pub broke: BTreeMap<Place, u32>,
}
