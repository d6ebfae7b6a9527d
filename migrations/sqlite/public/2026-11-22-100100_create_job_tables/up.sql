-- Who works on what, until when. An expired row may be taken over by anybody.
CREATE TABLE echodesk_lease (
    resource text NOT NULL PRIMARY KEY CHECK (resource <> ''),
    holder text NOT NULL,
    until text NOT NULL
);

-- One row for each run of each job.
CREATE TABLE echodesk_run (
    id text NOT NULL PRIMARY KEY,
    job text NOT NULL CHECK (job <> ''),
    host text NOT NULL,
    version text NOT NULL,
    arguments text NOT NULL,
    started_at text NOT NULL,
    finished_at text,
    exit_code integer,
    summary text,
    CHECK ((finished_at IS NULL) = (exit_code IS NULL))
);
CREATE INDEX echodesk_run_job_started_at ON echodesk_run (job, started_at DESC);

-- Notices that were decided and wait to be sent. The same event decided twice is queued once.
CREATE TABLE echodesk_notice (
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
