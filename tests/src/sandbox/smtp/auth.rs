//! Logging in: SASL PLAIN (RFC 4616) and LOGIN.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::behaviour::Login;
use super::connection::Connection;

/// Asks for what a mechanism needs, and says whether it was right; `None` if the mechanism is not offered.
pub(super) fn log_in(
    connection: &mut Connection,
    login: &Login,
    mechanism: &str,
    initial: Option<&str>,
) -> io::Result<Option<bool>> {
    if !login.mechanisms.contains(&mechanism) {
        return Ok(None);
    }
    match mechanism {
        "PLAIN" => {
            let said = match initial {
                Some(said) => decoded(said.as_bytes()),
                None => asked(connection, "")?,
            };
            let right = format!("\0{}\0{}", login.user, login.password);
            // A client may name itself as the one that it acts for.
            let named = format!("{}{right}", login.user);
            Ok(Some(said == right.as_bytes() || said == named.as_bytes()))
        }
        "LOGIN" => {
            let user = match initial {
                Some(said) => decoded(said.as_bytes()),
                None => asked(connection, "Username:")?,
            };
            let password = asked(connection, "Password:")?;
            Ok(Some(user == login.user.as_bytes() && password == login.password.as_bytes()))
        }
        _ => Ok(None),
    }
}

fn asked(connection: &mut Connection, question: &str) -> io::Result<Vec<u8>> {
    connection.line(&format!("334 {}", STANDARD.encode(question)));
    Ok(decoded(&connection.read_line()?))
}

fn decoded(said: &[u8]) -> Vec<u8> {
    // What is not base64 is nobody's password.
    STANDARD.decode(said).unwrap_or_default()
}
