//! The delivery of notices at the end of every job: all that wait, whichever job has queued them.

mod delivery;
mod outcome;
mod settings;

pub(crate) use delivery::{Courier, NO_EMAIL_SETTINGS, NOT_BOUND, PROGRESS};
pub use settings::{Delivery, NoticeSettings, templates};
