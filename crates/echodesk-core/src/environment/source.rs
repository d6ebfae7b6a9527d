//! Where settings come from.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where a setting was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The environment of the process.
    Process,
    /// The file `.env`.
    DotEnv {
        /// The line, counted from one; the last one if the name is there more than once.
        line: usize,
    },
}

/// The file `.env` of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DotEnv {
    /// Where it is, or would be; the whole path where the working folder is known.
    pub path: PathBuf,
    /// How it was found.
    pub state: DotEnvState,
}

/// How `.env` was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotEnvState {
    /// There is none.
    Missing,
    /// It was read.
    Read {
        /// Whether every user of the machine may read it.
        by_everybody: bool,
        /// Whether others than its owner (its group, or every user) may write to it.
        written_by_others: bool,
    },
}

/// Its content (none if it is missing), and how it was found.
pub(super) fn read(path: &Path) -> io::Result<(Vec<u8>, DotEnv)> {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = |state| DotEnv { path: whole, state };
    match std::fs::read(path) {
        Ok(content) => {
            // Who may do what with it is worth a remark and not a failure.
            let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
            Ok((content, found(state(mode))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Vec::new(), found(DotEnvState::Missing))),
        Err(error) => Err(error),
    }
}

/// By the permissions of the file: others may read (POSIX: `S_IROTH`), group or others may write (`S_IWGRP`, `S_IWOTH`).
fn state(mode: u32) -> DotEnvState {
    DotEnvState::Read { by_everybody: mode & 0o004 != 0, written_by_others: mode & 0o022 != 0 }
}
