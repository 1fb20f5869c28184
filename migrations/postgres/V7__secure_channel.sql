-- Keys that open encrypted bodies; the private half is sealed under the master key.
CREATE TABLE channel_key (
    key_id     text   NOT NULL PRIMARY KEY,
    kind       text   NOT NULL,
    public_key text   NOT NULL,
    sealed     bytea  NOT NULL,
    created_at bigint NOT NULL,
    retired_at bigint
);

-- Sessions of encrypted bodies: two keys, sealed, and, from the first use, whose they are.
CREATE TABLE channel_session (
    id         bytea  NOT NULL PRIMARY KEY,
    sealed     bytea  NOT NULL,
    source     bytea  NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    account_id uuid,
    client     bytea,
    messages   bigint NOT NULL
);
CREATE INDEX channel_session_unused ON channel_session (source, created_at) WHERE account_id IS NULL;
CREATE INDEX channel_session_account ON channel_session (account_id, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX channel_session_expiry ON channel_session (expires_at);

-- What makes each encrypted body one that was never seen before, as long as it could be sent again.
CREATE TABLE channel_nonce (
    scope      bytea  NOT NULL,
    nonce      bytea  NOT NULL,
    account_id uuid,
    expires_at bigint NOT NULL,
    PRIMARY KEY (scope, nonce)
);
CREATE INDEX channel_nonce_account ON channel_nonce (account_id, scope, expires_at) WHERE account_id IS NOT NULL;
CREATE INDEX channel_nonce_expiry ON channel_nonce (expires_at);
