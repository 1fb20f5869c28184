-- Finds the oldest sessions that no account has used yet, and counts them without reading the table.
CREATE INDEX channel_session_oldest ON channel_session (created_at, id, account_id) WHERE account_id IS NULL;
