//! A small SMTP server (RFC 5321) in memory that keeps what it takes.

mod auth;
mod behaviour;
mod command;
mod connection;
mod content;
mod fault;
mod mail;
mod session;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

pub use behaviour::{Behaviour, Extension, Login, MODERN};
use echodesk_core::SystemClock;
use echodesk_test_servers::certificate::Authority;
pub use echodesk_test_servers::certificate::Shown;
use fault::Faults;
pub use fault::{Fault, Point, Stage, Wrong};
pub use mail::ReceivedMail;
use native_tls::{Identity, TlsAcceptor};
use tempfile::TempDir;

/// A running server; it ends when dropped, with all its connections.
#[derive(Debug)]
pub struct SandboxSmtp {
    shared: Arc<Shared>,
    ports: [u16; 2],
    folder: TempDir,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    acceptor: Acceptor,
    clock: SystemClock,
    faults: Faults,
    mails: Mutex<Vec<ReceivedMail>>,
    log: Mutex<Vec<String>>,
    open: Mutex<Vec<TcpStream>>,
    connections: AtomicUsize,
    transactions: AtomicUsize,
    away: AtomicBool,
    stop: AtomicBool,
}

/// native-tls's own has no `Debug`.
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starting, and where it is.
impl SandboxSmtp {
    /// Starts a server on two free ports: one begins in plain text, one speaks TLS from the first byte.
    ///
    /// # Panics
    /// No port can be listened on.
    #[must_use]
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_on([0, 0], behaviour).expect("free ports")
    }

    /// Starts a server on two ports of this machine, the plain one first; 0 is any free one.
    ///
    /// # Errors
    /// A port cannot be listened on.
    ///
    /// # Panics
    /// There is no folder for temporary files.
    pub fn start_on(ports: [u16; 2], behaviour: Behaviour) -> io::Result<Self> {
        let authority = Authority::new();
        let shown = authority.show(behaviour.certificate);
        let identity = Identity::from_pkcs8(shown.certificate.as_bytes(), shown.key.as_bytes());
        let acceptor = TlsAcceptor::new(identity.expect("our own certificate")).expect("our own certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem())?;
        let shared = Arc::new(Shared {
            behaviour,
            acceptor: Acceptor(acceptor),
            clock: SystemClock::new(),
            faults: Faults::default(),
            mails: Mutex::default(),
            log: Mutex::default(),
            open: Mutex::default(),
            connections: AtomicUsize::new(0),
            transactions: AtomicUsize::new(0),
            away: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let plain = listen(&shared, ports[0], false)?;
        let tls = listen(&shared, ports[1], true)?;
        Ok(Self { shared, ports: [plain, tls], folder })
    }

    /// The port that begins in plain text and offers STARTTLS, unless it is told not to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The port that speaks TLS from the first byte.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.ports[1]
    }

    /// The certificate of the authority that signed the server's, in a file.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The settings of a client that logs in with STARTTLS, or, where that is not offered, in plain text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let start_tls = self.shared.behaviour.offers(Extension::StartTls);
        let mut settings = vec![
            ("EMAIL_HOST", "localhost".to_owned()),
            ("EMAIL_PORT", self.port().to_string()),
            ("EMAIL_USE_TLS", if start_tls { "True" } else { "False" }.to_owned()),
            ("ECHODESK_CA_FILE", self.ca_file().display().to_string()),
        ];
        if let Some(login) = &self.shared.behaviour.login {
            settings.push(("EMAIL_HOST_USER", login.user.clone()));
            settings.push(("EMAIL_HOST_PASSWORD", login.password.clone()));
        }
        settings
    }
}

/// What it has seen.
impl SandboxSmtp {
    /// The mails that were taken, in their order.
    #[must_use]
    pub fn mails(&self) -> Vec<ReceivedMail> {
        lock(&self.shared.mails).clone()
    }

    /// Those after the first `seen`.
    #[must_use]
    pub fn mails_since(&self, seen: usize) -> Vec<ReceivedMail> {
        lock(&self.shared.mails).iter().skip(seen).cloned().collect()
    }

    /// Takes the mails out, so that the next look sees only what came after them.
    #[must_use]
    pub fn take(&self) -> Vec<ReceivedMail> {
        std::mem::take(&mut *lock(&self.shared.mails))
    }

    /// How many mails there are.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.shared.mails).len()
    }

    /// How many connections were accepted, even while it was away.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The commands received so far, without what was said to log in.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        lock(&self.shared.log).clone()
    }
}

/// What goes wrong from now on.
impl SandboxSmtp {
    /// The next `times` at a stage go wrong like this.
    pub fn fail_next(&self, stage: Stage, times: usize, fault: &Fault) {
        self.shared.faults.push(stage, times, fault);
    }

    /// Whatever a rule says goes wrong. Replaces an earlier rule.
    pub fn fail_when(&self, rule: impl Fn(&Point) -> Option<Fault> + Send + Sync + 'static) {
        self.shared.faults.set_rule(Arc::new(rule));
    }

    /// Everything that reaches a stage goes wrong like this. Replaces an earlier rule.
    pub fn fail_at(&self, stage: Stage, fault: Fault) {
        self.fail_when(move |point| (point.stage == stage).then(|| fault.clone()));
    }

    /// Nothing goes wrong any more.
    pub fn work_well(&self) {
        self.shared.faults.clear();
    }

    /// Closes every connection as soon as it is made, as a machine does on which nothing listens.
    pub fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::Relaxed);
    }
}

impl Drop for SandboxSmtp {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for port in self.ports {
            // Wakes the listener, which then sees that it is to stop.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        }
        for stream in lock(&self.shared.open).iter() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Accepts connections in a thread of its own, and serves each in another.
fn listen(shared: &Arc<Shared>, port: u16, implicit_tls: bool) -> io::Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let port = listener.local_addr()?.port();
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.stop.load(Ordering::Relaxed) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
            if shared.away.load(Ordering::Relaxed) {
                continue;
            }
            let Ok(handle) = stream.try_clone() else { continue };
            let mut open = lock(&shared.open);
            open.retain(|stream| stream.peer_addr().is_ok());
            open.push(handle);
            drop(open);
            let shared = Arc::clone(&shared);
            // How a session ends (closed, cut, refused) is its client's to report.
            thread::spawn(move || {
                let closing = stream.try_clone();
                let _ = session::serve(&shared, stream, number, implicit_tls);
                // The handle that is kept for stopping would otherwise hold the connection open.
                let _ = closing.map(|stream| stream.shutdown(std::net::Shutdown::Both));
            });
        }
    });
    Ok(port)
}
