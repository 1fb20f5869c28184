-- One table of the pictures that this installation stores, by account, instead of the two for pictures that wait. A picture is
-- pending (its change is not committed yet), shown, replaced (kept so that the change can be undone) or deleting.
CREATE TABLE stored_picture (
    account_id uuid   NOT NULL,
    name       text   NOT NULL,
    state      text   NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (account_id, name)
);
CREATE INDEX stored_picture_name ON stored_picture (name);
CREATE INDEX stored_picture_age ON stored_picture (state, changed_at);

-- What accounts show: stored:NAME:DIGEST. Earlier versions copied such texts from claims and imports unchecked, so that two
-- accounts may show one picture; each gets its row, and the file stays until none of them shows it. Names that are no names have
-- no file. Other than convert_from, encode fails on no bytes.
INSERT INTO stored_picture (account_id, name, state, changed_at)
SELECT id, substr(field, 8, 36), 'shown', updated_at
FROM (SELECT id, updated_at, encode(picture, 'escape') AS field FROM account WHERE picture IS NOT NULL) AS shown
WHERE field ~ '^stored:[0-9a-f]{32}\.(png|jpg):';

INSERT INTO stored_picture (account_id, name, state, changed_at)
SELECT account_id, name, 'replaced', replaced_at FROM replaced_picture
WHERE name ~ '^[0-9a-f]{32}\.(png|jpg)$'
ON CONFLICT (account_id, name) DO NOTHING;

-- The account that uploaded it was not recorded.
INSERT INTO stored_picture (account_id, name, state, changed_at)
SELECT '00000000-0000-0000-0000-000000000000', name, 'pending', uploaded_at FROM pending_picture;

DROP TABLE pending_picture;
DROP TABLE replaced_picture;
