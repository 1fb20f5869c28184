-- What an account stored in its present day, which begins with the first change that counts: bytes of pictures, and bytes of
-- history.
ALTER TABLE account ADD COLUMN day_began_at bigint;
ALTER TABLE account ADD COLUMN picture_bytes bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN history_bytes bigint NOT NULL DEFAULT 0;
