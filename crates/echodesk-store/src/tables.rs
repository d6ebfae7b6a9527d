//! The tables, as far as the jobs use them. Names in Rust are plain; those in the database are
//! EchoDesk's or start with `echodesk_`.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
    use crate::sql_types::{Id, Moment};

    #[sql_name = "tenants_tenant"]
    public.tenants (id) {
        id -> Id,
        domain_url -> Text,
        schema_name -> Text,
        name -> Text,
        description -> Text,
        created_on -> Moment,
        is_active -> Bool,
        admin_email -> Text,
        admin_name -> Text,
        plan -> Text,
        max_users -> Integer,
        max_storage -> BigInt,
        preferred_language -> Text,
        deployment_status -> Text,
        frontend_url -> Nullable<Text>,
        min_users_per_ticket -> Integer,
        only_superadmin_can_delete_tickets -> Bool,
        ip_whitelist_enabled -> Bool,
        superadmin_bypass_whitelist -> Bool,
        payment_provider -> Text,
    }
}

table! {
    use diesel::sql_types::Text;
    use crate::sql_types::{Moment, Uuid};

    #[sql_name = "echodesk_lease"]
    public.leases (resource) {
        resource -> Text,
        holder -> Uuid,
        until -> Moment,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::sql_types::{Json, Moment, Uuid};

    #[sql_name = "echodesk_run"]
    public.runs (id) {
        id -> Uuid,
        job -> Text,
        host -> Text,
        version -> Text,
        arguments -> Text,
        started_at -> Moment,
        finished_at -> Nullable<Moment>,
        exit_code -> Nullable<Integer>,
        summary -> Nullable<Json>,
        tenant -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::sql_types::Moment;

    #[sql_name = "echodesk_identity"]
    public.identity (id) {
        id -> Integer,
        environment -> Text,
        bank_client -> Nullable<Text>,
        mail_host -> Nullable<Text>,
        copied_bank_client -> Nullable<Text>,
        database_mark -> Nullable<Text>,
        bound_at -> Moment,
        bound_by -> Text,
    }
}

table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use crate::sql_types::{Id, Json, Moment, Uuid};

    #[sql_name = "echodesk_notice"]
    public.notices (id) {
        id -> BigInt,
        tenant_id -> Id,
        kind -> Text,
        subject_key -> Text,
        period -> Text,
        payload -> Json,
        state -> Text,
        created_at -> Moment,
        attempts -> Integer,
        not_before -> Nullable<Moment>,
        claimed_by -> Nullable<Uuid>,
        claimed_until -> Nullable<Moment>,
        sent_to -> Nullable<Text>,
        why -> Nullable<Text>,
        closed_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable};
    use crate::sql_types::{Id, Moment};

    #[sql_name = "echodesk_suspension"]
    public.suspensions (id) {
        id -> BigInt,
        subscription_id -> Id,
        tenant_id -> Id,
        expired_at -> Moment,
        suspended_at -> Moment,
        lifted_at -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::{Bool, Text};
    use crate::sql_types::{Id, Moment};

    #[sql_name = "tenants_saved_card"]
    public.saved_cards (id) {
        id -> Id,
        parent_order_id -> Text,
        masked_card_number -> Text,
        card_expiry -> Text,
        saved_at -> Moment,
        is_active -> Bool,
        tenant_id -> Id,
    }
}

table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::sql_types::{Amount, Id, Moment};

    #[sql_name = "tenants_tenant_subscription"]
    public.subscriptions (id) {
        id -> Id,
        is_active -> Bool,
        starts_at -> Moment,
        expires_at -> Nullable<Moment>,
        agent_count -> Integer,
        current_users -> Integer,
        whatsapp_messages_used -> Integer,
        storage_used_gb -> Amount,
        last_billed_at -> Nullable<Moment>,
        next_billing_date -> Nullable<Moment>,
        created_at -> Moment,
        updated_at -> Moment,
        tenant_id -> Id,
        is_trial -> Bool,
        parent_order_id -> Nullable<Text>,
        trial_converted -> Bool,
        trial_ends_at -> Nullable<Moment>,
        subscription_type -> Text,
        failed_payment_count -> Integer,
        last_payment_failure -> Nullable<Moment>,
        payment_status -> Text,
        provider_subscription_id -> Nullable<Text>,
    }
}

table! {
    use crate::sql_types::Id;

    #[sql_name = "tenants_tenant_subscription_selected_features"]
    public.selected_features (id) {
        id -> Id,
        tenantsubscription_id -> Id,
        feature_id -> Id,
    }
}

table! {
    use diesel::sql_types::{Bool, Integer, Text};
    use crate::sql_types::{Amount, Id, Moment};

    #[sql_name = "tenants_feature"]
    public.features (id) {
        id -> Id,
        key -> Text,
        name -> Text,
        description -> Text,
        category -> Text,
        icon -> Text,
        sort_order -> Integer,
        is_active -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
        price_per_user_gel -> Amount,
        price_unlimited_gel -> Amount,
    }
}

table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::sql_types::{Amount, Id, Json, Moment};

    #[sql_name = "tenants_payment_order"]
    public.payment_orders (id) {
        id -> Id,
        order_id -> Text,
        amount -> Amount,
        currency -> Text,
        agent_count -> Integer,
        status -> Text,
        payment_url -> Text,
        metadata -> Json,
        created_at -> Moment,
        updated_at -> Moment,
        paid_at -> Nullable<Moment>,
        tenant_id -> Nullable<Id>,
        bog_order_id -> Nullable<Text>,
        card_saved -> Bool,
        is_trial_payment -> Bool,
        payment_provider -> Text,
        provider_order_id -> Nullable<Text>,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::{Id, Json, Moment};

    #[sql_name = "tenants_subscription_event"]
    public.subscription_events (id) {
        id -> Id,
        event_type -> Text,
        old_value -> Nullable<Json>,
        new_value -> Nullable<Json>,
        metadata -> Json,
        description -> Text,
        created_at -> Moment,
        payment_order_id -> Nullable<Id>,
        subscription_id -> Id,
        tenant_id -> Id,
    }
}

table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::sql_types::{Amount, CalendarDate, Id, Json, Moment};

    #[sql_name = "tenants_invoice"]
    public.invoices (id) {
        id -> Id,
        invoice_number -> Text,
        amount -> Amount,
        currency -> Text,
        description -> Text,
        agent_count -> Integer,
        invoice_date -> Moment,
        due_date -> Nullable<CalendarDate>,
        paid_date -> Nullable<Moment>,
        pdf_generated -> Bool,
        pdf_url -> Text,
        metadata -> Json,
        payment_order_id -> Id,
        tenant_id -> Id,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::{Id, Moment};

    // EchoDesk's alone: it is there or not.
    #[sql_name = "tenants_payment_retry_schedule"]
    public.echodesk_retries (id) {
        id -> Id,
        scheduled_for -> Moment,
        executed_at -> Nullable<Moment>,
        status -> Text,
        skip_reason -> Text,
        subscription_id -> Id,
    }
}

table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use crate::sql_types::{Amount, Id, Moment, Uuid};

    #[sql_name = "echodesk_charge_attempt"]
    public.attempts (id) {
        id -> BigInt,
        subscription_id -> Id,
        tenant_id -> Id,
        schema_name -> Text,
        period -> Moment,
        number -> Integer,
        order_id -> Text,
        idempotency_key -> Uuid,
        parent_order_id -> Text,
        amount -> Amount,
        currency -> Text,
        state -> Text,
        bank_order_id -> Nullable<Text>,
        prepared_at -> Moment,
        closed_at -> Nullable<Moment>,
        refusal_kind -> Nullable<Text>,
        refusal_status -> Nullable<Integer>,
        refusal_code -> Nullable<Text>,
        refusal_text -> Nullable<Text>,
        last_error -> Nullable<Text>,
        trouble -> Nullable<Text>,
        settled_by -> Nullable<Text>,
        because -> Nullable<Text>,
        claimed_by -> Nullable<Uuid>,
        claimed_until -> Nullable<Moment>,
        sender -> Nullable<Uuid>,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{Integer, Text};

    #[sql_name = "echodesk_invoice_month"]
    public.invoice_months (month) {
        month -> Text,
        last -> Integer,
    }
}

table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::sql_types::{Id, Moment};

    #[sql_name = "social_integrations_emailconnection"]
    connections (id) {
        id -> Id,
        email_address -> Text,
        display_name -> Text,
        imap_server -> Text,
        imap_port -> Integer,
        imap_use_ssl -> Bool,
        smtp_server -> Text,
        smtp_port -> Integer,
        smtp_use_tls -> Bool,
        smtp_use_ssl -> Bool,
        username -> Text,
        encrypted_password -> Text,
        is_active -> Bool,
        last_sync_at -> Nullable<Moment>,
        last_sync_error -> Text,
        sync_folder -> Text,
        sync_days_back -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
        signature_enabled -> Bool,
        signature_html -> Text,
        signature_text -> Text,
        auto_disabled_at -> Nullable<Moment>,
        sync_failure_count -> Integer,
    }
}

