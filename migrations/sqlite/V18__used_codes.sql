-- Codes that changed an address, until their time is over: the same request again gets the same answer.
CREATE TABLE used_code (
    slot       BLOB    NOT NULL PRIMARY KEY,
    id         BLOB    NOT NULL,
    binding    BLOB    NOT NULL,
    code       BLOB    NOT NULL,
    tries      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    contact    BLOB    NOT NULL,
    previous   BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX used_code_end ON used_code (expires_at);

-- The unique keys of phone numbers are rebuilt once more, and the progress of that has another name.
DELETE FROM installation WHERE name = 'phone_keys';
