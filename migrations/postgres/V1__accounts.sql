-- Times are microseconds since 1970-01-01T00:00:00Z. Personal columns are blobs: key 0 is plain UTF-8.

-- Facts about this installation: its identifier and the like.
CREATE TABLE installation (
    name  text NOT NULL PRIMARY KEY,
    value text NOT NULL
);

-- The next number of tenants and accounts.
CREATE TABLE counter (
    name text   NOT NULL PRIMARY KEY,
    last bigint NOT NULL
);
INSERT INTO counter (name, last) VALUES ('tenant', 0), ('account', 0);

-- Keys sealed under the master key.
CREATE TABLE secret (
    purpose    text   NOT NULL,
    generation bigint NOT NULL,
    sealed     bytea  NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (purpose, generation)
);

-- The keys that sign this installation's own tokens; retired ones go on verifying until their last token has expired.
CREATE TABLE signing_key (
    key_id     text   NOT NULL PRIMARY KEY,
    algorithm  text   NOT NULL,
    public_key text   NOT NULL,
    sealed     bytea  NOT NULL,
    created_at bigint NOT NULL,
    retired_at bigint
);

CREATE TABLE tenant (
    id          uuid   NOT NULL PRIMARY KEY,
    number      bigint NOT NULL,
    name        text   NOT NULL UNIQUE,
    biz_id      text   NOT NULL UNIQUE,
    status      bigint NOT NULL,
    valid_until bigint,
    portal      bigint NOT NULL,
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL
);

CREATE TABLE account (
    id               uuid    NOT NULL PRIMARY KEY,
    number           bigint  NOT NULL,
    tenant_id        uuid    NOT NULL,
    biz_id           text    NOT NULL,
    portal           bigint  NOT NULL,
    status           bigint  NOT NULL,
    personal_key     bigint  NOT NULL,
    display_name     bytea,
    given_name       bytea,
    family_name      bytea,
    nickname         bytea,
    username         bytea,
    email            bytea,
    phone            bytea,
    language         bytea,
    time_zone        bytea,
    country          bytea,
    remark           bytea,
    picture          bytea,
    attributes       bytea,
    push_token       bytea,
    wallet_address   bytea,
    auth_location    bytea,
    email_verified   boolean NOT NULL,
    phone_verified   boolean NOT NULL,
    authenticated    boolean NOT NULL,
    auth_valid_until bigint,
    version          bigint  NOT NULL,
    created_at       bigint  NOT NULL,
    updated_at       bigint  NOT NULL,
    history_head     bytea   NOT NULL
);

-- What only one account may hold: a verified e-mail address or phone number, a user name, a business identifier (by
-- tenant), and the account's number (by the nil tenant). The key is a keyed hash, so that the table shows nothing.
CREATE TABLE holding (
    tenant_id  uuid  NOT NULL,
    kind       text  NOT NULL,
    key        bytea NOT NULL,
    account_id uuid  NOT NULL,
    PRIMARY KEY (tenant_id, kind, key)
);

-- Every change of an account, chained. Erasure empties sealing_key, payload and salt.
CREATE TABLE history (
    account_id  uuid   NOT NULL,
    sequence    bigint NOT NULL,
    at          bigint NOT NULL,
    actor       text   NOT NULL,
    contract    text   NOT NULL,
    request_id  text   NOT NULL,
    commitment  bytea  NOT NULL,
    link        bytea  NOT NULL,
    sealing_key bigint,
    payload     bytea,
    salt        bytea,
    PRIMARY KEY (account_id, sequence)
);

-- Who of another identity provider is which account. The subject is found by its keyed hash.
CREATE TABLE identity (
    issuer       text   NOT NULL,
    subject_key  bytea  NOT NULL,
    account_id   uuid   NOT NULL,
    personal_key bigint NOT NULL,
    subject      bytea  NOT NULL,
    created_at   bigint NOT NULL,
    PRIMARY KEY (issuer, subject_key)
);
CREATE INDEX identity_account ON identity (account_id);

-- The client hash that a session of an account first showed; all keyed hashes, gone with the token.
CREATE TABLE client_binding (
    account_id  uuid   NOT NULL,
    session     bytea  NOT NULL,
    client_hash bytea  NOT NULL,
    expires_at  bigint NOT NULL,
    PRIMARY KEY (account_id, session)
);
CREATE INDEX client_binding_expiry ON client_binding (expires_at);

-- Revoked tokens by the keyed hash of issuer and jti.
CREATE TABLE revoked_token (
    token      bytea  NOT NULL PRIMARY KEY,
    expires_at bigint NOT NULL
);
CREATE INDEX revoked_token_expiry ON revoked_token (expires_at);

-- Tokens of an account issued before this moment are revoked.
CREATE TABLE token_horizon (
    account_id uuid   NOT NULL PRIMARY KEY,
    not_before bigint NOT NULL
);
