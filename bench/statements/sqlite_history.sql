-- The entry in the history of a change by sqlite_update.sql, in the same transaction.
INSERT INTO history
    (account_id, sequence, at, actor, contract, request_id, commitment, link, sealing_key, payload, salt)
SELECT id, version, :at, 'owner', 'system', :request_id, :commitment, :link, 1, :payload, :salt
FROM account
WHERE id = :id
