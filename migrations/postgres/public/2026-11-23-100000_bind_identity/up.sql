-- Which installation this database belongs to: a restored copy must neither charge nor mail.
CREATE TABLE echodesk_identity (
    -- There is one.
    id integer PRIMARY KEY CHECK (id = 1),
    environment text NOT NULL CHECK (environment <> ''),
    -- Not set where the installation has no bank, or no mail server.
    bank_client text,
    mail_host text,
    -- The bank's client of the installation that this is a copy of: from here it is never used.
    copied_bank_client text,
    -- What only this database itself has: a copy of it has another.
    database_mark text,
    bound_at timestamptz NOT NULL,
    bound_by text NOT NULL
);

-- A run for one tenant says nothing of the others. Null for a run for all.
ALTER TABLE echodesk_run ADD COLUMN tenant text;
-- What earlier versions wrote down among the arguments only.
UPDATE echodesk_run SET tenant = substring(arguments FROM '--tenant[= ]([^ ]+)') WHERE arguments LIKE '%--tenant%';
CREATE INDEX echodesk_run_succeeded ON echodesk_run (job, finished_at DESC) WHERE exit_code = 0 AND tenant IS NULL;
