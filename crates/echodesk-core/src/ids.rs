//! Ids of rows, one type each, so that a tenant's id cannot be passed where a mailbox's is meant.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// `tenants_tenant.id`.
    TenantId
}
row_id! {
    /// `tenants_tenant_subscription.id`.
    SubscriptionId
}
row_id! {
    /// `echodesk_charge_attempt.id`.
    AttemptId
}
row_id! {
    /// `echodesk_notice.id`.
    NoticeId
}
row_id! {
    /// `social_integrations_emailconnection.id`, unique within its tenant.
    ConnectionId
}

/// One run of one job: names its row in `echodesk_run` and holds its leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl RunId {
    /// A fresh id; version 7, so that runs sort by their start.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
