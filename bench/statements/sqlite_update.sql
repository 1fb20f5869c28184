-- A change of one field, for SQLite. Its entry in the history is sqlite_history.sql.
UPDATE account
SET display_name = :name, version = version + 1, updated_at = :at, history_head = :link,
    day_began_at = coalesce(day_began_at, :at), history_bytes = history_bytes + :bytes
WHERE id = :id
