//! The mail servers, and the way to them.
//!
//! A session is read by a thread of its own while another writes to the store. So nothing that it is asked decides
//! anything: what it will be like is decided when it is opened, and what it shows are the mailbox as it is then and as
//! it is a moment later. What it was asked is not told, since how far it gets when the other thread fails is a matter
//! of milliseconds.

mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use echodesk_core::Secret;
use echodesk_mail::model::Endpoint;
use echodesk_mail::ports::{MailServer, MailServerError, MailSession};
use jiff::SignedDuration;

use crate::fault::FaultKind;
use crate::process::Process;
use crate::runs::MailClock;
use crate::world::mail::MailboxNumber;
use crate::world::mail::account::{Account, Place};
use session::ImapSession;

/// What one process was shown, by mailbox: the last session of each.
#[derive(Debug, Default)]
pub struct Shown(Mutex<BTreeMap<MailboxNumber, Arc<Sight>>>);

/// What was shown in one session.
#[derive(Debug, Default)]
pub struct Sight {
    /// The mailbox when the session was opened, and after what happens in the middle of it; none if it was not opened.
    pub account: Option<(Arc<Account>, Arc<Account>)>,
    /// Whether the server refused to log in.
    pub login_refused: bool,
    /// Whether the server took all the time that there was to let us in.
    pub is_slow: bool,
    /// Whether the connection was cut, or never made.
    pub is_cut: AtomicBool,
    /// Whether a folder was refused.
    pub folder_refused: AtomicBool,
    /// The places over which the connection broke, until that is written down.
    broke: Mutex<BTreeSet<Place>>,
}

impl Shown {
    /// What was shown of a mailbox.
    #[must_use]
    pub fn of(&self, number: MailboxNumber) -> Option<Arc<Sight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    fn add(&self, number: MailboxNumber, sight: Sight) -> Arc<Sight> {
        let sight = Arc::new(sight);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&sight));
        sight
    }
}

/// What a session will be like.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    /// The call with which the connection is cut.
    cut_at_call: Option<u32>,
    /// The body with which the connection is cut.
    cut_at_body: Option<u32>,
    /// The call before which the mailbox changes.
    change_at_call: u32,
    /// Which folder is refused, and whether for the moment only, as the server says.
    refused: Option<(&'static str, bool)>,
}

/// The world's mail servers, as one process reaches them.
#[derive(Debug)]
pub struct ImapPort {
    process: Arc<Process>,
    clock: MailClock,
    shown: Arc<Shown>,
}

impl ImapPort {
    /// That of a process.
    #[must_use]
    pub fn new(process: &Arc<Process>, clock: &MailClock, shown: &Arc<Shown>) -> Self {
        Self { process: Arc::clone(process), clock: clock.clone(), shown: Arc::clone(shown) }
    }

    fn happens(&self, kind: FaultKind, place: &str, number: MailboxNumber) -> bool {
        let world = &self.process.world;
        let happens = world.faults.happens(kind, place);
        if happens {
            self.process.disturb();
            world.trace.note(number.tenant, format_args!("{kind} at {place}"));
        }
        happens
    }

    fn course(&self, place: &str, number: MailboxNumber) -> Course {
        let world = &self.process.world;
        let mut dice = world.chance.at(&format!("course of {place}"));
        let mut course = Course { change_at_call: narrow(dice.between(1, 9)), ..Course::default() };
        if self.happens(FaultKind::ImapCut, place, number) {
            if dice.per_mille(500) {
                course.cut_at_call = Some(narrow(dice.between(1, 9)));
            } else {
                course.cut_at_body = Some(narrow(dice.between(1, 8)));
            }
        }
        if self.happens(FaultKind::FolderRefused, place, number) {
            course.refused = Some((dice.one_of(&["INBOX", "INBOX", "Work", "Archive"]), dice.per_mille(500)));
        }
        world.trace.note(
            number.tenant,
            format_args!(
                "mailbox {number} is opened{}{}{}",
                course.cut_at_call.map(|call| format!(", cut at call {call}")).unwrap_or_default(),
                course.cut_at_body.map(|body| format!(", cut at message {body}")).unwrap_or_default(),
                course.refused.map(|(name, _)| format!(", {name} refused")).unwrap_or_default(),
            ),
        );
        course
    }

