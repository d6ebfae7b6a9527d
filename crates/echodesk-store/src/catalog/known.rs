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
pub(crate) const OWN_PUBLIC_TABLES: [&str; 4] =
    ["echodesk_lease", "echodesk_run", "echodesk_notice", "echodesk_identity"];

/// A tenant's subscription.
pub(crate) const SUBSCRIPTIONS: &str = "tenants_tenant_subscription";
/// Which features a subscription has.
pub(crate) const SELECTED_FEATURES: &str = "tenants_tenant_subscription_selected_features";
/// Features and their prices.
pub(crate) const FEATURES: &str = "tenants_feature";
/// Orders sent to the bank.
pub(crate) const ORDERS: &str = "tenants_payment_order";
/// What happened to a subscription.
pub(crate) const EVENTS: &str = "tenants_subscription_event";
/// Invoices.
pub(crate) const INVOICES: &str = "tenants_invoice";
/// What EchoDesk will charge by itself. Releases of EchoDesk that do not do so do not have it.
pub(crate) const RETRIES: &str = "tenants_payment_retry_schedule";

/// Saved cards, as they are told to people. Only read.
pub(crate) const SAVED_CARDS: &str = "tenants_saved_card";

/// EchoDesk's tables in `public` that billing needs.
pub(crate) const ECHODESK_BILLING_TABLES: [&str; 6] =
    [SUBSCRIPTIONS, SELECTED_FEATURES, FEATURES, ORDERS, EVENTS, INVOICES];
/// Those among them that a run inserts into. Into the others only a person's command does.
pub(crate) const INSERTED_BY_BILLING: [&str; 3] = [ORDERS, EVENTS, INVOICES];
/// Ours in `public` that only billing needs.
pub(crate) const OWN_BILLING_TABLES: [&str; 3] =
    ["echodesk_charge_attempt", "echodesk_invoice_month", "echodesk_suspension"];

/// The columns that our INSERTs into a table fill and our queries read, all of which must therefore be
/// there. `id` fills itself.
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
            "frontend_url",
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
        "echodesk_run" => &[
            "id",
            "job",
            "host",
            "version",
            "arguments",
            "started_at",
            "finished_at",
            "exit_code",
            "summary",
            "tenant",
        ],
        "echodesk_identity" => {
            &["environment", "bank_client", "mail_host", "copied_bank_client", "database_mark", "bound_at", "bound_by"]
        }
        "echodesk_notice" => &[
            "tenant_id",
            "kind",
            "subject_key",
            "period",
            "payload",
            "state",
            "created_at",
            "attempts",
            "not_before",
            "claimed_by",
            "claimed_until",
            "sent_to",
            "why",
            "closed_at",
        ],
        _ => of_billing(table),
    }
}

/// [`filled`], of the tables that only billing needs.
fn of_billing(table: &str) -> &'static [&'static str] {
    match table {
        SUBSCRIPTIONS => &[
            "is_active",
            "starts_at",
            "expires_at",
            "agent_count",
            "current_users",
            "whatsapp_messages_used",
            "storage_used_gb",
            "last_billed_at",
            "next_billing_date",
            "created_at",
            "updated_at",
            "tenant_id",
            "is_trial",
            "parent_order_id",
            "trial_converted",
            "subscription_type",
            "failed_payment_count",
            "last_payment_failure",
            "payment_status",
        ],
        SELECTED_FEATURES => &["tenantsubscription_id", "feature_id"],
        FEATURES => &[
            "key",
            "name",
            "description",
            "category",
            "icon",
            "sort_order",
            "is_active",
            "created_at",
            "updated_at",
            "price_per_user_gel",
            "price_unlimited_gel",
        ],
        ORDERS => &[
            "order_id",
            "amount",
            "currency",
            "agent_count",
            "status",
            "payment_url",
            "metadata",
            "created_at",
            "updated_at",
            "paid_at",
            "tenant_id",
            "bog_order_id",
            "card_saved",
            "is_trial_payment",
            "payment_provider",
        ],
        EVENTS => &[
            "event_type",
            "old_value",
            "new_value",
            "metadata",
            "description",
            "created_at",
            "payment_order_id",
            "subscription_id",
            "tenant_id",
        ],
        INVOICES => &[
            "invoice_number",
            "amount",
            "currency",
            "description",
            "agent_count",
            "invoice_date",
            "paid_date",
            "pdf_generated",
            "pdf_url",
            "metadata",
            "payment_order_id",
            "tenant_id",
        ],
        "echodesk_charge_attempt" => &[
            "subscription_id",
            "tenant_id",
            "schema_name",
            "period",
            "number",
            "order_id",
            "idempotency_key",
            "parent_order_id",
            "amount",
            "currency",
            "state",
            "bank_order_id",
            "prepared_at",
            "closed_at",
            "refusal_kind",
            "refusal_status",
            "refusal_code",
            "refusal_text",
            "last_error",
            "trouble",
            "settled_by",
            "because",
            "claimed_by",
            "claimed_until",
            "sender",
            "updated_at",
        ],
        "echodesk_invoice_month" => &["month", "last"],
        "echodesk_suspension" => &["subscription_id", "tenant_id", "expired_at", "suspended_at", "lifted_at"],
        SAVED_CARDS => &["parent_order_id", "masked_card_number", "card_expiry", "saved_at", "is_active", "tenant_id"],
        RETRIES => &["status", "scheduled_for", "executed_at", "skip_reason", "subscription_id"],
        _ => &[],
    }
}
