//! What a stranger may take of the callback server.

use std::time::Duration;

/// How much and how long.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The longest body that is looked at, in bytes. A callback has about two thousand.
    pub(crate) body: usize,
    /// How much of a body that is too long is still read, so that the sender gets to see the answer and
    /// not a connection that was reset under its hands.
    pub(crate) discarded: usize,
    /// From the connection to the end of the headers.
    pub(crate) headers_within: Duration,
    /// From the headers to the end of the body.
    pub(crate) body_within: Duration,
    /// From the connection to its end, whatever happens on it.
    pub(crate) connection_within: Duration,
    /// Connections at once. Whoever comes later waits in the system's queue.
    pub(crate) connections: usize,
    /// Requests that work on the database at once.
    pub(crate) database: usize,
    /// How long a request waits for its turn on the database.
    pub(crate) turn_within: Duration,
    /// How long a graceful stop waits for what is in flight.
    pub(crate) stop_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            discarded: 16 << 20,
            headers_within: Duration::from_secs(10),
            body_within: Duration::from_secs(10),
            // A statement takes at most a minute, and settling takes a few.
            connection_within: Duration::from_secs(150),
            connections: 512,
            // As many as the store has connections.
            database: 8,
            turn_within: Duration::from_secs(5),
            stop_within: Duration::from_secs(150),
        }
    }
}