table! {
    use diesel::sql_types::{Bool, Text};
    use crate::sql_types::{Id, Json, Moment};

    #[sql_name = "social_integrations_emailmessage"]
    messages (id) {
        id -> Id,
        message_id -> Text,
        thread_id -> Text,
        in_reply_to -> Text,
        #[sql_name = "references"]
        references_ -> Text,
        from_email -> Text,
        from_name -> Text,
        to_emails -> Json,
        cc_emails -> Json,
        bcc_emails -> Json,
        reply_to -> Text,
        subject -> Text,
        body_text -> Text,
        body_html -> Text,
        attachments -> Json,
        timestamp -> Moment,
        folder -> Text,
        uid -> Text,
        is_from_business -> Bool,
        is_read -> Bool,
        is_starred -> Bool,
        is_answered -> Bool,
        is_draft -> Bool,
        labels -> Json,
        is_read_by_staff -> Bool,
        is_deleted -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
        connection_id -> Id,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::{CalendarDate, Moment};

    #[sql_name = "echodesk_mail_folder"]
    folders (id) {
        id -> BigInt,
        connection_id -> BigInt,
        name -> Text,
        uid_validity -> BigInt,
        uid_next -> BigInt,
        messages -> BigInt,
        highest_mod_seq -> Nullable<BigInt>,
        pending -> Text,
        window_start -> Nullable<CalendarDate>,
        suspect_uid -> Nullable<BigInt>,
        suspect_deaths -> BigInt,
        updated_at -> Moment,
    }
}

table! {
    use diesel::sql_types::{BigInt, Nullable, SmallInt, Text};
    use crate::sql_types::Moment;

    #[sql_name = "echodesk_mail_item"]
    items (id) {
        id -> BigInt,
        folder_id -> BigInt,
        uid_validity -> BigInt,
        uid -> BigInt,
        fate -> Text,
        reason -> Nullable<Text>,
        message_row -> Nullable<BigInt>,
        digest -> Nullable<Text>,
        flags -> SmallInt,
        size -> BigInt,
        first_seen_at -> Moment,
        gone_at -> Nullable<Moment>,
    }
}

joinable!(items -> folders (folder_id));
joinable!(subscriptions -> tenants (tenant_id));
joinable!(suspensions -> subscriptions (subscription_id));
joinable!(selected_features -> features (feature_id));
allow_tables_to_appear_in_same_query!(items, folders);
allow_tables_to_appear_in_same_query!(subscriptions, tenants, attempts, payment_orders, suspensions, notices);
allow_tables_to_appear_in_same_query!(selected_features, features);
