//! Idempotency keys: the same key on the same endpoint gets the first call's answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use super::answer::Answer;

/// The keys that are remembered, by method and path.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<HashMap<(String, Uuid), Entry>>);

#[derive(Debug)]
struct Entry {
    at: Duration,
    body: Bytes,
    answer: watch::Receiver<Option<Answer>>,
}

/// What a call with a key is.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The first: it is to say what it was answered.
    First(watch::Sender<Option<Answer>>),
    /// A repeat.
    Repeat {
        /// Holds the answer once there is one.
        answer: watch::Receiver<Option<Answer>>,
        /// Whether the body is the first one's.
        same_body: bool,
    },
}

/// Reads a key: a UUID with hyphens and nothing around it.
pub(crate) fn parse(key: &str) -> Option<Uuid> {
    Uuid::parse_str(key).ok().filter(|uuid| uuid.hyphenated().to_string().eq_ignore_ascii_case(key))
}

impl Keys {
    /// Claims a key; one that is older than `lifetime` has been forgotten.
    pub(crate) fn claim(&self, place: String, key: Uuid, body: &Bytes, now: Duration, lifetime: Duration) -> Claim {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (place, key);
        if let Some(entry) = keys.get(&place).filter(|entry| now < entry.at + lifetime) {
            return Claim::Repeat { answer: entry.answer.clone(), same_body: entry.body == *body };
        }
        let (sender, receiver) = watch::channel(None);
        keys.insert(place, Entry { at: now, body: body.clone(), answer: receiver });
        Claim::First(sender)
    }

    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
