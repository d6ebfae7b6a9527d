//! A subscription as this service has it, and as renewals see it.

use echodesk_billing::model::{BankOrderId, Seen};
use echodesk_billing::rules::period::Extension;
use echodesk_core::{AttemptId, Language, SchemaName, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

/// One subscription; each tenant has one. As a line of the file and of `GET /subscriptions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscription {
    /// Whose it is.
    #[serde(deserialize_with = "schema_name")]
    pub(crate) tenant: SchemaName,
    /// For one agent and 30 days, in lari.
    pub(crate) price: Decimal,
    /// How many agents.
    pub(crate) agents: i32,
    /// The bank's name of the order on which the card was saved.
    pub(crate) card: String,
    /// Until when it is paid.
    pub(crate) expires_at: Timestamp,
    /// How often a charge has failed since the last that was paid.
    #[serde(default)]
    pub(crate) failed_payments: u32,
    /// How often it was extended by this service.
    #[serde(default)]
    pub(crate) extended: u32,
}

fn schema_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SchemaName, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl Subscription {
    /// All columns that a charge depends on.
    pub(super) fn seen(&self, last_attempt: Option<AttemptId>) -> Seen {
        Seen {
            tenant_active: true,
            provider: "bog".to_owned(),
            active: true,
            expires_at: Some(self.expires_at),
            next_billing_date: Some(self.expires_at),
            agent_count: self.agents,
            parent: Some(BankOrderId(self.card.clone())),
            last_attempt,
        }
    }

    pub(super) fn tenant(&self, id: SubscriptionId) -> Tenant {
        Tenant {
            id: TenantId(id.0),
            schema: self.tenant.clone(),
            name: self.tenant.to_string(),
            admin_email: format!("admin@{}.example", self.tenant),
            admin_name: String::new(),
            language: Language::En,
            is_active: true,
        }
    }

    pub(super) fn extend(&mut self, extension: &Extension) {
        self.expires_at = extension.next_billing_date;
        self.failed_payments = 0;
        self.extended += 1;
    }
}
