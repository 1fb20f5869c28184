-- Keys that open the CL2C contract: found by the keyed hash of the secret, bound to a tenant and perhaps to one account.
CREATE TABLE api_key (
    hash         bytea  NOT NULL PRIMARY KEY,
    id           uuid   NOT NULL UNIQUE,
    tenant_id    uuid   NOT NULL,
    account_id   uuid,
    name         text   NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint,
    revoked_at   bigint,
    last_used_at bigint
);
