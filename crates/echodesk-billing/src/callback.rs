//! Callbacks: the bank tells how a charge ended.
//!
//! [`apply`] is all that an HTTP endpoint has to call. It believes nothing that is not signed, finds the
//! attempt that a callback is about, and settles it; repeated, late and reordered callbacks change
//! nothing that was settled.

mod decide;
mod envelope;
mod keys;
mod signature;

use std::fmt;

use echodesk_core::{AttemptId, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::decide::{Action, decide};
pub use self::envelope::{Callback, parse};
pub use self::keys::{CallbackKeys, KeysError};
use crate::bank::ReceiptBodyError;
use crate::model::{Attempt, BankOrderId, OrderId, Receipt};
use crate::ports::{BillingStore, Settled, Settlement, Source};

/// The largest callback that is looked at, in bytes. Real ones have some thousand; a server need not read
/// further than this.
pub const LARGEST: usize = 1024 * 1024;

/// What a callback has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The attempt that it is about.
    pub attempt: AttemptId,
    /// Our name of the order.
    pub order: OrderId,
    /// The bank's name of the order that the callback is about.
    pub bank_order: BankOrderId,
    /// What became of it.
    pub effect: Effect,
}

/// What became of an attempt by a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The store was given a final answer, and did this with it.
    Settled(Settled),
    /// It is not final yet, but now the bank's name of the order is known.
    Recorded,
    /// It is now for a person to look at; why.
    Trouble(String),
    /// Nothing has changed; why.
    Nothing(String),
}

/// Why a callback was not applied.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// The signature is missing, broken, of another key or of another body. To be answered 401.
    #[error("the callback is not signed by the bank")]
    BadSignature,
    /// It is longer than [`LARGEST`]. To be answered 413.
    #[error("the callback has {bytes} bytes, more than {LARGEST}")]
    TooLarge {
        /// How long it is.
        bytes: usize,
    },
    /// The bank has signed something that cannot be understood. To be answered 400.
    #[error("the callback cannot be read")]
    Malformed(#[source] ReceiptBodyError),
    /// It is about no order of ours. To be answered 404.
    #[error("the callback is about an order that is not ours: the bank's {bank_order:?}, named {external:?}")]
    UnknownOrder {
        /// The bank's name of it, cut.
        bank_order: String,
        /// What its shop calls it, cut.
        external: Option<String>,
    },
    /// The database could not do what was asked. To be answered 503, so that the bank may try again.
    #[error("the callback could not be written down")]
    Store(#[from] StoreError),
}

/// Applies a callback: its body byte for byte as it came, and the header `Callback-Signature`, if there
/// was one. Blocks on the database, so it belongs on a thread that may.
///
/// # Errors
/// See [`CallbackError`]; nothing has changed then.
pub fn apply(
    store: &dyn BillingStore,
    keys: &CallbackKeys,
    raw: &[u8],
    signature: Option<&str>,
    now: Timestamp,
    time_zone: &TimeZone,
) -> Result<Applied, CallbackError> {
    if raw.len() > LARGEST {
        return Err(CallbackError::TooLarge { bytes: raw.len() });
    }
    if !signature.is_some_and(|signature| keys.verify(raw, signature)) {
        return Err(CallbackError::BadSignature);
    }
    let receipt = parse(raw).map_err(CallbackError::Malformed)?.receipt;
    let attempt = find(store, &receipt)?;
    let effect = match decide(&attempt, &receipt) {
        Action::Settle(refusal) => {
            let settlement = Settlement {
                refusal: refusal.as_ref(),
                bank_order: Some(&receipt.order),
                source: Source::Callback,
                now,
                run: None,
                time_zone,
            };
            Effect::Settled(store.settle(attempt.id, &settlement)?)
        }
        Action::Record => {
            store.accepted(attempt.id, &receipt.order, now)?;
            Effect::Recorded
        }
        Action::Trouble(why) => {
            store.set_trouble(attempt.id, Some(&why), now)?;
            Effect::Trouble(why)
        }
        Action::Nothing(why) => Effect::Nothing(why),
    };
    Ok(Applied { attempt: attempt.id, order: attempt.order, bank_order: receipt.order, effect })
}

/// The bank's own name of an order is looked for first: who has it cannot be mistaken for another, while
/// our names can be given to other orders.
fn find(store: &dyn BillingStore, receipt: &Receipt) -> Result<Attempt, CallbackError> {
    if let Some(attempt) = store.attempt_of_bank_order(&receipt.order)? {
        return Ok(attempt);
    }
    if let Some(external) = &receipt.external
        && let Some(attempt) = store.attempt_of_order(&OrderId(external.clone()))?
    {
        return Ok(attempt);
    }
    let cut = |text: &str| text.chars().take(100).collect();
    Err(CallbackError::UnknownOrder {
        bank_order: cut(receipt.order.as_str()),
        external: receipt.external.as_deref().map(cut),
    })
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} (the bank's {}): ", self.order, self.bank_order)?;
        match &self.effect {
            Effect::Settled(Settled::Paid { extended: true, .. }) => f.write_str("paid, and the subscription extended"),
            Effect::Settled(Settled::Paid { extended: false, .. }) => f.write_str("paid, as EchoDesk knew"),
            Effect::Settled(Settled::Failed(_)) => f.write_str("failed"),
            Effect::Settled(Settled::Already(state)) => write!(f, "nothing new, it is {}", state.code()),
            Effect::Settled(Settled::NotYet) => f.write_str("EchoDesk is booking it"),
            Effect::Settled(Settled::Contradiction) => {
                f.write_str("a person must look at it: EchoDesk says paid, the bank says not")
            }
            Effect::Recorded => f.write_str("not final yet"),
            Effect::Trouble(why) => write!(f, "a person must look at it: {why}"),
            Effect::Nothing(why) => write!(f, "nothing done: {why}"),
        }
    }
}
