-- When a refresh token was spent, with those of its generation. NULL beside a successor: an older version spent it.
ALTER TABLE refresh_token ADD COLUMN spent_at INTEGER;
