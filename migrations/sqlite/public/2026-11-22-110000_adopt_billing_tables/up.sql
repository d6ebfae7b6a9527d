-- EchoDesk's own tables, as it has them on PostgreSQL. Amounts are text, which keeps them exact.

CREATE TABLE IF NOT EXISTS tenants_feature (
    id integer PRIMARY KEY AUTOINCREMENT,
    key text NOT NULL UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    category text NOT NULL,
    icon text NOT NULL,
    sort_order integer NOT NULL,
    is_active boolean NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    price_per_user_gel text NOT NULL,
    price_unlimited_gel text NOT NULL
);

CREATE TABLE IF NOT EXISTS tenants_tenant_subscription (
    id integer PRIMARY KEY AUTOINCREMENT,
    is_active boolean NOT NULL,
    starts_at text NOT NULL,
    expires_at text,
    agent_count integer NOT NULL,
    current_users integer NOT NULL,
    whatsapp_messages_used integer NOT NULL,
    storage_used_gb text NOT NULL,
    last_billed_at text,
    next_billing_date text,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    tenant_id bigint NOT NULL UNIQUE REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED,
    is_trial boolean NOT NULL,
    parent_order_id text,
    trial_converted boolean NOT NULL,
    trial_ends_at text,
    subscription_type text NOT NULL,
    failed_payment_count integer NOT NULL,
    last_payment_failure text,
    payment_status text NOT NULL,
    provider_subscription_id text
);
-- What is due is found by the renewal date.
CREATE INDEX IF NOT EXISTS tenants_tenant_subscription_renewal ON tenants_tenant_subscription (coalesce(expires_at, next_billing_date));

CREATE TABLE IF NOT EXISTS tenants_tenant_subscription_selected_features (
    id integer PRIMARY KEY AUTOINCREMENT,
    tenantsubscription_id bigint NOT NULL REFERENCES tenants_tenant_subscription (id) DEFERRABLE INITIALLY DEFERRED,
    feature_id bigint NOT NULL REFERENCES tenants_feature (id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (tenantsubscription_id, feature_id)
);
CREATE INDEX IF NOT EXISTS tenants_tenant_subscription_selected_features_feature_id ON tenants_tenant_subscription_selected_features (feature_id);

CREATE TABLE IF NOT EXISTS tenants_payment_order (
    id integer PRIMARY KEY AUTOINCREMENT,
    order_id text NOT NULL UNIQUE,
    amount text NOT NULL,
    currency text NOT NULL,
    agent_count integer NOT NULL,
    status text NOT NULL,
    payment_url text NOT NULL,
    metadata text NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    paid_at text,
    tenant_id bigint REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED,
    bog_order_id text,
    card_saved boolean NOT NULL,
    is_trial_payment boolean NOT NULL,
    payment_provider text NOT NULL,
    provider_order_id text
);
CREATE INDEX IF NOT EXISTS tenants_payment_order_tenant_id ON tenants_payment_order (tenant_id);

CREATE TABLE IF NOT EXISTS tenants_subscription_event (
    id integer PRIMARY KEY AUTOINCREMENT,
    event_type text NOT NULL,
    old_value text,
    new_value text,
    metadata text NOT NULL,
    description text NOT NULL,
    created_at text NOT NULL,
    -- Users and payment attempts are in tables that only EchoDesk has.
    created_by_id bigint,
    payment_attempt_id bigint,
    payment_order_id bigint REFERENCES tenants_payment_order (id) DEFERRABLE INITIALLY DEFERRED,
    subscription_id bigint NOT NULL REFERENCES tenants_tenant_subscription (id) DEFERRABLE INITIALLY DEFERRED,
    tenant_id bigint NOT NULL REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX IF NOT EXISTS tenants_subscription_event_subscription_id_created_at ON tenants_subscription_event (subscription_id, created_at DESC);
CREATE INDEX IF NOT EXISTS tenants_subscription_event_tenant_id_event_type ON tenants_subscription_event (tenant_id, event_type);
CREATE INDEX IF NOT EXISTS tenants_subscription_event_payment_order_id ON tenants_subscription_event (payment_order_id);

CREATE TABLE IF NOT EXISTS tenants_invoice (
    id integer PRIMARY KEY AUTOINCREMENT,
    invoice_number text NOT NULL UNIQUE,
    amount text NOT NULL,
    currency text NOT NULL,
    description text NOT NULL,
    agent_count integer NOT NULL,
    invoice_date text NOT NULL,
    due_date text,
    paid_date text,
    pdf_generated boolean NOT NULL,
    pdf_url text NOT NULL,
    metadata text NOT NULL,
    payment_order_id bigint NOT NULL UNIQUE REFERENCES tenants_payment_order (id) DEFERRABLE INITIALLY DEFERRED,
    tenant_id bigint NOT NULL REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX IF NOT EXISTS tenants_invoice_tenant_id ON tenants_invoice (tenant_id);
