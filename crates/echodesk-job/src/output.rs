//! Standard output.

use std::io::{self, Write};

/// Writes text to standard output. A reader that has gone away (`| head`) has read what it wanted: that
/// is no error. A full disk is one, because what is missing then is what somebody asked for.
///
/// # Errors
/// It cannot be written, and somebody may still be reading.
pub fn print(text: &[u8]) -> io::Result<()> {
    stream(|out| out.write_all(text))
}

/// Like [`print()`], for what is longer than memory should hold.
///
/// # Errors
/// It cannot be written, and somebody may still be reading; or `write` fails.
pub fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    stream_to(&mut io::stdout().lock(), write)
}

fn stream_to(out: &mut dyn Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match write(out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_away_is_no_error_and_a_full_disk_is() {
        let write = |out: &mut dyn Write| out.write_all(b"x");
        assert!(stream_to(&mut Refusing(io::ErrorKind::BrokenPipe), write).is_ok());
        assert!(stream_to(&mut Refusing(io::ErrorKind::StorageFull), write).is_err());
    }
}
