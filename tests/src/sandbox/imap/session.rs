//! One client's session: commands in, answers out, misbehaviour where it was asked for.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use native_tls::TlsAcceptor;

use super::behaviour::{Behaviour, Misbehaviour};
use super::command::{Argument, Command};
use super::connection::Connection;
use super::store::SharedStore;
use super::{Log, answers, utf7};

mod fetch;
mod folders;

/// What all sessions of a server share.
#[derive(Clone)]
pub(super) struct World {
    pub(super) store: SharedStore,
    pub(super) log: Log,
    pub(super) behaviour: Arc<Behaviour>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) implicit_tls: bool,
}

struct Session<'a> {
    world: &'a World,
    connection: Connection,
    user: Option<String>,
    /// The open folder, and whether it may be changed (SELECT).
    selected: Option<(String, bool)>,
    /// Whether the client has shown that it knows RFC 7162.
    condstore: bool,
}

/// How a command ended.
enum Outcome {
    Ok(String),
    No(String),
    Bad(String),
    /// The connection is to be closed after what has been said.
    Close,
}

fn ok(text: &str) -> io::Result<Outcome> {
    Ok(Outcome::Ok(text.to_owned()))
}

fn no(text: &str) -> io::Result<Outcome> {
    Ok(Outcome::No(text.to_owned()))
}

fn bad(text: &str) -> io::Result<Outcome> {
    Ok(Outcome::Bad(text.to_owned()))
}

/// Serves one connection to its end.
pub(super) fn serve(world: &World, stream: TcpStream) -> io::Result<()> {
    let mut connection = Connection::new(stream, Arc::clone(&world.stop))?;
    if world.implicit_tls {
        connection.secure(&world.acceptor)?;
    }
    let mut session = Session { world, connection, user: None, selected: None, condstore: false };
    session.run()
}

