//! Mails to be looked at.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use mail_parser::MessageParser;

use crate::mail::Mail;
use crate::ports::{SendError, Session, Transport, TransportDown};

/// Writes each mail readably: its headers, its text, and nothing of its HTML.
#[derive(Clone)]
pub struct Console {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    /// Mails are written to `out`.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Arc::new(Mutex::new(out)) }
    }
}

impl Transport for Console {
    type Session = Self;

    async fn connect(&self) -> Result<Self, TransportDown> {
        Ok(self.clone())
    }
}

impl Session for Console {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        let text = readable(mail);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error: io::Error| SendError::Down(format!("cannot write to the console: {error}")))
    }

    async fn quit(self) {}
}

fn readable(mail: &Mail) -> String {
    let parsed = MessageParser::default().parse(&mail.bytes);
    let subject = parsed.as_ref().and_then(|message| message.subject()).unwrap_or_default();
    let text = parsed.as_ref().and_then(|message| message.body_text(0)).unwrap_or_default();
    let rule = "-".repeat(72);
    let text = text.replace("\r\n", "\n");
    format!(
        "{rule}\nFrom: {}\nTo: {}\nSubject: {subject}\nMessage-ID: {}\n\n{}\n{rule}\n",
        mail.from,
        mail.to,
        mail.message_id,
        text.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_mail_is_written_so_that_it_can_be_read() {
        let page = Arc::new(Mutex::new(Vec::new()));
        let mut session = Console::new(Box::new(Page(Arc::clone(&page)))).connect().await.unwrap();
        let mail = crate::testing::mail("ვადა", "გამარჯობა\nანა", "<p>HTML</p>");
        session.send(&mail).await.unwrap();
        let written = String::from_utf8(page.lock().unwrap().clone()).unwrap();
        assert!(written.contains("\nSubject: ვადა\n") && written.contains("\n\nგამარჯობა\nანა\n---"), "{written}");
        assert!(written.contains(&format!("\nTo: {}\n", mail.to)) && !written.contains("HTML"), "{written}");
    }
}
