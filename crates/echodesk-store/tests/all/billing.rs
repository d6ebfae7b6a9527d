//! The ledger of charges.

pub(crate) mod accounts;
mod adopted;
mod answering;
mod at_once;
mod candidates;
mod claiming;
mod expiring;
mod forecasting;
mod invoicing;
mod listing;
mod looking_after;
mod preparing;
mod promises;
mod refused;
mod settling;
mod suspending;
