-- Charge attempts: what the bank was, or may have been, asked. Written down before it is asked.
CREATE TABLE echodesk_charge_attempt (
    id integer PRIMARY KEY AUTOINCREMENT,
    -- tenants_tenant_subscription.id and tenants_tenant.id; no foreign keys, since those tables are
    -- EchoDesk's.
    subscription_id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    schema_name text NOT NULL,
    -- The renewal date that is paid for, and a count of the attempts to pay it.
    period text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    -- tenants_payment_order.order_id.
    order_id text NOT NULL UNIQUE CHECK (order_id <> ''),
    idempotency_key text NOT NULL UNIQUE,
    -- The bank's order that the card was saved on.
    parent_order_id text NOT NULL,
    amount text NOT NULL,
    currency text NOT NULL,
    state text NOT NULL CHECK (state IN ('prepared', 'unknown', 'accepted', 'paid', 'failed', 'not_sent')),
    -- Not unique: what a stranger claims must not stand in anybody's way.
    bank_order_id text,
    prepared_at text NOT NULL,
    closed_at text,
    refusal_kind text CHECK (refusal_kind IN ('rejected', 'http', 'person')),
    refusal_status integer,
    refusal_code text,
    refusal_text text,
    last_error text,
    trouble text,
    -- Who said how it ended, and how a person knows.
    settled_by text CHECK (settled_by IN ('answer', 'receipt', 'callback', 'person')),
    because text,
    claimed_by text,
    claimed_until text,
    -- The run that wrote it down, for as long as no other has claimed it: only that one can know that
    -- the bank was never asked.
    sender text,
    updated_at text NOT NULL,
    CHECK ((closed_at IS NULL) = (state IN ('prepared', 'unknown', 'accepted'))),
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CHECK ((refusal_kind IS NOT NULL) = (state = 'failed'))
);
-- The promise: as long as money may still move, nothing else is charged for the subscription.
CREATE UNIQUE INDEX echodesk_charge_attempt_one_open ON echodesk_charge_attempt (subscription_id)
    WHERE state IN ('prepared', 'unknown', 'accepted');
CREATE INDEX echodesk_charge_attempt_left ON echodesk_charge_attempt (id)
    WHERE state IN ('prepared', 'unknown', 'accepted') OR trouble IS NOT NULL;
CREATE INDEX echodesk_charge_attempt_subscription ON echodesk_charge_attempt (subscription_id, id);
CREATE INDEX echodesk_charge_attempt_bank_order ON echodesk_charge_attempt (bank_order_id);
CREATE INDEX echodesk_charge_attempt_claim ON echodesk_charge_attempt (claimed_by, id);

-- The last invoice number of each month that we know of: EchoDesk, which numbers invoices as well,
-- may be ahead.
CREATE TABLE echodesk_invoice_month (
    month text NOT NULL PRIMARY KEY CHECK (month <> ''),
    last integer NOT NULL
);
