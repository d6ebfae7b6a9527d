-- EchoDesk's own tables, as on PostgreSQL.
CREATE TABLE IF NOT EXISTS social_integrations_emailconnection (
    id integer PRIMARY KEY AUTOINCREMENT,
    email_address text NOT NULL,
    display_name text NOT NULL,
    imap_server text NOT NULL,
    imap_port integer NOT NULL,
    imap_use_ssl boolean NOT NULL,
    smtp_server text NOT NULL,
    smtp_port integer NOT NULL,
    smtp_use_tls boolean NOT NULL,
    smtp_use_ssl boolean NOT NULL,
    username text NOT NULL,
    encrypted_password text NOT NULL,
    is_active boolean NOT NULL,
    last_sync_at text,
    last_sync_error text NOT NULL,
    sync_folder text NOT NULL,
    sync_days_back integer NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    signature_enabled boolean NOT NULL,
    signature_html text NOT NULL,
    signature_text text NOT NULL,
    auto_disabled_at text,
    sync_failure_count integer NOT NULL
);

CREATE TABLE IF NOT EXISTS social_integrations_emailmessage (
    id integer PRIMARY KEY AUTOINCREMENT,
    message_id text NOT NULL UNIQUE,
    thread_id text NOT NULL,
    in_reply_to text NOT NULL,
    "references" text NOT NULL,
    from_email text NOT NULL,
    from_name text NOT NULL,
    to_emails text NOT NULL,
    cc_emails text NOT NULL,
    bcc_emails text NOT NULL,
    reply_to text NOT NULL,
    subject text NOT NULL,
    body_text text NOT NULL,
    body_html text NOT NULL,
    attachments text NOT NULL,
    "timestamp" text NOT NULL,
    folder text NOT NULL,
    uid text NOT NULL,
    is_from_business boolean NOT NULL,
    is_read boolean NOT NULL,
    is_starred boolean NOT NULL,
    is_answered boolean NOT NULL,
    is_draft boolean NOT NULL,
    labels text NOT NULL,
    is_read_by_staff boolean NOT NULL,
    read_by_staff_at text,
    is_deleted boolean NOT NULL,
    deleted_at text,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    connection_id bigint NOT NULL REFERENCES social_integrations_emailconnection (id)
        DEFERRABLE INITIALLY DEFERRED,
    deleted_by_id bigint
);
CREATE INDEX IF NOT EXISTS social_integrations_emailmessage_thread
    ON social_integrations_emailmessage (connection_id, thread_id);
CREATE INDEX IF NOT EXISTS social_integrations_emailmessage_folder
    ON social_integrations_emailmessage (connection_id, folder, "timestamp");