impl Session<'_> {
    fn run(&mut self) -> io::Result<()> {
        if self.wrong(Misbehaviour::StallAtGreeting) {
            return self.connection.stall();
        }
        if self.wrong(Misbehaviour::ByeGreeting) {
            self.connection.line("* BYE too many connections, come back later")?;
            return self.connection.flush();
        }
        let greeting = format!("* OK [CAPABILITY {}] sandbox ready", self.capabilities());
        self.connection.line(&greeting)?;
        loop {
            let Some(command) = self.connection.command()? else {
                self.connection.line("* BAD what?")?;
                continue;
            };
            self.log(&command);
            let outcome = self.execute(&command)?;
            if self.wrong(Misbehaviour::Unsolicited) {
                self.unsolicited()?;
            }
            if self.wrong(Misbehaviour::Malformed) {
                self.malformed()?;
            }
            let tag = if self.wrong(Misbehaviour::WrongTag) { "zz99" } else { &command.tag };
            match outcome {
                Outcome::Ok(text) => self.connection.line(&format!("{tag} OK {text}"))?,
                Outcome::No(text) => self.connection.line(&format!("{tag} NO {text}"))?,
                Outcome::Bad(text) => self.connection.line(&format!("{tag} BAD {text}"))?,
                Outcome::Close => {
                    self.connection.flush()?;
                    return Ok(());
                }
            }
            if command.name == "STARTTLS" && !self.connection.is_secure() && !self.wrong(Misbehaviour::NoStartTls) {
                if self.wrong(Misbehaviour::StartTlsInjection) {
                    self.connection.line("* CAPABILITY IMAP4rev1 INJECTED")?;
                }
                self.connection.flush()?;
                self.connection.secure(&self.world.acceptor)?;
            }
        }
    }

    fn wrong(&self, misbehaviour: Misbehaviour) -> bool {
        self.world.behaviour.has(misbehaviour)
    }

    fn log(&self, command: &Command) {
        let mut line = command.name.clone();
        if !matches!(command.name.as_str(), "LOGIN" | "AUTHENTICATE") {
            for argument in &command.arguments {
                line.push(' ');
                line.push_str(&render(argument));
            }
        }
        self.world.log.add(line);
    }

    fn execute(&mut self, command: &Command) -> io::Result<Outcome> {
        let secure = self.connection.is_secure();
        match (command.name.as_str(), self.user.is_some()) {
            ("CAPABILITY", _) => {
                let line = format!("* CAPABILITY {}", self.capabilities());
                self.connection.line(&line)?;
                ok("done")
            }
            ("NOOP", _) => ok("done"),
            ("ID", _) => {
                self.connection.line("* ID (\"name\" \"sandbox\")")?;
                ok("done")
            }
            ("LOGOUT", _) => {
                self.connection.line("* BYE see you")?;
                self.connection.line(&format!("{} OK done", command.tag))?;
                Ok(Outcome::Close)
            }
            ("STARTTLS", false) if !secure && !self.wrong(Misbehaviour::NoStartTls) => ok("begin"),
            ("STARTTLS", _) => bad("not now"),
            ("LOGIN" | "AUTHENTICATE", false) if !secure => no("[PRIVACYREQUIRED] TLS first"),
            ("LOGIN", false) => match &command.arguments[..] {
                [user, password] => self.log_in(user.text(), password.text()),
                _ => bad("LOGIN user password"),
            },
            ("AUTHENTICATE", false) => self.authenticate(command),
            (_, false) => bad("log in first"),
            ("NAMESPACE", true) => {
                self.connection.line("* NAMESPACE ((\"\" \"/\")) NIL NIL")?;
                ok("done")
            }
            ("ENABLE", true) => {
                self.condstore |= command.arguments.iter().any(|argument| argument.keyword() == "CONDSTORE");
                self.connection.line(if self.condstore { "* ENABLED CONDSTORE" } else { "* ENABLED" })?;
                ok("done")
            }
            ("LIST", true) => self.list(command),
            ("STATUS", true) => self.status(command),
            ("SELECT" | "EXAMINE", true) => self.open(command),
            ("UNSELECT" | "CLOSE", true) => {
                self.selected = None;
                ok("done")
            }
            ("UID FETCH", true) => self.fetch(command, true),
            ("FETCH", true) => self.fetch(command, false),
            ("UID SEARCH", true) => self.search(command),
            _ => bad("unknown command"),
        }
    }

    /// Before log in only what is needed for it; the rest is told afterwards, as Dovecot does.
    fn capabilities(&self) -> String {
        if self.user.is_some() {
            return self.world.behaviour.capabilities.join(" ");
        }
        let mut offered = vec!["IMAP4rev1"];
        offered.extend(["SASL-IR", "LITERAL+", "ID"].into_iter().filter(|name| self.world.behaviour.offers(name)));
        if self.connection.is_secure() {
            offered.push("AUTH=PLAIN");
        } else {
            if !self.wrong(Misbehaviour::NoStartTls) {
                offered.push("STARTTLS");
            }
            offered.push("LOGINDISABLED");
        }
        offered.join(" ")
    }

    fn log_in(&mut self, user: &str, password: &str) -> io::Result<Outcome> {
        if self.wrong(Misbehaviour::StallAtLogin) {
            self.connection.stall()?;
        }
        if self.wrong(Misbehaviour::Unavailable) {
            return no("[UNAVAILABLE] the user database is away");
        }
        let right = self.world.store.lock().accounts.get(user).is_some_and(|account| account.password == password);
        if !right || self.wrong(Misbehaviour::WrongPassword) {
            return no("[AUTHENTICATIONFAILED] Authentication failed.");
        }
        self.user = Some(user.to_owned());
        Ok(Outcome::Ok(format!("[CAPABILITY {}] logged in", self.capabilities())))
    }

    /// AUTHENTICATE PLAIN (RFC 4616), with the response in the command or after it.
    fn authenticate(&mut self, command: &Command) -> io::Result<Outcome> {
        let response = match &command.arguments[..] {
            [mechanism, response] if mechanism.keyword() == "PLAIN" => response.text().as_bytes().to_vec(),
            [mechanism] if mechanism.keyword() == "PLAIN" => {
                self.connection.line("+ ")?;
                self.connection.read_line()?
            }
            _ => return no("[CANNOT] only PLAIN"),
        };
        let Some(decoded) = STANDARD.decode(response).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return bad("not base64");
        };
        match decoded.split('\0').collect::<Vec<_>>()[..] {
            [_, user, password] => self.log_in(user, password),
            _ => bad("not PLAIN"),
        }
    }

    fn unsolicited(&mut self) -> io::Result<()> {
        for line in [
            "* OK [ALERT] the disk is nearly full",
            "* 3 EXISTS",
            "* 1 RECENT",
            "* 1 FETCH (FLAGS (\\Seen $Forwarded))",
            "* FLAGS (\\Answered \\Seen gr\u{fc}n)",
            "* VANISHED 4294967295",
            "* ESEARCH (TAG \"nobody\") UID COUNT 0",
            "* CAPABILITY IMAP4rev1 X-SOMETHING",
            "* X-UNKNOWN {3}",
        ] {
            self.connection.line(line)?;
        }
        // The literal of the line before, and the rest of that line.
        self.connection.send(b"a\r\n")?;
        self.connection.line(" more")
    }

    fn malformed(&mut self) -> io::Result<()> {
        for line in [
            "*",
            "* ",
            "",
            "* FETCH",
            "* 1 FETCH",
            "* 1 FETCH (",
            "* 1 FETCH (UID abc FLAGS (\\Seen)",
            "* 99999999999999999999 EXISTS",
            "* 1 FETCH (UID 0 FLAGS ())",
            "* STATUS INBOX",
            "* LIST (\\Noselect",
            "* SEARCH one two",
            "%!$",
            "* \u{10d3}\u{10d0} 1",
        ] {
            self.connection.line(line)?;
        }
        self.connection.send(b"* OK \xff\xfe\x00 bytes\r\n")
    }

    /// Untagged NO and BAD in the middle of a command mean nothing for it (RFC 3501 §7.1).
    fn mutter(&mut self) -> io::Result<()> {
        if self.wrong(Misbehaviour::UntaggedNo) {
            self.connection.line("* NO the disk is slow today")?;
            self.connection.line("* BAD something unrelated")?;
        }
        Ok(())
    }

    fn user(&self) -> io::Result<&str> {
        self.user.as_deref().ok_or_else(|| ErrorKind::PermissionDenied.into())
    }
}

fn render(argument: &Argument) -> String {
    match argument {
        Argument::Text(text) => text.clone(),
        Argument::List(items) => {
            let items: Vec<String> = items.iter().map(render).collect();
            format!("({})", items.join(" "))
        }
    }
}
