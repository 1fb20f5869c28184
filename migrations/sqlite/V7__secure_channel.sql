-- Keys that open encrypted bodies; the private half is sealed under the master key.
CREATE TABLE channel_key (
    key_id     TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    public_key TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT, WITHOUT ROWID;

-- Sessions of encrypted bodies: two keys, sealed, and, from the first use, whose they are.
CREATE TABLE channel_session (
    id         BLOB    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    source     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    account_id BLOB,
    client     BLOB,
    messages   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_session_unused ON channel_session (source, created_at) WHERE account_id IS NULL;
CREATE INDEX channel_session_account ON channel_session (account_id, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX channel_session_expiry ON channel_session (expires_at);

-- What makes each encrypted body one that was never seen before, as long as it could be sent again.
CREATE TABLE channel_nonce (
    scope      BLOB    NOT NULL,
    nonce      BLOB    NOT NULL,
    account_id BLOB,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (scope, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_nonce_account ON channel_nonce (account_id, scope, expires_at) WHERE account_id IS NOT NULL;
CREATE INDEX channel_nonce_expiry ON channel_nonce (expires_at);
