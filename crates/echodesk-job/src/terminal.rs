//! Standard error, shared by log lines and the progress line, so that neither writes into the other.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Back to the start of the line and erase it (ECMA-48: CR, EL 2).
const ERASE: &[u8] = b"\r\x1b[2K";

/// A stream with at most one line at its end that is redrawn in place.
#[derive(Clone)]
pub struct Terminal {
    screen: Arc<Mutex<Screen>>,
    interactive: bool,
}

struct Screen {
    out: Box<dyn Write + Send>,
    /// The line in place; empty if there is none.
    line: String,
}

impl Terminal {
    /// Standard error; interactive if it is a terminal that understands more than plain text.
    #[must_use]
    pub fn stderr(term: Option<&str>) -> Self {
        let interactive = io::stderr().is_terminal() && term != Some("dumb");
        Self::new(Box::new(io::stderr()), interactive)
    }

    /// Any stream.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, interactive: bool) -> Self {
        Self { screen: Arc::new(Mutex::new(Screen { out, line: String::new() })), interactive }
    }

    /// Whether a line can be redrawn in place here.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Shows `line` in place of the line shown before; an empty one removes it. Does nothing where
    /// lines cannot be redrawn.
    pub fn show(&self, line: &str) {
        if !self.interactive {
            return;
        }
        let mut screen = self.lock();
        if screen.line != line {
            screen.line = line.to_owned();
            // Nobody can be told that standard error is gone.
            drop(screen.redraw());
        }
    }

    /// Writes whole lines above the line in place.
    ///
    /// # Errors
    /// The stream cannot be written to.
    pub fn print(&self, text: &[u8]) -> io::Result<()> {
        let mut screen = self.lock();
        if !screen.line.is_empty() {
            screen.out.write_all(ERASE)?;
        }
        screen.out.write_all(text)?;
        if screen.line.is_empty() { screen.out.flush() } else { screen.redraw() }
    }

    /// A stream of whole lines above the line in place, left as they are.
    #[must_use]
    pub fn writer(&self) -> Box<dyn Write + Send> {
        Box::new(LineWriter(self.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Screen> {
        // A panic in a writer leaves at worst half a line.
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Screen {
    fn redraw(&mut self) -> io::Result<()> {
        self.out.write_all(ERASE)?;
        self.out.write_all(self.line.as_bytes())?;
        self.out.flush()
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = EventWriter;

    fn make_writer(&'a self) -> Self::Writer {
        EventWriter(self.clone())
    }
}

struct LineWriter(Terminal);

impl Write for LineWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.print(lines)?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes one formatted event per call, which is how tracing-subscriber hands them over.
pub struct EventWriter(Terminal);

impl Write for EventWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.print(&as_one_line(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Line breaks inside an event (the words of a server, say) would look like events of their own.
fn as_one_line(event: &[u8]) -> Vec<u8> {
    let content = event.strip_suffix(b"\n").unwrap_or(event);
    let mut line = Vec::with_capacity(event.len());
    for byte in content {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A stream that a test can look into.
    #[derive(Clone, Default)]
    pub(crate) struct Seen(Arc<Mutex<Vec<u8>>>);

    impl Seen {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What remains on the screen after the escape sequences have done their work.
    fn on_screen(text: &str) -> Vec<&str> {
        text.split('\n').map(|line| line.rsplit("\r\x1b[2K").next().unwrap_or(line)).collect()
    }

    #[test]
    fn a_log_line_goes_above_the_progress_line() {
        let seen = Seen::default();
        let terminal = Terminal::new(Box::new(seen.clone()), true);
        terminal.show("1/3 mailboxes");
        terminal.make_writer().write_all(b"INFO one\n").unwrap();
        terminal.show("2/3 mailboxes");
        terminal.make_writer().write_all(b"INFO two\n").unwrap();
        assert_eq!(on_screen(&seen.text()), ["INFO one", "INFO two", "2/3 mailboxes"]);
        terminal.show("");
        terminal.make_writer().write_all(b"INFO three\n").unwrap();
        assert_eq!(on_screen(&seen.text()), ["INFO one", "INFO two", "INFO three", ""]);
    }

    #[test]
    fn a_stream_that_is_no_terminal_gets_no_escape_sequences() {
        let seen = Seen::default();
        let terminal = Terminal::new(Box::new(seen.clone()), false);
        terminal.show("1/3 mailboxes");
        terminal.make_writer().write_all(b"INFO one\n").unwrap();
        assert_eq!(seen.text(), "INFO one\n");
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        assert_eq!(as_one_line(b"a\r\nFAKE event\n"), b"a\\r\\nFAKE event\n");
        assert_eq!(as_one_line(b"no end"), b"no end\n");
    }
}
