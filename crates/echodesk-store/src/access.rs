//! How a store is opened, and why it may not open.

use std::path::PathBuf;

/// What a store may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read and write; on the embedded database also migrate.
    ReadWrite,
    /// Read only: nothing in the database changes, not a byte.
    ReadOnly,
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached now: try again later.
    #[error("{what}")]
    Unavailable {
        /// What could not be reached.
        what: String,
        /// What the database or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no embedded database in the folder, and none may be made.
    #[error("there is no database in {}", folder.display())]
    NotThere {
        /// The folder.
        folder: PathBuf,
    },
    /// It can be reached and says no: wrong name, wrong password, no permission, a damaged file.
    #[error("{what}")]
    Config {
        /// What was tried.
        what: String,
        /// What the database or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
