-- Times are microseconds since 1970-01-01T00:00:00Z. Personal columns are blobs: key 0 is plain UTF-8.

-- Facts about this installation: its identifier and the like.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The next number of tenants and accounts.
CREATE TABLE counter (
    name TEXT    NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter (name, last) VALUES ('tenant', 0), ('account', 0);

-- Keys sealed under the master key.
CREATE TABLE secret (
    purpose    TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (purpose, generation)
) STRICT, WITHOUT ROWID;

-- The keys that sign this installation's own tokens; retired ones go on verifying until their last token has expired.
CREATE TABLE signing_key (
    key_id     TEXT    NOT NULL PRIMARY KEY,
    algorithm  TEXT    NOT NULL,
    public_key TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    id          BLOB    NOT NULL PRIMARY KEY,
    number      INTEGER NOT NULL,
    name        TEXT    NOT NULL UNIQUE,
    biz_id      TEXT    NOT NULL UNIQUE,
    status      INTEGER NOT NULL,
    valid_until INTEGER,
    portal      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
    id               BLOB    NOT NULL PRIMARY KEY,
    number           INTEGER NOT NULL,
    tenant_id        BLOB    NOT NULL,
    biz_id           TEXT    NOT NULL,
    portal           INTEGER NOT NULL,
    status           INTEGER NOT NULL,
    personal_key     INTEGER NOT NULL,
    display_name     BLOB,
    given_name       BLOB,
    family_name      BLOB,
    nickname         BLOB,
    username         BLOB,
    email            BLOB,
    phone            BLOB,
    language         BLOB,
    time_zone        BLOB,
    country          BLOB,
    remark           BLOB,
    picture          BLOB,
    attributes       BLOB,
    push_token       BLOB,
    wallet_address   BLOB,
    auth_location    BLOB,
    email_verified   INTEGER NOT NULL,
    phone_verified   INTEGER NOT NULL,
    authenticated    INTEGER NOT NULL,
    auth_valid_until INTEGER,
    version          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    history_head     BLOB    NOT NULL
) STRICT;

-- What only one account may hold: a verified e-mail address or phone number, a user name, a business identifier (by
-- tenant), and the account's number (by the nil tenant). The key is a keyed hash, so that the table shows nothing.
CREATE TABLE holding (
    tenant_id  BLOB NOT NULL,
    kind       TEXT NOT NULL,
    key        BLOB NOT NULL,
    account_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, kind, key)
) STRICT, WITHOUT ROWID;

-- Every change of an account, chained. Erasure empties sealing_key, payload and salt.
CREATE TABLE history (
    account_id  BLOB    NOT NULL,
    sequence    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    contract    TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    commitment  BLOB    NOT NULL,
    link        BLOB    NOT NULL,
    sealing_key INTEGER,
    payload     BLOB,
    salt        BLOB,
    PRIMARY KEY (account_id, sequence)
) STRICT, WITHOUT ROWID;

-- Who of another identity provider is which account. The subject is found by its keyed hash.
CREATE TABLE identity (
    issuer       TEXT    NOT NULL,
    subject_key  BLOB    NOT NULL,
    account_id   BLOB    NOT NULL,
    personal_key INTEGER NOT NULL,
    subject      BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_account ON identity (account_id);

-- The client hash that a session of an account first showed; all keyed hashes, gone with the token.
CREATE TABLE client_binding (
    account_id  BLOB    NOT NULL,
    session     BLOB    NOT NULL,
    client_hash BLOB    NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (account_id, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_binding_expiry ON client_binding (expires_at);

-- Revoked tokens by the keyed hash of issuer and jti.
CREATE TABLE revoked_token (
    token      BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_token_expiry ON revoked_token (expires_at);

-- Tokens of an account issued before this moment are revoked.
CREATE TABLE token_horizon (
    account_id BLOB    NOT NULL PRIMARY KEY,
    not_before INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
