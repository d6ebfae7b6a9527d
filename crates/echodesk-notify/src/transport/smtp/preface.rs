//! STARTTLS (RFC 3207) by hand. What a server, or somebody in the middle, sends behind its OK before TLS begins
//! must not be taken for an answer that came through TLS; a library that keeps a buffer over the change takes it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::one_line;
use super::limits::{SmtpLimits, within};
use super::probe::{SmtpObstacle, SmtpProbeError};

/// The longest answer that is read.
const LONGEST: usize = 64 * 1024;

/// Greets in the clear and asks for TLS; the next byte in each direction belongs to the handshake.
pub(super) async fn start_tls(tcp: &mut TcpStream, hello: &str, limits: &SmtpLimits) -> Result<(), SmtpProbeError> {
    let mut dialogue = Dialogue { tcp, buffer: Vec::new(), limits };
    let offers = dialogue.greet(hello).await.map_err(SmtpObstacle::Greeting.because())?;
    let offered = offers.iter().skip(1).any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
    if !offered {
        let why = "it does not offer STARTTLS, which EMAIL_USE_TLS asks for".to_owned();
        return Err(SmtpObstacle::NoStartTls.because()(why));
    }
    dialogue.ask_for_tls().await.map_err(SmtpObstacle::Tls.because())?;
    if dialogue.buffer.is_empty() {
        Ok(())
    } else {
        let why = "it went on in the clear after its OK to STARTTLS; somebody may be in between".to_owned();
        Err(SmtpObstacle::Tls.because()(why))
    }
}

struct Dialogue<'a> {
    tcp: &'a mut TcpStream,
    buffer: Vec<u8>,
    limits: &'a SmtpLimits,
}

impl Dialogue<'_> {
    /// What the server offers.
    async fn greet(&mut self, hello: &str) -> Result<Vec<String>, String> {
        self.expect(220, "greeting").await?;
        self.say(&format!("EHLO {hello}\r\n")).await?;
        self.expect(250, "EHLO").await
    }

    async fn ask_for_tls(&mut self) -> Result<(), String> {
        self.say("STARTTLS\r\n").await?;
        self.expect(220, "STARTTLS").await.map(drop)
    }

    async fn say(&mut self, line: &str) -> Result<(), String> {
        let written = within(self.limits.command, self.tcp.write_all(line.as_bytes())).await?;
        written.map_err(|error| format!("the connection was lost: {error}"))
    }

    /// The lines of an answer with this code, without the code.
    async fn expect(&mut self, code: u16, to: &str) -> Result<Vec<String>, String> {
        let answer = within(self.limits.command, self.answer()).await.map_err(|late| format!("{late} (after {to})"))?;
        let lines = answer.map_err(|problem| format!("{problem} (after {to})"))?;
        if lines.iter().all(|line| line.starts_with(&code.to_string())) {
            return Ok(lines.iter().map(|line| line.get(4..).unwrap_or_default().to_owned()).collect());
        }
        Err(format!("{} (after {to})", one_line(&lines.join(" "))))
    }

    async fn answer(&mut self) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if is_last {
                return Ok(lines);
            }
            if lines.len() > 1000 {
                return Err("the server's answer has no end".to_owned());
            }
        }
    }

    async fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > LONGEST {
                return Err("the server's answer has no end".to_owned());
            }
            let read = self.tcp.read_buf(&mut self.buffer).await;
            if read.map_err(|error| format!("the connection was lost: {error}"))? == 0 {
                return Err("the server hung up".to_owned());
            }
        }
    }
}