    fn unreachable(&self, endpoint: &Endpoint, place: &str) -> MailServerError {
        let source = std::io::Error::from(ErrorKind::ConnectionRefused);
        match self.process.world.chance.at(&format!("down {place}")).between(0, 4) {
            0 => MailServerError::Connect { endpoint: endpoint.to_string(), source },
            1 => MailServerError::Resolve { host: endpoint.host.clone(), source },
            2 => MailServerError::Timeout { doing: "connecting", after: Duration::from_secs(20) },
            _ => MailServerError::Unavailable { answer: "[UNAVAILABLE] try later".to_owned() },
        }
    }
}

impl MailServer for ImapPort {
    fn open(
        &self,
        endpoint: &Endpoint,
        username: &str,
        _: &Secret,
        time_left: Duration,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        let world = &self.process.world;
        let lost = || MailServerError::Lost { doing: "logging in", source: ErrorKind::ConnectionReset.into() };
        let Some(number) = world.mail.of_user(username).filter(|_| !self.process.is_dead()) else {
            return Err(lost());
        };
        let place = format!("{}, mailbox {number}", self.process.name);
        if world.faults.happens(FaultKind::DeathBeforeCall, &place) {
            self.process.die(&format!("before {place}"), Some(number.tenant));
            return Err(lost());
        }
        let way = world.chance.at(&format!("way {place}")).between(40, 900).cast_signed();
        world.time.pass_until(world.time.now() + SignedDuration::from_millis(way));
        world.mailbox_lives(number);
        let is_slow = self.happens(FaultKind::ImapSlow, &place, number);
        if is_slow {
            // The server lets us in in the end; or the client gives up.
            world.time.pass_until(world.time.now() + SignedDuration::try_from(time_left).unwrap_or_default());
            self.clock.pass(time_left);
            if world.chance.at(&format!("slow {place}")).per_mille(500) {
                self.shown.add(number, Sight { is_cut: true.into(), ..Sight::default() });
                return Err(MailServerError::OutOfTime);
            }
        }
        if self.happens(FaultKind::ImapDown, &place, number) {
            self.shown.add(number, Sight { is_cut: true.into(), ..Sight::default() });
            return Err(self.unreachable(endpoint, &place));
        }
        if world.mail.get(number).password_is_wrong {
            self.process.disturb();
            world.trace.note(number.tenant, format_args!("the password of mailbox {number} is wrong"));
            self.shown.add(number, Sight { login_refused: true, ..Sight::default() });
            return Err(MailServerError::Login { username: username.to_owned(), answer: "no".to_owned() });
        }
        let course = self.course(&place, number);
        let before = world.mail.get(number).account;
        if world.chance.at(&format!("change in {place}")).per_mille(100) {
            world.mailbox_changes(number, &format!("moment of {place}"));
        }
        let account = (before, world.mail.get(number).account);
        let sight = self.shown.add(number, Sight { account: Some(account.clone()), is_slow, ..Sight::default() });
        Ok(Box::new(ImapSession::new(course, account, sight)))
    }
}

impl Sight {
    fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    fn broke_over(&self, places: impl Iterator<Item = Place>) {
        self.broke.lock().unwrap_or_else(PoisonError::into_inner).extend(places);
    }

    /// It is written down that the connection broke over a place. Says so once, if it has.
    pub(super) fn is_noted(&self, place: &Place) -> bool {
        self.broke.lock().unwrap_or_else(PoisonError::into_inner).remove(place)
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
