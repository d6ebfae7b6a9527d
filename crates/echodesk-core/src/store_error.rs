//! What every store port answers when the database cannot do what was asked.

/// The database could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StoreError {
    /// What kind of trouble.
    pub kind: StoreErrorKind,
    /// What was being done, and to what.
    pub what: String,
    /// What the database said.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Kinds of [`StoreError`] that callers act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The database cannot be reached or went away: try again later.
    Unavailable,
    /// Somebody else holds the lease now.
    LeaseLost,
    /// No tenant of that name.
    UnknownTenant,
    /// What was to be added is there already, or its name is taken.
    Conflict,
    /// Anything else: a bug, or a table that is not as expected.
    Other,
}
