-- One-time codes that may still be used: at most one a slot (tenant, usage and address, or account), all as keyed hashes.
CREATE TABLE one_time_code (
    slot            bytea  NOT NULL PRIMARY KEY,
    id              uuid   NOT NULL,
    token           bytea  NOT NULL,
    binding         bytea  NOT NULL,
    code            bytea  NOT NULL,
    tries           bigint NOT NULL,
    code_expires_at bigint NOT NULL,
    expires_at      bigint NOT NULL
);
CREATE INDEX one_time_code_end ON one_time_code (expires_at);

-- How many codes went to one recipient of late.
CREATE TABLE sent_code (
    recipient    bytea  NOT NULL PRIMARY KEY,
    last_at      bigint NOT NULL,
    day_began_at bigint NOT NULL,
    count        bigint NOT NULL
);
CREATE INDEX sent_code_age ON sent_code (last_at);

-- Notices that are yet to be delivered; address and text are sealed.
CREATE TABLE notice (
    id          uuid   NOT NULL PRIMARY KEY,
    channel     text   NOT NULL,
    sealing_key bigint NOT NULL,
    sealed      bytea  NOT NULL,
    attempts    bigint NOT NULL,
    due_at      bigint NOT NULL,
    expires_at  bigint NOT NULL
);
CREATE INDEX notice_due ON notice (channel, due_at);
CREATE INDEX notice_end ON notice (expires_at);
