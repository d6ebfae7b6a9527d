//! A connection as the library takes it: a stream that begins with a greeting.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_native_tls::TlsStream;

/// The bytes to and from a server, in the clear or not.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// Read before anything else: the server greets once, before STARTTLS, and the library waits for a greeting.
    greeting: &'static [u8],
}

#[derive(Debug)]
enum Stream {
    Clear(TcpStream),
    Tls(TlsStream<TcpStream>),
}

impl Wire {
    /// A connection on which the server has not greeted yet.
    pub(super) fn clear(tcp: TcpStream) -> Self {
        Self { stream: Stream::Clear(tcp), greeting: b"" }
    }

    /// The same, over TLS.
    pub(super) fn tls(tls: TlsStream<TcpStream>) -> Self {
        Self { stream: Stream::Tls(tls), greeting: b"" }
    }

    /// A connection on which the server has greeted before TLS began.
    pub(super) fn greeted(tls: TlsStream<TcpStream>) -> Self {
        Self { stream: Stream::Tls(tls), greeting: b"220 greeted before TLS\r\n" }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Clear(tcp) => tcp.peer_addr(),
            Stream::Tls(tls) => tls.get_ref().get_ref().get_ref().peer_addr(),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.greeting.is_empty() {
            let (now, later) = this.greeting.split_at(this.greeting.len().min(buf.remaining()));
            buf.put_slice(now);
            this.greeting = later;
            return Poll::Ready(Ok(()));
        }
        match &mut this.stream {
            Stream::Clear(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Clear(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Clear(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Clear(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
