//! The simulator itself: that it repeats, finds, shrinks and tells; and that a fixed budget of seeds finds nothing.

mod billing_bugs;
mod budget;
mod command_line;
mod mail;
mod notices;
mod repeating;
mod shrinking;
