-- Which installation this database belongs to: a restored copy must neither charge nor mail.
CREATE TABLE echodesk_identity (
    -- There is one.
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    environment text NOT NULL CHECK (environment <> ''),
    -- Not set where the installation has no bank, or no mail server.
    bank_client text,
    mail_host text,
    -- The bank's client of the installation that this is a copy of: from here it is never used.
    copied_bank_client text,
    -- What only this database itself has: a copy of its file has another.
    database_mark text,
    bound_at text NOT NULL,
    bound_by text NOT NULL
);

-- A run for one tenant says nothing of the others. Null for a run for all.
ALTER TABLE echodesk_run ADD COLUMN tenant text;
-- What earlier versions wrote down among the arguments only.
UPDATE echodesk_run SET tenant = substr(arguments, instr(arguments, '--tenant') + 9) WHERE arguments LIKE '%--tenant%';
UPDATE echodesk_run SET tenant = substr(tenant, 1, instr(tenant || ' ', ' ') - 1) WHERE tenant IS NOT NULL;
CREATE INDEX echodesk_run_succeeded ON echodesk_run (job, finished_at DESC) WHERE exit_code = 0 AND tenant IS NULL;
