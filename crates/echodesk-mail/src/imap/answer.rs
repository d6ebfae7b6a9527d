//! The server's words, made fit to be shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use echodesk_core::Secret;

/// The most characters of an answer that are kept.
const LONGEST: usize = 200;

/// The words of an answer without control characters, cut to 200 characters.
pub(super) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The same for the answer to a login, which must not carry the password: there are servers that
/// repeat the line that they did not understand.
pub(super) fn shown_without(text: &[u8], username: &str, password: &Secret) -> String {
    let all: String = String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect();
    let all = all.to_lowercase();
    let password = password.expose();
    let sent = [
        password.to_owned(),
        password.replace('\\', "\\\\").replace('"', "\\\""),
        STANDARD.encode(password),
        STANDARD.encode(plain_response(username, password)),
    ];
    let repeats = !password.is_empty()
        && sent.iter().any(|form| {
            let form: String = form.chars().filter(|c| !c.is_control()).collect();
            all.contains(&form.to_lowercase())
        });
    if repeats { "(the answer repeats the password and is not shown)".to_owned() } else { shown(text) }
}

/// What SASL PLAIN sends (RFC 4616): no authorization identity, the name, the password.
pub(super) fn plain_response(username: &str, password: &str) -> String {
    format!("\0{username}\0{password}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_cut_and_cleaned() {
        assert_eq!(shown(b" [ALERT] a\x1b[31m\r\nb\xff "), "[ALERT] a[31mb\u{fffd}");
        assert_eq!(shown("ქ".repeat(500).as_bytes()).chars().count(), 200);
    }

    #[test]
    fn an_answer_that_repeats_the_password_is_not_shown() {
        let password = Secret::new("pa\"ss\\w");
        for echo in [
            "BAD LOGIN user \"pa\\\"ss\\\\w\"".to_owned(),
            "NO PA\"SS\\W".to_owned(),
            format!("BAD {}", STANDARD.encode("\0user\0pa\"ss\\w")),
            format!("{} pa\"ss\\w", "x".repeat(195)),
            "pa\"s\x01s\\w".to_owned(),
        ] {
            let shown = shown_without(echo.as_bytes(), "user", &password);
            assert_eq!(shown, "(the answer repeats the password and is not shown)", "{echo}");
        }
        assert_eq!(shown_without(b"NO wrong", "user", &password), "NO wrong");
        assert_eq!(shown_without(b"NO wrong", "user", &Secret::new("")), "NO wrong");
    }
}
