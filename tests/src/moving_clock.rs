//! Lets real programs run at another time of day.
//!
//! A small library in C, put before the C library by `LD_PRELOAD`, moves the clock that tells the time of
//! day, for one process. Clocks that measure how long something takes are left alone: time goes on, only
//! from elsewhere.

use std::path::PathBuf;
use std::process::Command;

use echodesk_core::{Clock as _, SystemClock};
use jiff::Timestamp;

use crate::preload::{PreloadError, add, compiled};

const SOURCE: &str = include_str!("moving_clock/moving_clock.c");

/// The library, compiled.
#[derive(Clone, Debug)]
pub struct MovingClock {
    library: PathBuf,
}

impl MovingClock {
    /// Compiles the library, unless it lies compiled beside this program already.
    ///
    /// # Errors
    /// There is no C compiler (`cc`), or the folder of this program cannot be written to.
    pub fn build() -> Result<Self, PreloadError> {
        Ok(Self { library: compiled("moving_clock", SOURCE)? })
    }

    /// Makes a command believe that it is started at `moment`, to the second. To be called after the
    /// command's environment was cleared.
    pub fn command<'a>(&self, command: &'a mut Command, moment: Timestamp) -> &'a mut Command {
        let by = moment.as_second() - SystemClock::new().now().as_second();
        add(command, &self.library).env("CLOCK_OFFSET", by.to_string())
    }
}
