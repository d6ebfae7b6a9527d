//! A transport that does as it is told.

use std::fmt;
use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::mail::Mail;
use crate::ports::{SendError, Session, Transport, TransportDown};

/// What becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is taken.
    Take,
    /// It is taken, and then the connection breaks: nobody hears that it was taken.
    TakeAndBreak,
    /// It is not taken.
    Fail(SendError),
    /// No answer ever.
    Hang,
    /// It takes so long, and then it is taken.
    After(Duration),
    /// The transport panics.
    Panic,
}

type Script = Arc<dyn Fn(usize, &Mail) -> Reply + Send + Sync>;

/// A transport that keeps what it takes.
pub struct ScriptedTransport {
    script: Script,
    down: Mutex<Option<(usize, String)>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Mail>>,
    asked: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

impl ScriptedTransport {
    /// Asks `script` what becomes of the n-th mail, counted from zero.
    #[must_use]
    pub fn new(script: impl Fn(usize, &Mail) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), down: Mutex::default(), shared: Arc::default() }
    }

    /// Takes everything.
    #[must_use]
    pub fn willing() -> Self {
        Self::new(|_, _| Reply::Take)
    }

    /// Refuses connections, with this reason, while `connections` are open.
    #[must_use]
    pub fn down_beyond(self, connections: usize, why: &str) -> Self {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = Some((connections, why.to_owned()));
        self
    }

    /// What was taken, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Mail> {
        self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections were open at once.
    #[must_use]
    pub fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

/// A connection of it.
pub struct ScriptedSession {
    script: Script,
    shared: Arc<Shared>,
}

impl fmt::Debug for ScriptedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedSession").finish_non_exhaustive()
    }
}

impl Drop for ScriptedSession {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Transport for ScriptedTransport {
    type Session = ScriptedSession;

    async fn connect(&self) -> Result<ScriptedSession, TransportDown> {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, why)) = down.filter(|(connections, _)| self.open() >= *connections) {
            return Err(TransportDown(why));
        }
        self.shared.connections.fetch_add(1, Ordering::SeqCst);
        let open = self.shared.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.shared.most_open.fetch_max(open, Ordering::SeqCst);
        Ok(ScriptedSession { script: Arc::clone(&self.script), shared: Arc::clone(&self.shared) })
    }
}

impl ScriptedSession {
    fn take(&self, mail: &Mail) {
        self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
    }
}

impl Session for ScriptedSession {
    async fn send(&mut self, mail: &Mail) -> Result<(), SendError> {
        let nth = self.shared.asked.fetch_add(1, Ordering::SeqCst);
        // Others get their turn, as with a real network.
        tokio::task::yield_now().await;
        match (self.script)(nth, mail) {
            Reply::Take => self.take(mail),
            Reply::TakeAndBreak => {
                self.take(mail);
                return Err(SendError::InDoubt("the server hung up".to_owned()));
            }
            Reply::Fail(error) => return Err(error),
            Reply::Hang => future::pending().await,
            Reply::After(wait) => {
                tokio::time::sleep(wait).await;
                self.take(mail);
            }
            Reply::Panic => unreachable!("the script says so"),
        }
        Ok(())
    }

    async fn quit(self) {}
}
