-- tenants_saved_card may have been EchoDesk's before us, and it holds its cards: it stays.
DROP TABLE echodesk_suspension;
-- The version before knows queued notices only. What was sent must not be sent again; what was parked
-- was not.
DELETE FROM echodesk_notice WHERE state IN ('sent', 'withdrawn');
DROP INDEX echodesk_notice_queued;
DROP INDEX echodesk_notice_parked;
-- The checks that name a column go with it.
ALTER TABLE echodesk_notice
    DROP COLUMN attempts,
    DROP COLUMN not_before,
    DROP COLUMN claimed_by,
    DROP COLUMN claimed_until,
    DROP COLUMN sent_to,
    DROP COLUMN why,
    DROP COLUMN closed_at,
    DROP CONSTRAINT echodesk_notice_state_check;
UPDATE echodesk_notice SET state = 'queued';
ALTER TABLE echodesk_notice ADD CONSTRAINT echodesk_notice_state_check CHECK (state IN ('queued'));
