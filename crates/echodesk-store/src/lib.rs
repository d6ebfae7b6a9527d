#![doc = include_str!("../README.md")]

mod access;
mod catalog;
mod connection;
mod error;
mod inspect;
mod lease;
// mod orders;
mod mail;
mod mailboxes;
mod migrations;
mod postgres;
mod runs;
mod sql_types;
mod sqlite;
mod store;
mod subscriptions;
mod tables;
mod tenants;

pub use access::{Access, OpenError};
pub use inspect::{SchemaFinding, Severity};
// pub use orders::{LedgerEntry, LedgerFilter};
pub use mailboxes::NewMailbox;
pub use migrations::{MigrationOutcome, MigrationReport, TenantMigration};
pub use runs::NewRun;
pub use store::Store;
pub use subscriptions::NewSubscription;
pub use tenants::NewTenant;
