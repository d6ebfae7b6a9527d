//! Pings: an HTTP request when a run begins and one when it ends, in the way of healthchecks.io and its like:
//! `URL/start`, then `URL` after exit code 0 and `URL/fail` after any other, with the summary as body.
//!
//! <https://healthchecks.io/docs/http_api/>

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use echodesk_core::{Environment, RunId};
use reqwest::redirect::Policy;
use url::Url;

use crate::error::one_line;
use crate::exit::ExitStatus;
use crate::settings::SettingsError;

/// The setting. `{job}` in it stands for the name of the job.
pub const PING_URL: &str = "ECHODESK_PING_URL";

/// How long one ping may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How long the end of a run waits for both.
const PATIENCE: Duration = Duration::from_secs(12);
/// Bytes of the summary that are sent; healthchecks.io keeps 100 kB, others less.
const LONGEST_BODY: usize = 10_000;

/// Where one run's pings go. The address usually holds a key: it is in no Debug output and no log.
#[derive(Clone)]
pub struct Address {
    base: Url,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("host", &self.base.host_str()).finish_non_exhaustive()
    }
}

/// Why an address cannot be used; it is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address.
    #[error("expected an address such as https://hc-ping.com/KEY/{{job}}")]
    NotAnAddress,
    /// Neither HTTP nor HTTPS.
    #[error("expected an address that begins with https:// or http://")]
    Scheme,
}

impl Address {
    /// The address of a job's pings, if the setting is there.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn read(environment: &Environment, job: &str, run: RunId) -> Result<Option<Self>, SettingsError> {
        let Some(text) = environment.get(PING_URL) else { return Ok(None) };
        Self::parse(text, job, run).map(Some).map_err(|error| SettingsError::wrong(PING_URL, error))
    }

    fn parse(text: &str, job: &str, run: RunId) -> Result<Self, AddressError> {
        let mut base: Url = text.trim().replace("{job}", job).parse().map_err(|_| AddressError::NotAnAddress)?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(AddressError::Scheme);
        }
        // By this the receiver knows which end belongs to which start.
        base.query_pairs_mut().append_pair("rid", &run.to_string());
        Ok(Self { base })
    }

    fn with(&self, more: &str) -> Url {
        let mut url = self.base.clone();
        if let (false, Ok(mut segments)) = (more.is_empty(), url.path_segments_mut()) {
            segments.pop_if_empty().push(more);
        }
        url
    }
}

/// A ping to be sent.
struct Ping {
    url: Url,
    body: String,
}

/// Sends the pings of one run, on a thread of its own: the run waits for none of them but, for a short time,
/// at its very end.
pub(crate) struct Pinger {
    address: Address,
    pings: Sender<Ping>,
    /// Closed when the thread has sent all.
    done: Receiver<()>,
}

impl Pinger {
    /// Somebody to send them. None if no thread can be had, which is warned of.
    pub(crate) fn new(address: Address) -> Option<Self> {
        let (pings, to_send) = channel::<Ping>();
        let (still_sending, done) = channel::<()>();
        let thread = std::thread::Builder::new().name("ping".to_owned()).spawn(move || {
            send_all(&to_send);
            // Whoever waits may have gone.
            let _ = still_sending.send(());
        });
        if let Err(error) = thread {
            tracing::warn!("nobody is pinged: cannot start a thread: {error}");
            return None;
        }
        Some(Self { address, pings, done })
    }

    /// Tells that a run begins.
    pub(crate) fn start(&self) {
        self.ping("start", String::new());
    }

    /// Tells how the run has ended, and waits a while until that was heard.
    pub(crate) fn end(self, status: ExitStatus, text: &str) {
        let mut body = format!("exit code {}\n{text}", status.code());
        let cut = (0..=LONGEST_BODY.min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
        body.truncate(cut);
        self.ping(if status == ExitStatus::Done { "" } else { "fail" }, body);
        let Self { pings, done, .. } = self;
        drop(pings);
        match done.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => tracing::warn!("the ping's address has not answered in time"),
            Err(RecvTimeoutError::Disconnected) => tracing::warn!("nobody was pinged because of a bug"),
        }
    }

    fn ping(&self, more: &str, body: String) {
        // The thread ends only after this sender.
        drop(self.pings.send(Ping { url: self.address.with(more), body }));
    }
}

fn send_all(pings: &Receiver<Ping>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // The address is a key: no redirect may hand it on to another host.
    let client = reqwest::Client::builder().timeout(LIMIT).redirect(Policy::none()).referer(false).build();
    let (runtime, client) = match (runtime, client) {
        (Ok(runtime), Ok(client)) => (runtime, client),
        (Err(error), _) => return tracing::warn!("nobody is pinged: {error}"),
        (_, Err(error)) => return tracing::warn!("nobody is pinged: {}", one_line(&error.without_url())),
    };
    for Ping { url, body } in pings {
        let host = url.host_str().unwrap_or_default().to_owned();
        let answer = runtime.block_on(async { client.post(url).body(body).send().await });
        match answer {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => tracing::warn!("the ping was not taken: {host} answered {}", answer.status()),
            Err(error) => tracing::warn!("the ping did not reach {host}: {}", one_line(&error.without_url())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Address, AddressError> {
        Address::parse(text, "sync-emails", RunId(uuid::Uuid::nil()))
    }

    #[test]
    fn start_and_failure_are_paths_below_the_address() {
        let rid = "rid=00000000-0000-0000-0000-000000000000";
        let table = [
            ("https://hc.example/key/{job}", "", "https://hc.example/key/sync-emails"),
            ("https://hc.example/key/{job}", "start", "https://hc.example/key/sync-emails/start"),
            ("https://hc.example/key/{job}/", "fail", "https://hc.example/key/sync-emails/fail"),
            ("http://hc.example", "start", "http://hc.example/start"),
        ];
        for (text, more, expected) in table {
            assert_eq!(address(text).unwrap().with(more).as_str(), format!("{expected}?{rid}"), "{text} {more}");
        }
        let kept = address("https://hc.example/a?token=1").unwrap().with("fail");
        assert_eq!(kept.as_str(), format!("https://hc.example/a/fail?token=1&{rid}"));
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_shown() {
        for text in ["hunter2", "ftp://hunter2.example/key", "/hunter2"] {
            let error = address(text).unwrap_err().to_string();
            assert!(error.contains("http") && !error.contains("hunter2"), "{error}");
        }
        let shown = format!("{:?}", address("https://hc.example/hunter2").unwrap());
        assert!(!shown.contains("hunter2") && shown.contains("hc.example"), "{shown}");
    }

    #[test]
    fn a_redirect_is_not_followed() {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = format!(
                "HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:{port}/b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            drop(stream);
            listener.set_nonblocking(true).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            listener.accept().is_err()
        });
        Pinger::new(address(&format!("http://127.0.0.1:{port}/a")).unwrap()).unwrap().end(ExitStatus::Done, "fine");
        assert!(heard.join().unwrap(), "nothing came after the first");
    }
}
