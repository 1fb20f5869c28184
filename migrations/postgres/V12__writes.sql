-- The attributes that an application may change, as a JSON array of names; NULL is all that the contract can change.
ALTER TABLE application ADD COLUMN writes text;
