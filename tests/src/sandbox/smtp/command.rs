//! What a client asks for.

/// A command, as far as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// EHLO; HELO if not extended.
    Hello {
        extended: bool,
    },
    StartTls,
    /// The mechanism in capitals, and the initial response.
    Auth {
        mechanism: String,
        initial: Option<String>,
    },
    MailFrom(Path),
    RcptTo(Path),
    Data,
    Rset,
    Noop,
    Quit,
    Unknown,
    /// Known, and wrong.
    Malformed,
}

/// An address with the parameters after it, these in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) address: String,
    pub(super) parameters: Vec<String>,
}

/// Reads a line as a command.
pub(super) fn parse(line: &str) -> Command {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let alone = |command: Command| if rest.is_empty() { command } else { Command::Malformed };
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" if !rest.is_empty() => Command::Hello { extended: true },
        "HELO" if !rest.is_empty() => Command::Hello { extended: false },
        "EHLO" | "HELO" => Command::Malformed,
        "STARTTLS" => alone(Command::StartTls),
        "AUTH" => {
            let mut words = rest.split(' ');
            let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
            Command::Auth { mechanism, initial: words.next().map(str::to_owned) }
        }
        "MAIL" => path(rest, "FROM:").map_or(Command::Malformed, Command::MailFrom),
        "RCPT" => path(rest, "TO:").map_or(Command::Malformed, Command::RcptTo),
        "DATA" => alone(Command::Data),
        "RSET" => alone(Command::Rset),
        "NOOP" => Command::Noop,
        "QUIT" => alone(Command::Quit),
        _ => Command::Unknown,
    }
}

fn path(rest: &str, name: &str) -> Option<Path> {
    let start = rest.get(..name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    let (address, parameters) = rest[name.len()..].strip_prefix('<')?.split_once('>')?;
    let parameters = parameters.split_ascii_whitespace().map(str::to_ascii_uppercase).collect();
    Some(Path { address: address.to_owned(), parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_whatever_their_case() {
        let path = |address: &str, parameters: &[&str]| Path {
            address: address.to_owned(),
            parameters: parameters.iter().map(|text| (*text).to_owned()).collect(),
        };
        for (line, command) in [
            ("ehlo [127.0.0.1]", Command::Hello { extended: true }),
            ("HELO", Command::Malformed),
            ("mail from:<a@x> body=8bitmime", Command::MailFrom(path("a@x", &["BODY=8BITMIME"]))),
            ("MAIL FROM:<>", Command::MailFrom(path("", &[]))),
            ("MAIL FROM: <a@x>", Command::Malformed),
            ("RCPT TO:<ნ@x>", Command::RcptTo(path("ნ@x", &[]))),
            ("RCPT TO:a@x", Command::Malformed),
            ("AUTH plain AGE=", Command::Auth { mechanism: "PLAIN".to_owned(), initial: Some("AGE=".to_owned()) }),
            ("DATA now", Command::Malformed),
            ("NOOP whatever", Command::Noop),
            ("VRFY a", Command::Unknown),
        ] {
            assert_eq!(parse(line), command, "{line}");
        }
    }
}
