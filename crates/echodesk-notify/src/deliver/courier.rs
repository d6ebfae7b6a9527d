//! One connection, and the mails that go over it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::health::Refusal;
use super::prepare::{Unsent, prepare};
use super::run::{Claimed, Done, Run};
use crate::mail::Mail;
use crate::ports::{Fate, Queued, SendError, Session as _, Transport, TransportDown};
use crate::rules::{again, again_in_doubt};

/// What couriers take their work from.
pub(super) type Work = Arc<tokio::sync::Mutex<mpsc::Receiver<Arc<Claimed>>>>;
/// What a courier is working on, so that somebody knows should it panic.
pub(super) type Hand = Arc<Mutex<Option<Arc<Claimed>>>>;

/// How often a wait for the network looks up whether it should stop.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Why a courier has ended.
#[derive(Debug)]
pub(super) enum End {
    /// There is nothing left to do, or nothing new is begun.
    Done,
    /// It could not connect.
    NoConnection(String),
}

pub(super) struct Courier<T: Transport> {
    pub(super) run: Arc<Run<T>>,
    pub(super) work: Work,
    pub(super) fates: mpsc::Sender<Done>,
    pub(super) hand: Hand,
    /// Whether there are others: then it takes work only once it can connect.
    pub(super) helps: bool,
}

/// An open connection.
struct Line<S> {
    session: S,
    /// Whether there was an answer to a mail on it.
    answered: bool,
}

impl<T: Transport> Courier<T> {
    pub(super) async fn work(self) -> End {
        let mut line = None;
        if self.helps {
            line = match self.connect().await {
                None => return End::Done,
                Some(Ok(session)) => Some(Line { session, answered: false }),
                Some(Err(TransportDown(why))) => return End::NoConnection(why),
            };
        }
        let end = self.rounds(&mut line).await;
        if let Some(Line { session, .. }) = line {
            session.quit().await;
        }
        end
    }

    async fn rounds(&self, line: &mut Option<Line<T::Session>>) -> End {
        loop {
            if self.run.is_over() {
                return End::Done;
            }
            let next = self.work.lock().await.recv().await;
            let Some(claimed) = next else { return End::Done };
            // What is left is given back with all claims at the end.
            if self.run.leaves_off() {
                return End::Done;
            }
            *self.hand() = Some(Arc::clone(&claimed));
            let carried = self.carry(&claimed, line).await;
            *self.hand() = None;
            if let Err(end) = carried {
                return end;
            }
        }
    }

