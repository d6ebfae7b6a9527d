//! Pure rules of delivery: what still holds, when it is tried again, what an address is.

mod address;
mod backoff;
mod holds;
mod refusal;
mod veil;

pub(crate) use address::parse as parse_address;
pub use address::{AddressError, address, flat, masked, one_line};
pub use backoff::{GIVE_UP_AFTER, LEAST_TRIES, MOST_IN_DOUBT, again, again_in_doubt, backoff};
pub use holds::{NOT_YET_FOR, Verdict, holds};
pub use refusal::{MAX_REFUSALS, PATIENCE, blames_recipient, is_policy};
pub use veil::veiled;
