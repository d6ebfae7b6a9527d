//! What the server stands before: the bank's signature and the ledger.

use std::sync::Arc;

use echodesk_billing::callback::{Applied, CallbackError, CallbackKeys, Effect, apply};
use echodesk_billing::ports::Settled;
use echodesk_core::{Clock, StoreErrorKind};
use echodesk_job::one_line;
use echodesk_store::Store;
use jiff::tz::TimeZone;

use super::endpoint::Backend;
use super::reply::Reply;

/// Verifies callbacks and applies them to the ledger.
pub(super) struct Ledger {
    pub(super) store: Store,
    pub(super) keys: CallbackKeys,
    pub(super) clock: Arc<dyn Clock>,
    /// Whose days retries fall on.
    pub(super) time_zone: TimeZone,
}

impl Backend for Ledger {
    fn apply(&self, body: &[u8], signature: Option<&str>) -> Reply {
        let applied = apply(&self.store, &self.keys, body, signature, self.clock.now(), &self.time_zone);
        log(&applied);
        match applied {
            Ok(_) => Reply::Done,
            Err(error) => reply_to(&error),
        }
    }

    fn is_well(&self) -> bool {
        match self.store.ping() {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("the database does not answer: {}", one_line(&error));
                false
            }
        }
    }
}

fn reply_to(error: &CallbackError) -> Reply {
    match error {
        CallbackError::BadSignature => Reply::Unauthorized,
        CallbackError::TooLarge { .. } => Reply::TooLarge,
        CallbackError::Malformed(_) => Reply::Unreadable,
        CallbackError::UnknownOrder { .. } => Reply::UnknownOrder,
        CallbackError::Store(error) => match error.kind {
            StoreErrorKind::Unavailable | StoreErrorKind::LeaseLost => Reply::TryAgain,
            StoreErrorKind::UnknownTenant | StoreErrorKind::Conflict | StoreErrorKind::Other => Reply::Failed,
        },
    }
}

/// One line a callback, louder where somebody should look.
fn log(applied: &Result<Applied, CallbackError>) {
    match applied {
        Ok(applied) => {
            let (order, bank_order, outcome) = (&applied.order, &applied.bank_order, outcome(&applied.effect));
            // A refused charge too: the next run tells only when it is tried again.
            if matches!(outcome, "needs_person" | "failed") {
                tracing::warn!(%order, %bank_order, outcome, "callback: {applied}");
            } else {
                tracing::info!(%order, %bank_order, outcome, "callback: {applied}");
            }
        }
        Err(error @ CallbackError::Store(_)) => tracing::error!(outcome = "not_applied", "{}", one_line(error)),
        Err(error @ CallbackError::UnknownOrder { bank_order, external }) => {
            tracing::warn!(order = external, bank_order, outcome = "unknown_order", "{error}");
        }
        Err(error) => tracing::warn!(outcome = "refused", "{}", one_line(error)),
    }
}

fn outcome(effect: &Effect) -> &'static str {
    match effect {
        Effect::Settled(Settled::Paid { .. }) => "paid",
        Effect::Settled(Settled::Failed(_)) => "failed",
        Effect::Settled(Settled::Already(_) | Settled::NotYet) | Effect::Nothing(_) => "nothing",
        Effect::Settled(Settled::Contradiction) | Effect::Trouble(_) => "needs_person",
        Effect::Recorded => "recorded",
    }
}

#[cfg(test)]
mod tests {
    use echodesk_core::StoreError;

    use super::*;

    #[test]
    fn only_a_database_that_is_away_is_worth_another_try() {
        let store = |kind| CallbackError::Store(StoreError { kind, what: "settling".to_owned(), source: None });
        let unknown = CallbackError::UnknownOrder { bank_order: "b".to_owned(), external: None };
        let table = [
            (CallbackError::BadSignature, Reply::Unauthorized),
            (CallbackError::TooLarge { bytes: 9 }, Reply::TooLarge),
            (unknown, Reply::UnknownOrder),
            (store(StoreErrorKind::Unavailable), Reply::TryAgain),
            (store(StoreErrorKind::Other), Reply::Failed),
        ];
        for (error, reply) in table {
            assert_eq!(reply_to(&error), reply, "{error}");
        }
    }
}
