-- The code that was the newest of its slot before the one in the other columns. Both may still be used.
ALTER TABLE one_time_code
    ADD COLUMN older_id              uuid,
    ADD COLUMN older_token           bytea,
    ADD COLUMN older_binding         bytea,
    ADD COLUMN older_code            bytea,
    ADD COLUMN older_tries           bigint,
    ADD COLUMN older_code_expires_at bigint,
    ADD COLUMN older_contact         bytea;
