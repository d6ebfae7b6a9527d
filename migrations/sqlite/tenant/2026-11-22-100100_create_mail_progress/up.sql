-- How far each folder has been read.
CREATE TABLE echodesk_mail_folder (
    id integer PRIMARY KEY AUTOINCREMENT,
    -- social_integrations_emailconnection.id; no foreign key, since that table is EchoDesk's.
    connection_id bigint NOT NULL,
    -- The decoded name.
    name text NOT NULL,
    uid_validity bigint NOT NULL CHECK (uid_validity BETWEEN 0 AND 4294967295),
    uid_next bigint NOT NULL CHECK (uid_next BETWEEN 0 AND 4294967295),
    messages bigint NOT NULL CHECK (messages BETWEEN 0 AND 4294967295),
    highest_mod_seq bigint CHECK (highest_mod_seq >= 0),
    -- UIDs that were seen and not read yet, as an IMAP sequence set; empty for none.
    pending text NOT NULL,
    -- First day of the history window; NULL means all history.
    window_start text,
    -- A message over which the connection broke, and how often in a row.
    suspect_uid bigint CHECK (suspect_uid BETWEEN 1 AND 4294967295),
    suspect_deaths bigint NOT NULL CHECK (suspect_deaths BETWEEN 0 AND 4294967295),
    updated_at text NOT NULL,
    UNIQUE (connection_id, name)
);

-- What became of each UID that was read.
CREATE TABLE echodesk_mail_item (
    id integer PRIMARY KEY AUTOINCREMENT,
    folder_id bigint NOT NULL REFERENCES echodesk_mail_folder (id) ON DELETE CASCADE,
    uid_validity bigint NOT NULL CHECK (uid_validity BETWEEN 0 AND 4294967295),
    uid bigint NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
    fate text NOT NULL CHECK (fate IN ('stored', 'reduced', 'duplicate', 'failed')),
    reason text,
    -- social_integrations_emailmessage.id; no foreign key, since EchoDesk may delete the row.
    message_row bigint,
    -- SHA-256 of the content, in hexadecimal.
    digest text CHECK (length(digest) = 64),
    flags smallint NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    first_seen_at text NOT NULL,
    -- When it was found to be no longer on the server.
    gone_at text,
    UNIQUE (folder_id, uid_validity, uid),
    CHECK ((reason IS NOT NULL) = (fate IN ('reduced', 'failed'))),
    CHECK ((message_row IS NULL) = (fate = 'failed'))
);
CREATE INDEX echodesk_mail_item_message_row ON echodesk_mail_item (message_row);
CREATE INDEX echodesk_mail_item_failed ON echodesk_mail_item (folder_id) WHERE fate = 'failed';
