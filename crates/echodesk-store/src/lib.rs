#![doc = include_str!("../README.md")]

mod access;
mod billing;
mod catalog;
mod connection;
mod error;
mod identity;
mod inspect;
mod lease;
mod mail;
mod mailboxes;
mod migrations;
mod notices;
mod orders;
mod postgres;
mod runs;
mod server_time;
mod sql_types;
mod sqlite;
mod store;
mod story;
mod subscriptions;
mod tables;
mod tenants;
mod text;

pub use access::{Access, OpenError};
pub use identity::{Binding, BoundIdentity, DatabaseMatch};
pub use inspect::{SchemaFinding, Severity};
pub use mailboxes::NewMailbox;
pub use migrations::{MigrationOutcome, MigrationReport, TenantMigration};
pub use notices::{NoticeEntry, NoticeFilter, NoticeState};
pub use orders::{LedgerEntry, LedgerFilter};
pub use runs::{JobHealth, NewRun, RunEntry, RunFilter};
pub use store::Store;
pub use story::{
    BillingStory, CardStory, EventStory, FailedMessage, FolderStory, InvoiceStory, MailboxStory, Newest, NoticeStory,
    OrderStory, RetryStory, SubscriptionStory, SuspensionStory,
};
pub use subscriptions::NewSubscription;
pub use tenants::NewTenant;
