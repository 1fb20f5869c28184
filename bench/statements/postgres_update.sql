-- A change of one field and its entry in the history, in one statement, for PostgreSQL.
WITH changed AS (
    UPDATE account
    SET display_name = :name, version = version + 1, updated_at = :at, history_head = :link,
        day_began_at = coalesce(day_began_at, :at), history_bytes = history_bytes + :bytes
    WHERE id = :id
    RETURNING id, version
)
INSERT INTO history
    (account_id, sequence, at, actor, contract, request_id, commitment, link, sealing_key, payload, salt)
SELECT id, version, :at, 'owner', 'system', :request_id, :commitment, :link, 1, :payload, :salt
FROM changed
