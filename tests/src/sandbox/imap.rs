//! A small IMAP4rev1 server (RFC 3501) in memory.

mod answers;
mod behaviour;
mod command;
mod connection;
mod session;
mod store;
mod utf7;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub use behaviour::{Behaviour, MODERN, Misbehaviour, NameStyle, PLAIN};
use echodesk_test_servers::certificate::Authority;
use native_tls::{Identity, TlsAcceptor};
pub use store::{Account, Folder, Mailstore, Message, SharedStore};
use tempfile::TempDir;

use crate::proxy::{Proxy, Way};

/// A running server; it ends when dropped, with all its connections.
#[derive(Debug)]
pub struct SandboxImap {
    store: SharedStore,
    log: Log,
    stop: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    /// The listeners' own addresses.
    listeners: [SocketAddr; 2],
    /// What clients connect to: the listeners, or proxies in front of them that take time.
    ports: [u16; 2],
    _proxies: Vec<Proxy>,
    authority: Arc<Authority>,
    folder: TempDir,
}

/// Every command as it was received, without passwords.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl SandboxImap {
    /// Starts a server on two free ports: one speaks TLS from the first byte, one wants STARTTLS.
    ///
    /// # Panics
    /// The address cannot be listened on.
    #[must_use]
    pub fn start(store: Mailstore, behaviour: Behaviour) -> Self {
        let authority = behaviour.authority.clone().unwrap_or_default();
        let certificate = authority.certify(&["localhost", &behaviour.address.to_string()]);
        let identity = Identity::from_pkcs8(certificate.certificate.as_bytes(), certificate.key.as_bytes())
            .expect("our own certificate");
        let acceptor = TlsAcceptor::new(identity).expect("our own certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("own folder");

        let (store, log) = (SharedStore::new(store), Log::default());
        let (stop, open) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let behaviour = Arc::new(behaviour);
        let listeners = [true, false].map(|implicit_tls| {
            let world = session::World {
                store: store.clone(),
                log: log.clone(),
                behaviour: Arc::clone(&behaviour),
                acceptor: acceptor.clone(),
                stop: Arc::clone(&stop),
                implicit_tls,
            };
            listen(world, Arc::clone(&open))
        });
        let mut ports = listeners.map(|address| address.port());
        let mut proxies = Vec::new();
        if !behaviour.round_trip.is_zero() {
            for (port, listener) in ports.iter_mut().zip(listeners) {
                let way = Way { address: behaviour.address, round_trip: behaviour.round_trip, cut_after: None };
                let proxy = Proxy::start(listener, way);
                *port = proxy.port();
                proxies.push(proxy);
            }
        }
        Self { store, log, stop, open, listeners, ports, _proxies: proxies, authority, folder }
    }

    /// The port that speaks TLS from the first byte.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The port that wants STARTTLS.
    #[must_use]
    pub fn starttls_port(&self) -> u16 {
        self.ports[1]
    }

    /// The certificate of the authority that signed the server's, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The same in a file.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The mail, to look at and to change while the server runs.
    #[must_use]
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// The commands received so far, without their tags and passwords.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }
}

impl Drop for SandboxImap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for address in self.listeners {
            // Wakes the listener, which then sees that it is to stop.
            let _ = TcpStream::connect(address);
        }
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Accepts connections in a thread of its own, and serves each in another.
fn listen(world: session::World, open: Arc<Mutex<Vec<TcpStream>>>) -> SocketAddr {
    let listener = TcpListener::bind((world.behaviour.address, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            if world.stop.load(Ordering::Relaxed) {
                break;
            }
            let Ok(stream) = stream else { continue };
            if let Ok(handle) = stream.try_clone() {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                open.retain(|stream| stream.peer_addr().is_ok());
                open.push(handle);
            }
            let world = world.clone();
            // How a session ends (closed, cut, refused) is its client's to report.
            thread::spawn(move || {
                let closing = stream.try_clone();
                let _ = session::serve(&world, stream);
                // The handle that is kept for stopping would otherwise hold the connection open.
                let _ = closing.map(|stream| stream.shutdown(std::net::Shutdown::Both));
            });
        }
    });
    address
}
