DROP INDEX echodesk_run_succeeded;
ALTER TABLE echodesk_run DROP COLUMN tenant;
DROP TABLE echodesk_identity;
