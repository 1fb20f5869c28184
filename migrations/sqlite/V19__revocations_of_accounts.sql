-- A revocation belongs to the account of its token, so that a database that is spread over several servers asks the one that
-- has the account. Revocations without an account have the nil account: those of earlier versions, those of tokens of
-- applications themselves, and those of operators who do not name the account.
CREATE TABLE revocation (
    account_id BLOB    NOT NULL,
    token      BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, token)
) STRICT, WITHOUT ROWID;
INSERT INTO revocation (account_id, token, expires_at)
    SELECT x'00000000000000000000000000000000', token, expires_at FROM revoked_token;
DROP TABLE revoked_token;
ALTER TABLE revocation RENAME TO revoked_token;
CREATE INDEX revoked_token_expiry ON revoked_token (expires_at);
