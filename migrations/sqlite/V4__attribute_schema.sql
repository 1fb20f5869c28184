-- The JSON Schema that the attributes of a tenant's accounts are held to. The row stays when the schema is taken away, so that
-- a version is never used again.
CREATE TABLE attribute_schema (
    tenant_id BLOB    NOT NULL PRIMARY KEY,
    version   INTEGER NOT NULL,
    document  BLOB,
    set_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
