-- The address that a code was sent to, sealed. A code without it, from before, proves nothing.
ALTER TABLE one_time_code ADD COLUMN contact BLOB;
