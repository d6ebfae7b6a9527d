//! Ends real programs with SIGKILL at every point at which dying makes a difference.
//!
//! A small library in C, put before the C library by `LD_PRELOAD`, counts what a process changes
//! outside itself: writes to SQLite's files, and writes to connections. Nothing outside changes
//! between two such operations, so a program that is killed after the n-th, for every n from 0 to
//! their number, has been killed before and after every write and every call.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};

use crate::preload::{PreloadError, add, compiled, system};

const SOURCE: &str = include_str!("kill_points/kill_points.c");

/// The library, compiled.
#[derive(Clone, Debug)]
pub struct KillPoints {
    library: PathBuf,
}

/// When a program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillAt {
    /// Never.
    Never,
    /// Right before its first outward operation.
    First,
    /// Right after so many outward operations; 0 is the same as [`KillAt::First`].
    After(u64),
}

/// A run without killing.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How many outward operations it made.
    pub points: u64,
    /// How it ended.
    pub output: Output,
}

/// Why there is no library, or no count.
#[derive(Debug, thiserror::Error)]
pub enum KillPointsError {
    /// There is no library, or a program or file cannot be used.
    #[error(transparent)]
    Preload(#[from] PreloadError),
    /// The count file does not hold a number.
    #[error("{} holds no number", .0.display())]
    Count(PathBuf),
}

impl KillPoints {
    /// Compiles the library, unless it lies compiled beside this program already.
    ///
    /// # Errors
    /// There is no C compiler (`cc`), or the folder of this program cannot be written to.
    pub fn build() -> Result<Self, KillPointsError> {
        Ok(Self { library: compiled("kill_points", SOURCE)? })
    }

    /// Makes a command die at this point. To be called after the command's environment was cleared.
    pub fn command<'a>(&self, command: &'a mut Command, at: KillAt) -> &'a mut Command {
        add(command, &self.library).env_remove("KILL_AFTER");
        match at {
            KillAt::Never => command,
            KillAt::First => command.env("KILL_AFTER", "0"),
            KillAt::After(operations) => command.env("KILL_AFTER", operations.to_string()),
        }
    }

    /// Runs a command to its end and counts its outward operations. Programs that it starts itself
    /// count into the same file and spoil the number.
    ///
    /// # Errors
    /// It cannot be started, or the count cannot be read.
    pub fn count(&self, command: &mut Command) -> Result<Counted, KillPointsError> {
        let file = tempfile::NamedTempFile::new().map_err(system("no temporary file"))?;
        let output = self
            .command(command, KillAt::Never)
            .env("KILL_COUNT_FILE", file.path())
            .output()
            .map_err(system(format!("cannot start {command:?}")))?;
        let text = std::fs::read_to_string(file.path()).map_err(system("cannot read the count"))?;
        let points = if text.is_empty() { Ok(0) } else { text.trim().parse() };
        let points = points.map_err(|_| KillPointsError::Count(file.path().to_owned()))?;
        Ok(Counted { points, output })
    }
}

/// Whether a process was ended by SIGKILL.
#[must_use]
pub fn was_killed(status: ExitStatus) -> bool {
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}
