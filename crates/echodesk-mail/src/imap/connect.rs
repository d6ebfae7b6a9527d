//! From a host name to a TCP connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::socket::{LimitedTcp, Limits, SLICE};
use crate::model::Endpoint;
use crate::ports::MailServerError;

/// A connection, and how long its handshake took: the round-trip time to the host.
pub(super) struct Connected {
    pub(super) tcp: LimitedTcp,
    pub(super) round_trip: Duration,
}

/// Resolves `endpoint` and connects to the first of its addresses that accepts, all within `timeout`
/// and the session's time.
///
/// # Errors
/// The name has no address, none accepts, or the time is over.
pub(super) fn connect(
    endpoint: &Endpoint,
    timeout: Duration,
    limits: &Arc<Limits>,
) -> Result<Connected, MailServerError> {
    let end = limits.elapsed().saturating_add(timeout.min(limits.time_left().ok_or(MailServerError::OutOfTime)?));
    let resolve = |source| MailServerError::Resolve { host: endpoint.host.clone(), source };
    let addresses = match resolve_within(&endpoint.host, endpoint.port, end.saturating_sub(limits.elapsed()), &|| {
        limits.is_stopped()
    }) {
        Ok(addresses) => addresses,
        Err(_) if limits.is_stopped() => return Err(MailServerError::OutOfTime),
        Err(error) => return Err(resolve(error)),
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no addresses");
    if addresses.is_empty() {
        return Err(resolve(last));
    }
    for (index, address) in addresses.iter().enumerate() {
        if limits.is_stopped() {
            return Err(MailServerError::OutOfTime);
        }
        // Each address gets its share of what is left: one that swallows packets (often IPv6 where
        // there is no route) must not use up the time of those after it.
        let left = end.saturating_sub(limits.elapsed());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let started = limits.elapsed();
        let connected = TcpStream::connect_timeout(address, share.max(Duration::from_millis(1)));
        match connected.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp)) {
            Ok(tcp) => {
                let round_trip = limits.elapsed().saturating_sub(started);
                return Ok(Connected { tcp: LimitedTcp::new(tcp, Arc::clone(limits)), round_trip });
            }
            Err(error) => last = error,
        }
    }
    Err(MailServerError::Connect { endpoint: endpoint.to_string(), source: last })
}

/// Asks the system's resolver, which has no time-out of its own that we could set: it works in a
/// thread that is left behind if it takes too long, or if `stopped` says so.
fn resolve_within(host: &str, port: u16, wait: Duration, stopped: &dyn Fn() -> bool) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = bare(host).parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    // RFC 6761 §6.3: the name means this machine, whatever a resolver knows of it.
    if host.eq_ignore_ascii_case("localhost") {
        let here: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(here.map(|address| SocketAddr::new(address, port)).into());
    }
    let (sender, receiver) = sync_channel(1);
    let host = host.to_owned();
    std::thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        // Nobody listens any more if the time is over.
        let _ = sender.send((host.as_str(), port).to_socket_addrs().map(Vec::from_iter));
    })?;
    let mut left = wait;
    loop {
        let slice = left.min(SLICE);
        left -= slice;
        match receiver.recv_timeout(slice) {
            Ok(resolved) => return resolved,
            Err(RecvTimeoutError::Timeout) if left.is_zero() || stopped() => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the resolver did not answer"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the resolver stopped")),
        }
    }
}

/// An IPv6 address without the brackets that it has in a URL.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_need_no_resolver() {
        assert_eq!(
            resolve_within("127.0.0.1", 993, Duration::ZERO, &|| false).unwrap(),
            ["127.0.0.1:993".parse().unwrap()]
        );
        assert_eq!(resolve_within("[::1]", 993, Duration::ZERO, &|| false).unwrap(), ["[::1]:993".parse().unwrap()]);
        let here = resolve_within("LocalHost", 993, Duration::ZERO, &|| false).unwrap();
        assert!(here.len() == 2 && here.iter().all(|address| address.ip().is_loopback()), "{here:?}");
    }

    #[test]
    fn a_name_that_cannot_exist_is_an_error() {
        assert!(resolve_within("no such host", 993, Duration::from_secs(20), &|| false).is_err());
    }
}
