//! Text for people, in colours on a terminal.

use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal as _, Write as _, stdout};
use std::path::Path;

use echodesk_core::Environment;

/// The error of a play that nobody reads any more, as with `| head`.
pub(crate) const NOBODY_READS: &str = "nobody reads what is printed any more";

/// Prints a line, written as for `format!`.
macro_rules! say {
    ($($text:tt)*) => { $crate::screen::print_line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Prints a line; unlike `println!` without a panic where standard output is closed.
pub(crate) fn print_line(line: Arguments<'_>) -> Result<(), String> {
    writeln!(stdout().lock(), "{line}").map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => NOBODY_READS.to_owned(),
        _ => format!("standard output: {error}"),
    })
}

/// Where the play is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    colours: bool,
}

impl Screen {
    /// Standard output. Colours need a terminal and no objection (no-color.org).
    pub(crate) fn new() -> Self {
        let objection = Environment::load(Path::new("/dev/null")).is_ok_and(|known| known.get("NO_COLOR").is_some());
        Self { colours: stdout().is_terminal() && !objection }
    }

    /// A line above a part.
    pub(crate) fn title(&self, text: &str) -> Result<(), String> {
        say!("{}", self.strong(text))
    }

    /// What matters.
    pub(crate) fn strong(&self, text: &str) -> String {
        self.painted("1", text)
    }

    /// What has gone wrong for a customer.
    pub(crate) fn bad(&self, text: &str) -> String {
        self.painted("31", text)
    }

    /// What has gone well.
    pub(crate) fn good(&self, text: &str) -> String {
        self.painted("32", text)
    }

    /// What a mail says.
    pub(crate) fn mail(&self, text: &str) -> String {
        self.painted("36", text)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
