//! The tables, as far as the jobs use them. Names in Rust are plain; those in the database are
//! EchoDesk's or start with `echodesk_`.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::{BigInt, Bool, Integer, Text};
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
    }
}

table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::sql_types::{Json, Moment};

    #[sql_name = "echodesk_notice"]
    public.notices (id) {
        id -> BigInt,
        tenant_id -> BigInt,
        kind -> Text,
        subject_key -> Text,
        period -> Text,
        payload -> Json,
        state -> Text,
        created_at -> Moment,
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
allow_tables_to_appear_in_same_query!(items, folders);