    fn hand(&self) -> std::sync::MutexGuard<'_, Option<Arc<Claimed>>> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(&self, claimed: &Arc<Claimed>, line: &mut Option<Line<T::Session>>) -> Result<(), End> {
        if self.run.is_stale(claimed) {
            self.tell(claimed, Fate::Back).await;
            return Ok(());
        }
        let Some(mut mail) = self.prepare(claimed, &claimed.notice).await else { return Ok(()) };
        loop {
            let mut open = match line.take() {
                Some(open) => open,
                None => match self.connect().await {
                    None => return Err(End::Done),
                    Some(Ok(session)) => Line { session, answered: false },
                    Some(Err(TransportDown(why))) => {
                        self.tell(claimed, Fate::Back).await;
                        return Err(End::NoConnection(why));
                    }
                },
            };
            // Connecting may have taken long.
            if self.run.is_stale(claimed) {
                *line = Some(open);
                self.tell(claimed, Fate::Back).await;
                return Ok(());
            }
            if self.run.is_old(claimed) {
                let Some(again) = self.look_again(claimed).await else {
                    *line = Some(open);
                    return Ok(());
                };
                mail = again;
            }
            let sent = self.send(&mut open.session, &mail).await;
            let was_answered = open.answered;
            match &sent {
                Ok(()) | Err(SendError::Refused(_) | SendError::NotNow(_)) => {
                    open.answered = true;
                    *line = Some(open);
                }
                Err(SendError::Unwritable(_)) => *line = Some(open),
                Err(SendError::Broken(_) | SendError::InDoubt(_) | SendError::Down(_)) => {}
            }
            match sent {
                // Servers may close a connection for reasons of their own, after so many mails for example: this
                // mail goes over the next one.
                Err(SendError::Down(_)) if was_answered && self.run.health().may_reconnect() => {}
                Err(SendError::Down(why)) => {
                    self.run.trouble(&why);
                    self.tell(claimed, Fate::Back).await;
                    return Err(End::Done);
                }
                sent => {
                    self.answer(claimed, &mail, sent).await;
                    return Ok(());
                }
            }
        }
    }

    /// None if there is nothing to send, which is told.
    async fn prepare(&self, claimed: &Arc<Claimed>, notice: &Queued) -> Option<Mail> {
        match prepare(&self.run, notice) {
            Ok(mail) => Some(mail),
            Err(Unsent(fate)) => {
                self.tell(claimed, fate).await;
                None
            }
        }
    }

    /// The mail by the state of things at this moment; none if there is nothing to send any more.
    async fn look_again(&self, claimed: &Arc<Claimed>) -> Option<Mail> {
        let (run, id, now) = (self.run.world.run, claimed.notice.id, self.run.now());
        match self.run.ask(move |outbox| outbox.look_again(run, id, now)).await {
            Ok(Some(notice)) => self.prepare(claimed, &notice).await,
            // Somebody else sees to it.
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(%error, %id, "a notice could not be looked at again");
                self.run.halt();
                self.tell(claimed, Fate::Back).await;
                None
            }
        }
    }

    /// None if it was asked to stop meanwhile.
    async fn connect(&self) -> Option<Result<T::Session, TransportDown>> {
        let connecting = self.run.world.transport.connect();
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                // In this order, so that a run can be repeated exactly. It is the connection that is waited for.
                biased;
                connected = &mut connecting => return Some(connected),
                () = tokio::time::sleep(LOOK_UP) => {
                    if self.run.leaves_off() {
                        return None;
                    }
                }
            }
        }
    }

    async fn send(&self, session: &mut T::Session, mail: &Mail) -> Result<(), SendError> {
        let limit = self.run.longest_send();
        let sent = tokio::time::timeout(limit, session.send(mail)).await;
        sent.unwrap_or_else(|_| Err(SendError::InDoubt(format!("not sent within {limit:?}"))))
    }

    async fn answer(&self, claimed: &Arc<Claimed>, mail: &Mail, sent: Result<(), SendError>) {
        match sent {
            Ok(()) => {
                self.tell(claimed, Fate::Sent { to: mail.to.clone() }).await;
                let suspects = self.run.health().taken();
                for (suspect, why) in suspects {
                    self.tell(&suspect, Fate::Parked { why }).await;
                }
            }
            Err(SendError::Refused(why)) => {
                let refusal = self.run.health().refused(claimed, why);
                self.refused(claimed, refusal).await;
            }
            Err(SendError::NotNow(why)) => {
                self.run.health().answered();
                self.try_again(claimed, why).await;
            }
            // It is the address, and no other mail has to do with it.
            Err(SendError::Unwritable(why)) => self.tell(claimed, Fate::Parked { why }).await,
            Err(SendError::Broken(why) | SendError::Down(why)) => {
                self.broke(&why);
                self.try_again(claimed, why).await;
            }
            Err(SendError::InDoubt(why)) => {
                self.broke(&why);
                let notice = &claimed.notice;
                let fate = again_in_doubt(notice.decided_at, notice.attempts, why, self.run.now());
                self.tell(claimed, fate).await;
            }
        }
    }

    fn broke(&self, why: &str) {
        let may_reconnect = self.run.health().may_reconnect();
        if !may_reconnect {
            self.run.trouble(why);
        }
    }

    async fn refused(&self, claimed: &Arc<Claimed>, refusal: Refusal) {
        match refusal {
            Refusal::Wait => {}
            Refusal::Park(why) => self.tell(claimed, Fate::Parked { why }).await,
            Refusal::Us(all) => {
                let last = all.last().map(|(_, why)| why.clone()).unwrap_or_default();
                self.run.trouble(&format!("every mail is refused, so it may be us and not them; the last: {last}"));
                for (suspect, why) in all {
                    self.try_again(&suspect, why).await;
                }
            }
        }
    }

    async fn try_again(&self, claimed: &Arc<Claimed>, why: String) {
        let notice = &claimed.notice;
        let fate = again(notice.decided_at, notice.attempts, why, self.run.now());
        self.tell(claimed, fate).await;
    }

    async fn tell(&self, claimed: &Arc<Claimed>, fate: Fate) {
        // The ledger outlives all couriers.
        let _ = self.fates.send(Done { claimed: Arc::clone(claimed), fate }).await;
    }
}
