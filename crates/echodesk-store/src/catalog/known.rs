//! The tables and columns that this version knows.

/// EchoDesk's list of tenants.
pub(crate) const TENANTS: &str = "tenants_tenant";
/// A tenant's mailboxes.
pub(crate) const CONNECTIONS: &str = "social_integrations_emailconnection";
/// A tenant's mail.
pub(crate) const MESSAGES: &str = "social_integrations_emailmessage";
/// Django's book of its own migrations: where it is, EchoDesk is at home.
pub(crate) const DJANGO: &str = "django_migrations";

/// EchoDesk's mail tables in each tenant's schema.
pub(crate) const ECHODESK_MAIL_TABLES: [&str; 2] = [CONNECTIONS, MESSAGES];
/// Ours beside them.
pub(crate) const OWN_MAIL_TABLES: [&str; 2] = ["echodesk_mail_folder", "echodesk_mail_item"];
/// Ours in `public`.
pub(crate) const OWN_PUBLIC_TABLES: [&str; 3] = ["echodesk_lease", "echodesk_run", "echodesk_notice"];

/// The columns that our INSERTs into a table fill, all of which must therefore be there. `id` fills
/// itself.
pub(crate) fn filled(table: &str) -> &'static [&'static str] {
    match table {
        TENANTS => &[
            "domain_url",
            "schema_name",
            "name",
            "description",
            "created_on",
            "is_active",
            "admin_email",
            "admin_name",
            "plan",
            "max_users",
            "max_storage",
            "preferred_language",
            "deployment_status",
            "min_users_per_ticket",
            "only_superadmin_can_delete_tickets",
            "ip_whitelist_enabled",
            "superadmin_bypass_whitelist",
            "payment_provider",
        ],
        CONNECTIONS => &[
            "email_address",
            "display_name",
            "imap_server",
            "imap_port",
            "imap_use_ssl",
            "smtp_server",
            "smtp_port",
            "smtp_use_tls",
            "smtp_use_ssl",
            "username",
            "encrypted_password",
            "is_active",
            "last_sync_at",
            "last_sync_error",
            "sync_folder",
            "sync_days_back",
            "created_at",
            "updated_at",
            "signature_enabled",
            "signature_html",
            "signature_text",
            "auto_disabled_at",
            "sync_failure_count",
        ],
        MESSAGES => &[
            "message_id",
            "thread_id",
            "in_reply_to",
            "references",
            "from_email",
            "from_name",
            "to_emails",
            "cc_emails",
            "bcc_emails",
            "reply_to",
            "subject",
            "body_text",
            "body_html",
            "attachments",
            "timestamp",
            "folder",
            "uid",
            "is_from_business",
            "is_read",
            "is_starred",
            "is_answered",
            "is_draft",
            "labels",
            "is_read_by_staff",
            "is_deleted",
            "created_at",
            "updated_at",
            "connection_id",
        ],
        "echodesk_mail_folder" => &[
            "connection_id",
            "name",
            "uid_validity",
            "uid_next",
            "messages",
            "highest_mod_seq",
            "pending",
            "window_start",
            "updated_at",
        ],
        "echodesk_mail_item" => &[
            "folder_id",
            "uid_validity",
            "uid",
            "fate",
            "reason",
            "message_row",
            "digest",
            "flags",
            "size",
            "first_seen_at",
            "gone_at",
        ],
        "echodesk_lease" => &["resource", "holder", "until"],
        "echodesk_run" => {
            &["id", "job", "host", "version", "arguments", "started_at", "finished_at", "exit_code", "summary"]
        }
        "echodesk_notice" => &["tenant_id", "kind", "subject_key", "period", "payload", "state", "created_at"],
        _ => &[],
    }
}
