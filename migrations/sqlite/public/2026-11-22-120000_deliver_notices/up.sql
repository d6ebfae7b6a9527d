-- What becomes of a notice once it is queued. A notice is sent under a claim that ends by itself. The
-- check on its state cannot be altered, so the table is made anew.
CREATE TABLE echodesk_notice_new (
    id integer PRIMARY KEY AUTOINCREMENT,
    -- tenants_tenant.id; no foreign key, since that table is EchoDesk's.
    tenant_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    subject_key text NOT NULL,
    period text NOT NULL,
    payload text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'parked', 'withdrawn')),
    created_at text NOT NULL,
    -- How often sending it was tried. Has a default for the programs of the version before.
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Not to be tried again before.
    not_before text,
    claimed_by text,
    claimed_until text,
    sent_to text,
    -- Why it was not sent the last time, or why it never will be.
    why text,
    closed_at text,
    UNIQUE (tenant_id, kind, subject_key, period),
    CHECK ((closed_at IS NULL) = (state = 'queued')),
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CHECK (claimed_by IS NULL OR state = 'queued')
);
INSERT INTO echodesk_notice_new (id, tenant_id, kind, subject_key, period, payload, state, created_at)
SELECT id, tenant_id, kind, subject_key, period, payload, state, created_at FROM echodesk_notice;
DROP TABLE echodesk_notice;
ALTER TABLE echodesk_notice_new RENAME TO echodesk_notice;
-- These are few among millions that were sent.
CREATE INDEX echodesk_notice_queued ON echodesk_notice (id) WHERE state = 'queued';
CREATE INDEX echodesk_notice_parked ON echodesk_notice (id) WHERE state = 'parked';
CREATE INDEX echodesk_notice_claim ON echodesk_notice (claimed_by) WHERE claimed_by IS NOT NULL;

-- What we have suspended: only that is lifted by us.
CREATE TABLE echodesk_suspension (
    id integer PRIMARY KEY AUTOINCREMENT,
    -- tenants_tenant_subscription.id and tenants_tenant.id; no foreign keys, since those tables are
    -- EchoDesk's.
    subscription_id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    -- expires_at of the subscription at that time.
    expired_at text NOT NULL,
    suspended_at text NOT NULL,
    lifted_at text
);
CREATE UNIQUE INDEX echodesk_suspension_one_unlifted ON echodesk_suspension (subscription_id) WHERE lifted_at IS NULL;

-- EchoDesk's own table, as it has it on PostgreSQL.
CREATE TABLE IF NOT EXISTS tenants_saved_card (
    id integer PRIMARY KEY AUTOINCREMENT,
    parent_order_id text NOT NULL UNIQUE,
    card_type text NOT NULL,
    masked_card_number text NOT NULL,
    card_expiry text NOT NULL,
    transaction_id text NOT NULL,
    saved_at text NOT NULL,
    is_active boolean NOT NULL,
    tenant_id bigint NOT NULL REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED,
    is_default boolean NOT NULL,
    card_save_type text NOT NULL
);
CREATE INDEX IF NOT EXISTS tenants_saved_card_tenant_id ON tenants_saved_card (tenant_id);
