//! One client's session, from greeting to goodbye.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use echodesk_core::Clock as _;

use super::auth::log_in;
use super::behaviour::Extension;
use super::command::{Command, Path, parse};
use super::connection::Connection;
use super::fault::{Fault, Point, Stage, Wrong};
use super::mail::ReceivedMail;
use super::{Shared, lock};

/// Serves a client until it goes or is sent away.
pub(super) fn serve(shared: &Shared, stream: TcpStream, number: usize, implicit_tls: bool) -> io::Result<()> {
    let mut connection = Connection::new(stream)?;
    if implicit_tls {
        connection.secure(&shared.acceptor.0)?;
    }
    let mut session =
        Session { shared, connection, number, hello: None, user: None, envelope: None, mail: 0, taken: 0 };
    session.act(Stage::Greeting, |_| Ok("220 sandbox ESMTP".to_owned()))?;
    while session.step()? {}
    session.connection.flush()
}

struct Session<'a> {
    shared: &'a Shared,
    connection: Connection,
    number: usize,
    /// How it said hello: whether by EHLO.
    hello: Option<bool>,
    user: Option<String>,
    envelope: Option<Envelope>,
    /// The number of the last MAIL FROM, over all connections.
    mail: usize,
    /// Mails that this connection has brought.
    taken: usize,
}

#[derive(Clone, Debug, Default)]
struct Envelope {
    from: String,
    parameters: Vec<String>,
    to: Vec<String>,
}

