#![doc = include_str!("../README.md")]

pub mod clock;
pub mod database_url;
pub mod environment;
pub mod identity;
pub mod ids;
pub mod language;
pub mod notice;
pub mod schema_name;
pub mod secret;
pub mod stop;
pub mod store_error;
pub mod tenant;

pub use clock::{Clock, ManualClock, SystemClock};
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use environment::{DotEnv, DotEnvState, Environment, EnvironmentError, Origin};
pub use identity::{Difference, Identity, Surroundings};
pub use ids::{AttemptId, ConnectionId, NoticeId, RunId, SubscriptionId, TenantId};
pub use language::Language;
pub use schema_name::{SchemaName, SchemaNameError};
pub use secret::Secret;
pub use stop::StopToken;
pub use store_error::{StoreError, StoreErrorKind};
pub use tenant::Tenant;
