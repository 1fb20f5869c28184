-- What an account stored in its present day, which begins with the first change that counts: bytes of pictures, and bytes of
-- history.
ALTER TABLE account ADD COLUMN day_began_at INTEGER;
ALTER TABLE account ADD COLUMN picture_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0;
