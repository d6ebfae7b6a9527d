//! What the next runs do about a tenant, and why.

mod coming;
mod mail;
mod notices;
mod payments;
mod status;

use jiff::Timestamp;

use super::facts::Facts;
use crate::refusals::Refusal;

pub(super) use coming::{Coming, coming};
pub(super) use payments::card as card_of;

/// What the next run of a job does about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// `recurring-payments`, `subscription-status` or `sync-emails`; `notices` are delivered by each of them.
    pub(super) job: &'static str,
    /// The order, subscription, notice or mailbox, as lists name it.
    pub(super) about: String,
    /// A name for machines that stays the same.
    pub(super) verdict: &'static str,
    /// In words.
    pub(super) what: String,
    /// What a person has to do, if anything.
    pub(super) todo: Option<String>,
    /// When, if that is known.
    pub(super) at: Option<Timestamp>,
}

impl Next {
    fn new(job: &'static str, about: impl ToString, verdict: &'static str, what: impl Into<String>) -> Self {
        Self { job, about: about.to_string(), verdict, what: what.into(), todo: None, at: None }
    }

    fn todo(mut self, todo: Option<String>) -> Self {
        self.todo = todo;
        self
    }

    fn at(mut self, at: Option<Timestamp>) -> Self {
        self.at = at;
        self
    }
}

/// That goes before what the job would do.
fn not_ready(Refusal { job, why }: &Refusal, facts: &Facts) -> Next {
    Next::new(job, &facts.tenant.schema, "not_ready", format!("does not start here: {why}"))
}

pub(super) fn of(facts: &Facts) -> Vec<Next> {
    let mut next: Vec<Next> = facts.refusals.iter().map(|refusal| not_ready(refusal, facts)).collect();
    next.extend(payments::of(facts));
    next.extend(status::of(facts));
    next.extend(mail::of(facts));
    next.extend(notices::of(facts));
    next
}
