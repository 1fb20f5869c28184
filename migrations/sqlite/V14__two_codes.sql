-- The code that was the newest of its slot before the one in the other columns. Both may still be used.
ALTER TABLE one_time_code ADD COLUMN older_id BLOB;
ALTER TABLE one_time_code ADD COLUMN older_token BLOB;
ALTER TABLE one_time_code ADD COLUMN older_binding BLOB;
ALTER TABLE one_time_code ADD COLUMN older_code BLOB;
ALTER TABLE one_time_code ADD COLUMN older_tries INTEGER;
ALTER TABLE one_time_code ADD COLUMN older_code_expires_at INTEGER;
ALTER TABLE one_time_code ADD COLUMN older_contact BLOB;