impl Session<'_> {
    /// Obeys one command. Whether to go on.
    fn step(&mut self) -> io::Result<bool> {
        let line = String::from_utf8_lossy(&self.connection.read_line()?).into_owned();
        let command = parse(&line);
        let secret = matches!(command, Command::Auth { .. });
        lock(&self.shared.log).push(if secret { "AUTH …".to_owned() } else { line });
        match command {
            Command::Hello { extended } => self.act(Stage::Hello, |session| session.hello(extended)),
            Command::StartTls => self.start_tls(),
            Command::Auth { mechanism, initial } => {
                self.act(Stage::Auth, |session| session.auth(&mechanism, initial.as_deref()))
            }
            Command::MailFrom(path) => {
                self.mail = self.shared.transactions.fetch_add(1, Ordering::Relaxed) + 1;
                self.act(Stage::MailFrom, |session| Ok(session.mail_from(path)))
            }
            Command::RcptTo(path) => self.recipient(path),
            Command::Data => self.data(),
            Command::Rset => {
                self.envelope = None;
                self.say("250 2.0.0 forgotten")
            }
            Command::Noop => self.say("250 2.0.0 nothing done"),
            Command::Quit => {
                self.act(Stage::Quit, |_| Ok("221 2.0.0 goodbye".to_owned()))?;
                Ok(false)
            }
            Command::Unknown => self.say("500 5.5.2 unknown command"),
            Command::Malformed => self.say("501 5.5.4 that is not how it is written"),
        }
    }

    /// Does what a stage is about and says what came of it, unless something goes wrong. Whether to go on.
    fn act(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> io::Result<String>) -> io::Result<bool> {
        match self.shared.faults.at(stage, || self.point(stage)) {
            None => {
                let answer = work(self)?;
                self.say(&answer)
            }
            Some(Fault::Late(by)) => {
                let answer = work(self)?;
                self.connection.flush()?;
                self.pause(by)?;
                self.say(&answer)
            }
            Some(Fault::Before(wrong)) => self.wrong(&wrong),
            Some(Fault::After(wrong)) => {
                work(self)?;
                self.wrong(&wrong)
            }
        }
    }

    fn wrong(&mut self, wrong: &Wrong) -> io::Result<bool> {
        match wrong {
            Wrong::Says(words) => self.say(words),
            Wrong::HangsUp => {
                self.connection.flush()?;
                Err(ErrorKind::ConnectionAborted.into())
            }
            Wrong::Stalls => self.connection.stall().map(|()| false),
        }
    }

    /// Whether to go on after it.
    fn say(&mut self, answer: &str) -> io::Result<bool> {
        self.connection.line(answer);
        Ok(!answer.starts_with("421"))
    }

    fn point(&self, stage: Stage) -> Point {
        let envelope = self.envelope.clone().unwrap_or_default();
        let from = self.envelope.is_some().then_some(envelope.from);
        Point { stage, connection: self.number, mail: self.mail, from, to: envelope.to }
    }

    /// Waits; an error once the server is being stopped.
    fn pause(&self, time: Duration) -> io::Result<()> {
        const STEP: Duration = Duration::from_millis(10);
        for _ in 0..time.as_millis() / STEP.as_millis() {
            if self.shared.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            thread::sleep(STEP);
        }
        Ok(())
    }

    fn hello(&mut self, extended: bool) -> io::Result<String> {
        (self.hello, self.envelope) = (Some(extended), None);
        if !extended {
            return Ok("250 sandbox".to_owned());
        }
        let behaviour = &self.shared.behaviour;
        let secure = self.connection.is_secure();
        let offered = behaviour.extensions.iter().filter(|extension| **extension != Extension::StartTls || !secure);
        let mut lines: Vec<String> = offered.map(|extension| extension.line(behaviour)).collect();
        if let Some(login) = behaviour.login.as_ref().filter(|_| self.may_log_in()) {
            lines.push(format!("AUTH {}", login.mechanisms.join(" ")));
        }
        let Some(last) = lines.pop() else { return Ok("250 sandbox".to_owned()) };
        self.connection.line("250-sandbox");
        for line in lines {
            self.connection.line(&format!("250-{line}"));
        }
        Ok(format!("250 {last}"))
    }

    /// Passwords do not go over the wire in plain text where TLS can be had.
    fn may_log_in(&self) -> bool {
        self.connection.is_secure() || !self.shared.behaviour.offers(Extension::StartTls)
    }

    fn start_tls(&mut self) -> io::Result<bool> {
        if self.connection.is_secure() || !self.shared.behaviour.offers(Extension::StartTls) {
            return self.say("502 5.5.1 not here");
        }
        let mut agreed = false;
        let goes_on = self.act(Stage::StartTls, |_| {
            agreed = true;
            Ok("220 2.0.0 go ahead".to_owned())
        })?;
        if agreed {
            self.connection.secure(&self.shared.acceptor.0)?;
            // Everything said before has to be said again (RFC 3207, 4.2).
            (self.hello, self.user, self.envelope) = (None, None, None);
        }
        Ok(goes_on)
    }

    fn auth(&mut self, mechanism: &str, initial: Option<&str>) -> io::Result<String> {
        let shared = self.shared;
        let Some(login) = &shared.behaviour.login else { return Ok("503 5.5.1 nobody logs in here".to_owned()) };
        if !self.may_log_in() {
            return Ok("538 5.7.11 not without TLS".to_owned());
        }
        if self.user.is_some() || self.hello != Some(true) {
            return Ok("503 5.5.1 not now".to_owned());
        }
        Ok(match log_in(&mut self.connection, login, mechanism, initial)? {
            None => "504 5.5.4 another mechanism".to_owned(),
            Some(false) => "535 5.7.8 wrong user or password".to_owned(),
            Some(true) => {
                self.user = Some(login.user.clone());
                "235 2.7.0 logged in".to_owned()
            }
        })
    }

    fn mail_from(&mut self, path: Path) -> String {
        let behaviour = &self.shared.behaviour;
        if self.hello.is_none() || self.envelope.is_some() {
            return "503 5.5.1 not now".to_owned();
        }
        if behaviour.wants_tls && !self.connection.is_secure() {
            return "530 5.7.0 STARTTLS first".to_owned();
        }
        if behaviour.login.is_some() && self.user.is_none() {
            return "530 5.7.0 log in first".to_owned();
        }
        let offered = |parameter: &str| match parameter {
            "BODY=7BIT" | "BODY=8BITMIME" => behaviour.offers(Extension::EightBitMime),
            "SMTPUTF8" => behaviour.offers(Extension::SmtpUtf8),
            other => other.starts_with("SIZE=") && behaviour.offers(Extension::Size),
        };
        if self.hello == Some(false) && !path.parameters.is_empty() || !path.parameters.iter().all(|text| offered(text))
        {
            return "555 5.5.4 that was not offered".to_owned();
        }
        let utf8 = path.parameters.iter().any(|parameter| parameter == "SMTPUTF8");
        if !path.address.is_ascii() && !utf8 {
            return "553 5.6.7 not without SMTPUTF8".to_owned();
        }
        self.envelope = Some(Envelope { from: path.address, parameters: path.parameters, to: Vec::new() });
        "250 2.1.0 sender ok".to_owned()
    }

    fn recipient(&mut self, path: Path) -> io::Result<bool> {
        let Some(envelope) = &mut self.envelope else { return self.say("503 5.5.1 not now") };
        let utf8 = envelope.parameters.iter().any(|parameter| parameter == "SMTPUTF8");
        if !path.parameters.is_empty() || !path.address.contains('@') || !path.address.is_ascii() && !utf8 {
            return self.say("553 5.1.3 that is no address");
        }
        // Rules see whom it is about.
        envelope.to.push(path.address);
        let mut taken = false;
        let goes_on = self.act(Stage::Recipient, |_| {
            taken = true;
            Ok("250 2.1.5 recipient ok".to_owned())
        })?;
        if let (false, Some(envelope)) = (taken, &mut self.envelope) {
            envelope.to.pop();
        }
        Ok(goes_on)
    }

    fn data(&mut self) -> io::Result<bool> {
        if self.envelope.as_ref().is_none_or(|envelope| envelope.to.is_empty()) {
            return self.say("503 5.5.1 no valid recipients");
        }
        let mut agreed = false;
        let goes_on = self.act(Stage::Data, |_| {
            agreed = true;
            Ok("354 go ahead".to_owned())
        })?;
        if !agreed || !goes_on {
            return Ok(goes_on);
        }
        if let Some(Fault::Before(wrong) | Fault::After(wrong)) =
            self.shared.faults.at(Stage::Content, || self.point(Stage::Content))
        {
            self.connection.wait()?;
            // Whatever is said in the middle of the content, nothing sensible can follow.
            self.wrong(&wrong)?;
            return Ok(false);
        }
        let content = self.connection.read_content(self.shared.behaviour.max_size)?;
        let goes_on = self.act(Stage::Message, |session| Ok(session.take(content)))?;
        // With or without success, the next mail begins anew (RFC 5321, 4.1.1.4).
        self.envelope = None;
        let full = self.shared.behaviour.mails_per_connection.is_some_and(|most| self.taken >= most);
        Ok(goes_on && !full)
    }

    fn take(&mut self, content: Option<Vec<u8>>) -> String {
        let (Some(bytes), Some(envelope)) = (content, self.envelope.take()) else {
            return "552 5.3.4 too long".to_owned();
        };
        let mail = ReceivedMail {
            at: self.shared.clock.now(),
            connection: self.number,
            secure: self.connection.is_secure(),
            user: self.user.clone(),
            from: envelope.from,
            to: envelope.to,
            parameters: envelope.parameters,
            bytes: if self.shared.behaviour.keeps_content { bytes } else { Vec::new() },
        };
        self.taken += 1;
        let mut mails = lock(&self.shared.mails);
        mails.push(mail);
        format!("250 2.0.0 taken as {}", mails.len())
    }
}
