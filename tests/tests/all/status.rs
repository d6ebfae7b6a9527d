//! `subscription-status` as a process: the timeline of subscriptions, day by day, and what the mail server
//! has really been handed.

mod deaths;
mod paying;
mod suspending;
mod telling;
mod timeline;
pub(crate) mod world;
