-- Pictures that were uploaded and whose change is not committed yet; what stays here is an orphan.
CREATE TABLE pending_picture (
    name        text   NOT NULL PRIMARY KEY,
    uploaded_at bigint NOT NULL
);

-- Pictures that were replaced, kept until the change can no longer be undone.
CREATE TABLE replaced_picture (
    name        text   NOT NULL PRIMARY KEY,
    account_id  uuid   NOT NULL,
    replaced_at bigint NOT NULL
);
CREATE INDEX replaced_picture_age ON replaced_picture (replaced_at);
