//! Whether the way for mails works, judged by everything that was sent in this run.

use std::sync::Arc;

use super::run::Claimed;
use crate::rules::{self, MAX_REFUSALS, PATIENCE};

/// So often in a row a connection is opened again without any answer to a mail in between.
const MAX_BREAKS: u32 = 3;

/// What is known of the way for mails.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Why no mail can be sent.
    pub(super) trouble: Option<String>,
    breaks: u32,
    /// Whether any mail was taken in this run.
    any_taken: bool,
    /// Refused since a mail was last taken, with the reasons. They are parked once another is taken: then the
    /// refusals were about them.
    suspects: Vec<(Arc<Claimed>, String)>,
    /// The same, refused by a policy, of those that were tried so often that they must not stop the run any more.
    patient: Vec<(Arc<Claimed>, String)>,
}

/// What follows from a refusal.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is about the notice, which is parked.
    Park(String),
    /// That is not known yet.
    Wait,
    /// It is about us: all of these are tried again later.
    Us(Vec<(Arc<Claimed>, String)>),
}

impl Health {
    /// A mail was taken. What was refused before was refused for its own sake.
    pub(super) fn taken(&mut self) -> Vec<(Arc<Claimed>, String)> {
        self.breaks = 0;
        self.any_taken = true;
        self.suspects()
    }

    /// The answer that speaks of a policy, of those that refused mails in a run in which none was taken: it is about
    /// the mails only if the same server takes others.
    pub(super) fn policy(&self) -> Option<String> {
        if self.any_taken {
            return None;
        }
        self.suspects.iter().chain(&self.patient).find(|(_, why)| rules::is_policy(why)).map(|(_, why)| why.clone())
    }

    /// There was an answer to a mail.
    pub(super) fn answered(&mut self) {
        self.breaks = 0;
    }

    /// A connection broke. False if that was once too often.
    pub(super) fn may_reconnect(&mut self) -> bool {
        self.breaks += 1;
        self.breaks <= MAX_BREAKS
    }

    /// A mail was refused for good.
    pub(super) fn refused(&mut self, claimed: &Arc<Claimed>, why: String) -> Refusal {
        self.breaks = 0;
        if rules::blames_recipient(&why) {
            return Refusal::Park(why);
        }
        if claimed.notice.attempts >= PATIENCE {
            // A policy may meet every mail alike, however often it is tried.
            if self.any_taken || !rules::is_policy(&why) {
                return Refusal::Park(why);
            }
            self.patient.push((Arc::clone(claimed), why));
            return Refusal::Wait;
        }
        self.suspects.push((Arc::clone(claimed), why));
        if self.suspects.len() < MAX_REFUSALS { Refusal::Wait } else { Refusal::Us(std::mem::take(&mut self.suspects)) }
    }

    /// What was refused and is not known to be our fault.
    pub(super) fn suspects(&mut self) -> Vec<(Arc<Claimed>, String)> {
        let mut all = std::mem::take(&mut self.suspects);
        all.append(&mut self.patient);
        all
    }
}
