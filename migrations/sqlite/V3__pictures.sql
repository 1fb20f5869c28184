-- Pictures that were uploaded and whose change is not committed yet; what stays here is an orphan.
CREATE TABLE pending_picture (
    name        TEXT    NOT NULL PRIMARY KEY,
    uploaded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures that were replaced, kept until the change can no longer be undone.
CREATE TABLE replaced_picture (
    name        TEXT    NOT NULL PRIMARY KEY,
    account_id  BLOB    NOT NULL,
    replaced_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX replaced_picture_age ON replaced_picture (replaced_at);
