//! The password of a new mailbox: never from an argument, which others on the machine can see.

use std::io::{self, IsTerminal, Read};

use echodesk_core::Secret;

/// No mail server takes longer ones.
const LONGEST: u64 = 4096;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("give it on standard input: --password-stdin < FILE")]
    NotGiven,
    #[error("standard input holds none")]
    Empty,
    #[error("standard input holds more than one line")]
    Lines,
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    #[error("it is not valid UTF-8 text without control characters")]
    NotText,
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
}

/// Reads the password from standard input; on a terminal it is asked for and not echoed.
pub(crate) fn read(from_stdin: bool) -> Result<Secret, PasswordError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let typed = rpassword::prompt_password("Password of the mailbox: ").map_err(PasswordError::Unreadable)?;
        return one_line(&mut typed.as_bytes());
    }
    if !from_stdin {
        return Err(PasswordError::NotGiven);
    }
    one_line(&mut stdin.lock())
}

/// One line, with or without its end. Anything behind it is no part of a password but a mistake.
fn one_line(input: &mut dyn Read) -> Result<Secret, PasswordError> {
    let mut bytes = Vec::new();
    input.take(LONGEST + 3).read_to_end(&mut bytes).map_err(PasswordError::Unreadable)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() as u64 > LONGEST {
        return Err(PasswordError::TooLong);
    }
    if line.is_empty() {
        return Err(PasswordError::Empty);
    }
    if line.contains(&b'\n') {
        return Err(PasswordError::Lines);
    }
    match std::str::from_utf8(line) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(Secret::new(text)),
        _ => Err(PasswordError::NotText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(input: &[u8]) -> Result<String, PasswordError> {
        one_line(&mut &*input).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn one_line_is_a_password_without_its_end() {
        for input in ["hunter2", "hunter2\n", "hunter2\r\n"] {
            assert_eq!(given(input.as_bytes()).unwrap(), "hunter2", "{input:?}");
        }
        assert_eq!(given(" with spaces \n".as_bytes()).unwrap(), " with spaces ");
        assert_eq!(given("пароль:\"\\\n".as_bytes()).unwrap(), "пароль:\"\\");
        assert_eq!(given("x".repeat(4096).as_bytes()).unwrap().len(), 4096);
    }

    #[test]
    fn what_is_no_password_is_refused() {
        assert!(matches!(given(b""), Err(PasswordError::Empty)));
        assert!(matches!(given(b"\n"), Err(PasswordError::Empty)));
        assert!(matches!(given(b"\r\n"), Err(PasswordError::Empty)));
        assert!(matches!(given(b"one\ntwo\n"), Err(PasswordError::Lines)));
        assert!(matches!(given(b"a\0b"), Err(PasswordError::NotText)));
        assert!(matches!(given(b"\xff\xfe"), Err(PasswordError::NotText)));
        assert!(matches!(given("x".repeat(4097).as_bytes()), Err(PasswordError::TooLong)));
        assert!(matches!(given(&b"x".repeat(9000)), Err(PasswordError::TooLong)));
    }

    #[test]
    fn an_error_does_not_show_what_was_given() {
        let error = given(b"hunter2\nhunter3\n").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }
}
