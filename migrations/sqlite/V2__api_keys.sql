-- Keys that open the CL2C contract: found by the keyed hash of the secret, bound to a tenant and perhaps to one account.
CREATE TABLE api_key (
    hash         BLOB    NOT NULL PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE,
    tenant_id    BLOB    NOT NULL,
    account_id   BLOB,
    name         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
