-- Applications that people sign in through; their tokens open the CIAM contract. Lists are JSON arrays of texts.
CREATE TABLE application (
    id             TEXT    NOT NULL PRIMARY KEY,
    tenant_id      BLOB    NOT NULL,
    name           TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    grants         TEXT    NOT NULL,
    claims         TEXT    NOT NULL,
    auto_signup    INTEGER NOT NULL,
    token_lifetime INTEGER NOT NULL,
    secret_hash    BLOB,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Web origins whose pages belong to an application: a browser asks before anybody knows which one it is.
CREATE TABLE application_origin (
    origin         TEXT NOT NULL,
    application_id TEXT NOT NULL,
    PRIMARY KEY (origin, application_id)
) STRICT, WITHOUT ROWID;

-- A person's sign-in through an application: the family of the refresh tokens that followed from it.
CREATE TABLE sign_in (
    id             BLOB    NOT NULL PRIMARY KEY,
    account_id     BLOB    NOT NULL,
    application_id TEXT    NOT NULL,
    started_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    ended_at       INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_account ON sign_in (account_id);
CREATE INDEX sign_in_application ON sign_in (application_id);
CREATE INDEX sign_in_expiry ON sign_in (expires_at);

-- Refresh tokens by their keyed hash, each with the access token that was issued beside it (as in revoked_token). One
-- that has a successor is spent.
CREATE TABLE refresh_token (
    hash           BLOB    NOT NULL PRIMARY KEY,
    sign_in_id     BLOB    NOT NULL,
    issued_at      INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    access_token   BLOB    NOT NULL,
    access_ends_at INTEGER NOT NULL,
    successor      BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_token_sign_in ON refresh_token (sign_in_id);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);

-- Whether a token was sent with other parameters than it comes back with.
CREATE INDEX one_time_code_token ON one_time_code (token);
