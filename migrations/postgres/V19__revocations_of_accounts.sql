-- A revocation belongs to the account of its token, so that a database that is spread over several servers asks the one that
-- has the account. Revocations without an account have the nil account: those of earlier versions, those of tokens of
-- applications themselves, and those of operators who do not name the account.
ALTER TABLE revoked_token ADD COLUMN account_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE revoked_token ALTER COLUMN account_id DROP DEFAULT;
ALTER TABLE revoked_token DROP CONSTRAINT revoked_token_pkey;
ALTER TABLE revoked_token ADD PRIMARY KEY (account_id, token);
