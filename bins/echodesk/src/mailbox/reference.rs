//! How a mailbox is named on the command line.

use std::str::FromStr;

use echodesk_core::{ConnectionId, SchemaName, SchemaNameError};
use echodesk_mail::model::MailboxKey;

use crate::error::CommandError;

/// `7`, or `acme/7`: ids of mailboxes repeat between tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailboxRef {
    pub(crate) schema: Option<SchemaName>,
    pub(crate) id: i64,
}

/// Why a text names no mailbox.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailboxRefError {
    #[error("expected ID or SCHEMA/ID, for example 7 or acme/7")]
    Form,
    #[error(transparent)]
    Schema(#[from] SchemaNameError),
}

impl FromStr for MailboxRef {
    type Err = MailboxRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (schema, id) = match text.split_once('/') {
            Some((schema, id)) => (Some(schema.parse()?), id),
            None => (None, text),
        };
        let id = id.parse().ok().filter(|id| *id > 0).ok_or(MailboxRefError::Form)?;
        Ok(Self { schema, id })
    }
}

impl MailboxRef {
    /// The mailbox that is meant, given `--tenant` and all mailboxes that exist.
    pub(crate) fn resolve(
        &self,
        tenant: Option<&SchemaName>,
        existing: impl FnOnce() -> Result<Vec<MailboxKey>, CommandError>,
    ) -> Result<MailboxKey, CommandError> {
        let connection = ConnectionId(self.id);
        match (&self.schema, tenant) {
            (Some(own), Some(given)) if own != given => {
                Err(CommandError::TwoTenants { mailbox: format!("{own}/{}", self.id), tenant: given.clone() })
            }
            (Some(schema), _) | (None, Some(schema)) => Ok(MailboxKey { schema: schema.clone(), connection }),
            (None, None) => {
                let mut same = existing()?;
                same.retain(|key| key.connection == connection);
                match same.len() {
                    0 => Err(CommandError::NoMailboxAnywhere(self.id)),
                    1 => Ok(same.remove(0)),
                    _ => {
                        let among = same.iter().map(MailboxKey::to_string).collect();
                        Err(CommandError::AmbiguousMailbox { id: self.id, among })
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(schema: &str, id: i64) -> MailboxKey {
        MailboxKey { schema: schema.parse().unwrap(), connection: ConnectionId(id) }
    }

    fn resolve(text: &str, tenant: Option<&str>) -> Result<String, String> {
        let tenant = tenant.map(|schema| schema.parse().unwrap());
        let reference: MailboxRef = text.parse().unwrap();
        reference
            .resolve(tenant.as_ref(), || Ok(vec![key("acme", 1), key("acme", 2), key("globex", 1)]))
            .map(|key| key.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_mailbox_is_named_by_tenant_and_id() {
        assert_eq!(resolve("acme/7", None).unwrap(), "acme/7");
        assert_eq!(resolve("7", Some("acme")).unwrap(), "acme/7");
        assert_eq!(resolve("acme/7", Some("acme")).unwrap(), "acme/7");
        assert!(resolve("acme/7", Some("globex")).unwrap_err().contains("acme/7 is not one of tenant globex"));
    }

    #[test]
    fn an_id_alone_will_do_where_only_one_tenant_has_it() {
        assert_eq!(resolve("2", None).unwrap(), "acme/2");
        assert!(resolve("1", None).unwrap_err().ends_with("as acme/1 or globex/1"));
        assert!(resolve("9", None).unwrap_err().contains("no tenant has a mailbox 9"));
    }

    #[test]
    fn what_names_no_mailbox_is_refused() {
        for text in ["", "seven", "-1", "0", "acme/", "acme/x", "/7", "a b/7", "acme/7/8"] {
            assert!(text.parse::<MailboxRef>().is_err(), "{text:?}");
        }
    }
}
