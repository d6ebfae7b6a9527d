//! The name of a mail server, and nothing but the name.

use std::net::IpAddr;

use super::{EmailSettingsError, wrong};

const NAME: &str = "EMAIL_HOST";

pub(super) fn host(text: &str) -> Result<String, EmailSettingsError> {
    let host = text.trim();
    // Whatever follows a scheme may hold a password, so it is not shown.
    if host.contains("://") || host.contains('@') {
        let problem = "it is a URL; give the server's name alone, its port in EMAIL_PORT, and the user in \
                       EMAIL_HOST_USER and EMAIL_HOST_PASSWORD; smtps:// is EMAIL_USE_SSL=True";
        return Err(wrong(NAME, problem));
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !is_address(host) => {
            let is_plain = !name.is_empty() && port.parse::<u16>().is_ok();
            let example =
                if is_plain { format!("EMAIL_HOST={name} and EMAIL_PORT={port}") } else { "EMAIL_PORT".to_owned() };
            Err(wrong(NAME, format!("a port does not belong into it: set {example}")))
        }
        _ => Ok(host.to_owned()),
    }
}

fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_name_or_an_address_and_nothing_more() {
        for text in ["mail.acme.example", " localhost ", "192.0.2.1", "::1", "[::1]", "2001:db8::25"] {
            assert_eq!(host(text), Ok(text.trim().to_owned()));
        }
        for (text, words) in [
            ("smtp://mail.acme.example", "EMAIL_USE_SSL=True"),
            ("smtps://jobs:hunter2@mail.acme.example", "EMAIL_HOST_PASSWORD"),
            ("jobs:hunter2@mail.acme.example", "EMAIL_HOST_PASSWORD"),
            ("mail.acme.example:2525", "set EMAIL_HOST=mail.acme.example and EMAIL_PORT=2525"),
            ("[::1]:25", "set EMAIL_HOST=[::1] and EMAIL_PORT=25"),
            ("mail.acme.example:smtp", "set EMAIL_PORT"),
            (":25", "set EMAIL_PORT"),
        ] {
            let error = host(text).unwrap_err();
            assert!(error.name == NAME && error.problem.contains(words), "{text}: {error}");
            assert!(!error.problem.contains("hunter2"));
        }
    }
}
