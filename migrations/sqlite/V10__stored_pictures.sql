-- One table of the pictures that this installation stores, by account, instead of the two for pictures that wait. A picture is
-- pending (its change is not committed yet), shown, replaced (kept so that the change can be undone) or deleting.
CREATE TABLE stored_picture (
    account_id BLOB    NOT NULL,
    name       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX stored_picture_name ON stored_picture (name);
CREATE INDEX stored_picture_age ON stored_picture (state, changed_at);

-- What accounts show: stored:NAME:DIGEST. Earlier versions copied such texts from claims and imports unchecked, so that two
-- accounts may show one picture; each gets its row, and the file stays until none of them shows it. Names that are no names have
-- no file.
INSERT INTO stored_picture (account_id, name, state, changed_at)
SELECT id, substr(field, 8, 36), 'shown', updated_at
FROM (SELECT id, updated_at, CAST(picture AS TEXT) AS field FROM account WHERE picture IS NOT NULL)
WHERE substr(field, 1, 7) = 'stored:' AND substr(field, 44, 1) = ':' AND substr(field, 40, 4) IN ('.png', '.jpg')
    AND substr(field, 8, 32) NOT GLOB '*[^0-9a-f]*';

INSERT INTO stored_picture (account_id, name, state, changed_at)
SELECT account_id, name, 'replaced', replaced_at FROM replaced_picture
WHERE length(name) = 36 AND substr(name, 33) IN ('.png', '.jpg') AND substr(name, 1, 32) NOT GLOB '*[^0-9a-f]*'
ON CONFLICT (account_id, name) DO NOTHING;

-- The account that uploaded it was not recorded.
INSERT INTO stored_picture (account_id, name, state, changed_at)
SELECT zeroblob(16), name, 'pending', uploaded_at FROM pending_picture;

DROP TABLE pending_picture;
DROP TABLE replaced_picture;
