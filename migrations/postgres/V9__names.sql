-- Names that say what they are. Nothing but names changes.
ALTER TABLE holding RENAME TO unique_key;
ALTER TABLE notice RENAME COLUMN channel TO medium;
ALTER INDEX holding_pkey RENAME TO unique_key_pkey;
