-- Codes that changed an address, until their time is over: the same request again gets the same answer.
CREATE TABLE used_code (
    slot       bytea  NOT NULL PRIMARY KEY,
    id         uuid   NOT NULL,
    binding    bytea  NOT NULL,
    code       bytea  NOT NULL,
    tries      bigint NOT NULL,
    expires_at bigint NOT NULL,
    contact    bytea  NOT NULL,
    previous   bytea
);
CREATE INDEX used_code_end ON used_code (expires_at);

-- The unique keys of phone numbers are rebuilt once more, and the progress of that has another name.
DELETE FROM installation WHERE name = 'phone_keys';
