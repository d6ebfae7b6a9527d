//! The server: one listener, as many connections as come, and a function from a line to an answer.

use std::sync::{Arc, LazyLock, Mutex};

use native_tls::{Identity, TlsAcceptor};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A certificate authority, with certificates for two hosts.
pub(super) struct Authority {
    pub(super) file: tempfile::NamedTempFile,
    localhost: (String, String),
    elsewhere: (String, String),
}

pub(super) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority of the tests");
    let key = KeyPair::generate().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let issue = |host: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    Authority { file, localhost: issue("localhost"), elsewhere: issue("elsewhere.example") }
});

/// How a server secures its connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    None,
    /// From the beginning.
    Implicit,
    /// After STARTTLS.
    Upgrade,
    /// After STARTTLS, with a certificate of another host.
    Elsewhere,
    /// After STARTTLS, and it says more in the clear than its OK.
    Injected,
}

/// What a server says to a line; `HANG` for nothing at all, `CLOSE` to hang up, and the lines of the mail after a
/// 354 as one line.
pub(super) type Answers = Arc<dyn Fn(&str) -> Option<&'static str> + Send + Sync>;

pub(super) struct Server {
    pub(super) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers as any server would, except to those lines that `answers` knows better.
    pub(super) async fn start(
        tls: Tls,
        answers: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (answers, log): (Answers, _) = (Arc::new(answers), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp, tls, Arc::clone(&answers), Arc::clone(&log)));
            }
        });
        Self { port, heard }
    }

    /// All lines that clients have sent; a mail is one.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn acceptor(tls: Tls) -> tokio_native_tls::TlsAcceptor {
    let (certificate, key) = if tls == Tls::Elsewhere { &AUTHORITY.elsewhere } else { &AUTHORITY.localhost };
    let identity = Identity::from_pkcs8(certificate.as_bytes(), key.as_bytes()).unwrap();
    TlsAcceptor::new(identity).unwrap().into()
}

async fn serve(tcp: TcpStream, tls: Tls, answers: Answers, log: Arc<Mutex<Vec<String>>>) {
    tcp.set_nodelay(true).unwrap();
    if tls == Tls::Implicit {
        if let Ok(stream) = acceptor(tls).accept(tcp).await {
            talk(stream, true, false, &answers, &log).await;
        }
        return;
    }
    let offers = tls != Tls::None;
    let Some(mut tcp) = talk(tcp, true, offers, &answers, &log).await else { return };
    let ok: &[u8] = if tls == Tls::Injected { b"220 go on\r\n250 injected\r\n" } else { b"220 go on\r\n" };
    let _ = tcp.write_all(ok).await;
    if let Ok(stream) = acceptor(tls).accept(tcp).await {
        talk(stream, false, false, &answers, &log).await;
    }
}

/// Talks until the end; gives the connection back if STARTTLS was asked for.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    greets: bool,
    offers_tls: bool,
    answers: &Answers,
    log: &Mutex<Vec<String>>,
) -> Option<S> {
    let mut buffer = Vec::new();
    if greets && !say(&mut stream, answers("GREETING").unwrap_or("220 tests")).await {
        return None;
    }
    loop {
        let line = until(&mut stream, &mut buffer, b"\r\n").await?;
        log.lock().unwrap().push(line.clone());
        if line == "STARTTLS" && offers_tls {
            return Some(stream);
        }
        let usual = match line.split(' ').next().unwrap_or_default() {
            "EHLO" if offers_tls => "250-tests\r\n250 STARTTLS",
            "EHLO" => "250-tests\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 goodbye",
            _ => "250 fine",
        };
        let answer = answers(&line).unwrap_or(usual);
        if !say(&mut stream, answer).await {
            return None;
        }
        if answer.starts_with("354") {
            let mail = until(&mut stream, &mut buffer, b"\r\n.\r\n").await?;
            let answer = answers(&mail).unwrap_or("250 queued");
            log.lock().unwrap().push(mail);
            if !say(&mut stream, answer).await {
                return None;
            }
        }
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), answer: &str) -> bool {
    match answer {
        "CLOSE" => false,
        "HANG" => std::future::pending().await,
        answer => stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_ok(),
    }
}

async fn until(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>, end: &[u8]) -> Option<String> {
    loop {
        if let Some(at) = buffer.windows(end.len()).position(|window| window == end) {
            let line = String::from_utf8_lossy(&buffer[..at]).into_owned();
            buffer.drain(..at + end.len());
            return Some(line);
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
