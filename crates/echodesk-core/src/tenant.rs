//! Tenants, as far as every job needs to know them.

use crate::{Language, SchemaName, TenantId};

/// A customer of EchoDesk: a row of `tenants_tenant` and a schema of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// `id`.
    pub id: TenantId,
    /// `schema_name`.
    pub schema: SchemaName,
    /// `name`, as the customer writes it.
    pub name: String,
    /// `admin_email`, where notices go.
    pub admin_email: String,
    /// `admin_name`.
    pub admin_name: String,
    /// `preferred_language`.
    pub language: Language,
    /// `is_active`: a suspended tenant is not worked for.
    pub is_active: bool,
}
