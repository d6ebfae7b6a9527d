-- tenants_saved_card may have been EchoDesk's before us, and it holds its cards: it stays.
DROP TABLE echodesk_suspension;
CREATE TABLE echodesk_notice_old (
    id integer PRIMARY KEY AUTOINCREMENT,
    -- tenants_tenant.id; no foreign key, since that table is EchoDesk's.
    tenant_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    subject_key text NOT NULL,
    period text NOT NULL,
    payload text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued')),
    created_at text NOT NULL,
    UNIQUE (tenant_id, kind, subject_key, period)
);
-- The version before knows queued notices only. What was sent must not be sent again; what was parked
-- was not.
INSERT INTO echodesk_notice_old (id, tenant_id, kind, subject_key, period, payload, state, created_at)
SELECT id, tenant_id, kind, subject_key, period, payload, 'queued', created_at FROM echodesk_notice
WHERE state IN ('queued', 'parked');
DROP TABLE echodesk_notice;
ALTER TABLE echodesk_notice_old RENAME TO echodesk_notice;
