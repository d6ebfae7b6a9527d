//! A TCP proxy on loopback that makes the way longer, or cuts it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use echodesk_core::{Clock, SystemClock};

/// What happens on the way.
#[derive(Clone, Debug)]
pub struct Way {
    /// The address to listen on.
    pub address: IpAddr,
    /// How long a question and its answer are on the way together. Connecting costs as much.
    pub round_trip: Duration,
    /// After how many bytes from the server a connection is cut.
    pub cut_after: Option<u64>,
}

impl Default for Way {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), round_trip: Duration::ZERO, cut_after: None }
    }
}

/// A running proxy; it ends when dropped, connections that are open end with their peers.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    received: AtomicU64,
    connections: AtomicU64,
    cut_after: AtomicU64,
}

impl Proxy {
    /// Starts a proxy on a free port, in front of `server`.
    ///
    /// # Panics
    /// The address cannot be listened on.
    #[must_use]
    pub fn start(server: SocketAddr, way: Way) -> Self {
        let listener = TcpListener::bind((way.address, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let cut_after = AtomicU64::new(way.cut_after.unwrap_or(u64::MAX));
        let shared = Arc::new(Shared { cut_after, ..Shared::default() });
        let proxy = Self { port, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for client in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    break;
                }
                let (Ok(client), Ok(upstream)) = (client, TcpStream::connect(server)) else { continue };
                shared.connections.fetch_add(1, Ordering::Relaxed);
                // A connection that ends before it began is its peers' business.
                let _ = join(client, upstream, &way, &shared);
            }
        });
        proxy
    }

    /// Where to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts connections from now on after this many bytes from the server, or not at all.
    pub fn cut_after(&self, bytes: Option<u64>) {
        self.shared.cut_after.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Bytes that came from the server so far, over all connections.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.shared.received.load(Ordering::Relaxed)
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is to stop.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn join(client: TcpStream, upstream: TcpStream, way: &Way, shared: &Arc<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let one_way = way.round_trip / 2;
    // The handshake of TCP itself is over before we can delay it: it is paid by the first bytes.
    let cut_after = shared.cut_after.load(Ordering::Relaxed);
    pump(client.try_clone()?, upstream.try_clone()?, one_way, way.round_trip, u64::MAX, None);
    pump(upstream, client, one_way, way.round_trip, cut_after, Some(Arc::clone(shared)));
    Ok(())
}

/// Copies from one stream to the other: what arrives at one moment leaves `delay` later, so that
/// bytes in flight overtake nothing and wait for nothing but the way.
fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    delay: Duration,
    first: Duration,
    cut_after: u64,
    count: Option<Arc<Shared>>,
) {
    let clock = Arc::new(SystemClock::new());
    let opened = clock.elapsed();
    let (send, receive) = mpsc::sync_channel::<(Duration, Vec<u8>)>(1024);
    let reading_clock = Arc::clone(&clock);
    thread::spawn(move || {
        let mut left = cut_after;
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let keep = usize::try_from(left).unwrap_or(usize::MAX).min(read);
            left -= keep as u64;
            if let Some(shared) = &count {
                shared.received.fetch_add(keep as u64, Ordering::Relaxed);
            }
            if send.send((reading_clock.elapsed(), buffer[..keep].to_vec())).is_err() || left == 0 {
                break;
            }
        }
        if left == 0 {
            let _ = from.shutdown(Shutdown::Both);
        }
    });
    thread::spawn(move || {
        for (arrived, bytes) in receive {
            let due = (arrived + delay).max(opened + first + delay);
            if delay > Duration::ZERO {
                thread::sleep(due.saturating_sub(clock.elapsed()));
            }
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(if cut_after < u64::MAX { Shutdown::Both } else { Shutdown::Write });
    });
}
