//! How the bank behaves while nothing goes wrong.

use std::time::Duration;

/// How the bank behaves. The default is a bank that answers at once and settles at once.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// How long each call takes, from its arrival to its answer. The bank acts in the middle of it.
    pub latency: Duration,
    /// The HTTP status of an order that was made; the bank does not say whether it is 200 or 201.
    pub made_status: u16,
    /// How long a charge is `created` before it is `processing`.
    pub processing_after: Duration,
    /// How long after it was made a charge is settled, and captured if the card pays. `None`: only
    /// by [`super::SandboxBank::settle`].
    pub settle_after: Option<Duration>,
    /// How long an access token is good for.
    pub token_lifetime: Duration,
    /// How `expires_in` says it.
    pub expires_in: ExpiresIn,
    /// What a call gets whose Idempotency-Key belongs to one that is still in progress.
    pub in_progress: InProgress,
    /// How long an Idempotency-Key is remembered.
    pub key_lifetime: Duration,
    /// Whether what went wrong with the first answer goes wrong again for each repeat: the bank
    /// remembers the faulty answer under its key, and not the one it meant to give.
    pub remembers_faults: bool,
    /// Refuses a key that comes again with another body (422); else the body is not looked at.
    pub key_is_for_one_body: bool,
    /// The callbacks.
    pub callbacks: Callbacks,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            made_status: 200,
            processing_after: Duration::ZERO,
            settle_after: Some(Duration::ZERO),
            token_lifetime: Duration::from_secs(300),
            expires_in: ExpiresIn::Seconds,
            in_progress: InProgress::Waits,
            key_lifetime: Duration::from_secs(24 * 60 * 60),
            remembers_faults: false,
            key_is_for_one_body: false,
            callbacks: Callbacks::default(),
        }
    }
}

/// The two readings of `expires_in`, which the bank's own page mixes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresIn {
    /// Seconds from now.
    Seconds,
    /// The moment itself, in milliseconds since 1970.
    EpochMilliseconds,
}

/// What a repeat gets while the first call with its key is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InProgress {
    /// It waits, and gets the first one's answer.
    Waits,
    /// 409 at once.
    Conflict,
}

/// Which callbacks are sent for a charge that is settled, and how.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// What they say, one after another. Lost: none. Doubled: `[Truth, Truth]`. Reordered:
    /// `[Rejected, Truth]`, `[Truth, Processing]`.
    pub say: Vec<Says>,
    /// How long after settling the first is sent.
    pub delay: Duration,
    /// How they are signed.
    pub signature: Signature,
    /// Whether the amount is changed after signing.
    pub tampered: bool,
    /// Settles at once, and sends them before subscribe is answered. Overrides `settle_after` and `delay`.
    pub before_answer: bool,
    /// Where they go, whatever the order says.
    pub url: Option<String>,
}

impl Default for Callbacks {
    fn default() -> Self {
        Self {
            say: vec![Says::Truth],
            delay: Duration::ZERO,
            signature: Signature::Good,
            tampered: false,
            before_answer: false,
            url: None,
        }
    }
}

impl Callbacks {
    /// None at all.
    #[must_use]
    pub fn lost() -> Self {
        Self::saying(&[])
    }

    /// These, in this order.
    #[must_use]
    pub fn saying(say: &[Says]) -> Self {
        Self { say: say.to_vec(), ..Self::default() }
    }
}

/// What a callback says of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// How the order stands.
    Truth,
    /// `created`, as it once was.
    Created,
    /// `processing`, as it once was.
    Processing,
    /// `rejected`, whether or not it was.
    Rejected,
    /// `completed`, whether or not it was.
    Completed,
}

/// How a callback is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// With the bank's key.
    Good,
    /// With a key that is not the bank's.
    OtherKey,
    /// With something that is no signature at all.
    Garbage,
    /// Not at all.
    Missing,
}
