-- Applications that people sign in through; their tokens open the CIAM contract. Lists are JSON arrays of texts.
CREATE TABLE application (
    id             text    NOT NULL PRIMARY KEY,
    tenant_id      uuid    NOT NULL,
    name           text    NOT NULL,
    kind           text    NOT NULL,
    grants         text    NOT NULL,
    claims         text    NOT NULL,
    auto_signup    boolean NOT NULL,
    token_lifetime bigint  NOT NULL,
    secret_hash    bytea,
    created_at     bigint  NOT NULL,
    updated_at     bigint  NOT NULL
);

-- Web origins whose pages belong to an application: a browser asks before anybody knows which one it is.
CREATE TABLE application_origin (
    origin         text NOT NULL,
    application_id text NOT NULL,
    PRIMARY KEY (origin, application_id)
);

-- A person's sign-in through an application: the family of the refresh tokens that followed from it.
CREATE TABLE sign_in (
    id             uuid   NOT NULL PRIMARY KEY,
    account_id     uuid   NOT NULL,
    application_id text   NOT NULL,
    started_at     bigint NOT NULL,
    expires_at     bigint NOT NULL,
    ended_at       bigint
);
CREATE INDEX sign_in_account ON sign_in (account_id);
CREATE INDEX sign_in_application ON sign_in (application_id);
CREATE INDEX sign_in_expiry ON sign_in (expires_at);

-- Refresh tokens by their keyed hash, each with the access token that was issued beside it (as in revoked_token). One
-- that has a successor is spent.
CREATE TABLE refresh_token (
    hash           bytea  NOT NULL PRIMARY KEY,
    sign_in_id     uuid   NOT NULL,
    issued_at      bigint NOT NULL,
    expires_at     bigint NOT NULL,
    access_token   bytea  NOT NULL,
    access_ends_at bigint NOT NULL,
    successor      bytea
);
CREATE INDEX refresh_token_sign_in ON refresh_token (sign_in_id);
CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);

-- Whether a token was sent with other parameters than it comes back with.
CREATE INDEX one_time_code_token ON one_time_code (token);
