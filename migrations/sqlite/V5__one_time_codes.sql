-- One-time codes that may still be used: at most one a slot (tenant, usage and address, or account), all as keyed hashes.
CREATE TABLE one_time_code (
    slot            BLOB    NOT NULL PRIMARY KEY,
    id              BLOB    NOT NULL,
    token           BLOB    NOT NULL,
    binding         BLOB    NOT NULL,
    code            BLOB    NOT NULL,
    tries           INTEGER NOT NULL,
    code_expires_at INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_code_end ON one_time_code (expires_at);

-- How many codes went to one recipient of late.
CREATE TABLE sent_code (
    recipient    BLOB    NOT NULL PRIMARY KEY,
    last_at      INTEGER NOT NULL,
    day_began_at INTEGER NOT NULL,
    count        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_code_age ON sent_code (last_at);

-- Notices that are yet to be delivered; address and text are sealed.
CREATE TABLE notice (
    id          BLOB    NOT NULL PRIMARY KEY,
    channel     TEXT    NOT NULL,
    sealing_key INTEGER NOT NULL,
    sealed      BLOB    NOT NULL,
    attempts    INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_due ON notice (channel, due_at);
CREATE INDEX notice_end ON notice (expires_at);
