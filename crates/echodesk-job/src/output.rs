//! Standard output.

use std::io::{self, Write};

/// Writes text to standard output. A reader that has gone away (`| head`) has read what it wanted: that
/// is no error. A full disk is one, because what is missing then is what somebody asked for.
///
/// # Errors
/// It cannot be written, and somebody may still be reading.
pub fn print(text: &[u8]) -> io::Result<()> {
    print_to(&mut io::stdout().lock(), text)
}

fn print_to(out: &mut impl Write, text: &[u8]) -> io::Result<()> {
    match out.write_all(text).and_then(|()| out.flush()) {
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
        assert!(print_to(&mut Refusing(io::ErrorKind::BrokenPipe), b"x").is_ok());
        assert!(print_to(&mut Refusing(io::ErrorKind::StorageFull), b"x").is_err());
    }
}
