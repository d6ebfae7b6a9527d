//! The server: a listener that lets one client in and hands the connection to a script.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::Duration;

use echodesk_core::{Secret, SystemClock};
use native_tls::{Identity, TlsAcceptor, TlsStream};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::imap::{ExtraCa, ImapServer, ImapSettings};
use crate::model::{Endpoint, Security};
use crate::ports::{MailServer, MailServerError, MailSession};

/// A certificate authority of the tests, with certificates of servers.
pub(super) struct Authority {
    pub(super) pem: String,
    localhost: (String, String),
    elsewhere: (String, String),
    expired: (String, String),
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("authority of the tests"));

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let issue = |host: &str, until: i32| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
            params.not_after = date_time_ymd(until, 1, 1);
            (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
        };
        let (localhost, elsewhere) = (issue("localhost", 4096), issue("elsewhere.example", 4096));
        Self { pem, localhost, elsewhere, expired: issue("localhost", 2020) }
    }
}

/// The other side of a connection.
pub(super) struct Peer {
    io: BufReader<Io>,
    tag: String,
}

enum Io {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Read for Io {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Clear(io) => io.read(buf),
            Self::Tls(io) => io.read(buf),
            Self::Gone => Ok(0),
        }
    }
}

impl Write for Io {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Clear(io) => io.write(buf),
            Self::Tls(io) => io.write(buf),
            Self::Gone => Ok(buf.len()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Peer {
    /// Says something. The client may be gone by now, which is its own affair.
    pub(super) fn say(&mut self, text: impl AsRef<[u8]>) -> bool {
        self.io.get_mut().write_all(text.as_ref()).is_ok()
    }

    /// Hears a command that begins as expected after its tag; returns the whole of it.
    pub(super) fn hear(&mut self, expected: &str) -> String {
        let line = self.hear_line();
        let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
        assert!(command.starts_with(expected), "expected {expected:?}, heard {line:?}");
        self.tag = tag.to_owned();
        command.to_owned()
    }

    /// Hears a line.
    pub(super) fn hear_line(&mut self) -> String {
        let mut line = String::new();
        self.io.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Ends the command that was heard last.
    pub(super) fn end(&mut self, words: &str) {
        let line = format!("{} {words}\r\n", self.tag);
        self.say(line);
    }

    /// Hears a command, says `lines`, and that it is done.
    pub(super) fn answer(&mut self, expected: &str, lines: impl AsRef<[u8]>) {
        self.hear(expected);
        self.say(lines);
        self.end("OK done");
    }

    /// Greeting and login, with `capabilities` after that.
    pub(super) fn let_in(&mut self, capabilities: &str) {
        self.say("* OK ready\r\n");
        self.hear("LOGIN \"user\" \"secret\"");
        self.end(&format!("OK [CAPABILITY IMAP4rev1 {capabilities}] logged in"));
    }

    /// The tag of the command that was heard last.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// Waits until the client is gone.
    pub(super) fn wait_for_end(&mut self) {
        let _ = self.io.read_to_end(&mut Vec::new());
    }

    /// The server's side of the handshake.
    pub(super) fn secure(&mut self) {
        self.secure_as(&AUTHORITY.localhost);
    }

    fn secure_as(&mut self, (certificate, key): &(String, String)) {
        let identity = Identity::from_pkcs8(certificate.as_bytes(), key.as_bytes()).unwrap();
        let acceptor = TlsAcceptor::new(identity).unwrap();
        *self.io.get_mut() = match std::mem::replace(self.io.get_mut(), Io::Gone) {
            // A client that refuses the certificate breaks the handshake off.
            Io::Clear(tcp) => acceptor.accept(tcp).map_or(Io::Gone, |tls| Io::Tls(Box::new(tls))),
            other => other,
        };
    }
}

/// A server that plays one script.
pub(super) struct TestServer {
    port: u16,
    script: JoinHandle<()>,
}

impl TestServer {
    /// The script begins before any handshake.
    pub(super) fn clear(script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = std::thread::spawn(move || {
            let (tcp, _) = listener.accept().unwrap();
            tcp.set_nodelay(true).unwrap();
            // No script may hang a test.
            tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            tcp.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
            script(&mut Peer { io: BufReader::new(Io::Clear(tcp)), tag: String::new() });
        });
        Self { port, script }
    }

    /// The script begins under TLS.
    pub(super) fn tls(script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        Self::clear(|peer| {
            peer.secure();
            script(peer);
        })
    }

    /// The same with a certificate for another host.
    pub(super) fn elsewhere() -> Self {
        Self::clear(|peer| peer.secure_as(&AUTHORITY.elsewhere))
    }

    /// The same with a certificate that was valid once.
    pub(super) fn expired() -> Self {
        Self::clear(|peer| peer.secure_as(&AUTHORITY.expired))
    }

    /// The script begins under TLS with the client logged in.
    pub(super) fn logged_in(capabilities: &'static str, script: impl FnOnce(&mut Peer) + Send + 'static) -> Self {
        Self::tls(move |peer| {
            peer.let_in(capabilities);
            script(peer);
        })
    }

    pub(super) fn endpoint(&self, security: Security) -> Endpoint {
        Endpoint { host: "localhost".to_owned(), port: self.port, security }
    }

    /// Opens a session with enough time for anything.
    pub(super) fn open(&self) -> Result<Box<dyn MailSession>, MailServerError> {
        self.open_with(Security::Tls, "user", "secret")
    }

    pub(super) fn open_with(
        &self,
        security: Security,
        username: &str,
        password: &str,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        client().open(&self.endpoint(security), username, &Secret::new(password), Duration::from_secs(20))
    }

    /// Opens a session whose waits and whole time are as short as given, in milliseconds.
    pub(super) fn open_within(&self, io_timeout: u64, time_left: u64) -> Result<Box<dyn MailSession>, MailServerError> {
        self.open_securely_within(Security::Tls, io_timeout, time_left)
    }

    pub(super) fn open_securely_within(
        &self,
        security: Security,
        io_timeout: u64,
        time_left: u64,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        let settings = ImapSettings { io_timeout: Duration::from_millis(io_timeout), ..settings() };
        let client = ImapServer::new(settings, Arc::new(SystemClock::new())).unwrap();
        let time_left = Duration::from_millis(time_left);
        client.open(&self.endpoint(security), "user", &Secret::new("secret"), time_left)
    }

    /// Waits for the script to end; fails if it failed.
    pub(super) fn join(self) {
        self.script.join().unwrap();
    }
}

pub(super) fn settings() -> ImapSettings {
    let pem = AUTHORITY.pem.clone().into_bytes();
    ImapSettings { extra_ca: Some(ExtraCa { path: "ca.pem".into(), pem }), ..ImapSettings::default() }
}

pub(super) fn client() -> ImapServer {
    ImapServer::new(settings(), Arc::new(SystemClock::new())).unwrap()
}
