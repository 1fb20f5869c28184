-- What a request with a token needs to know: the account and its tenant, whether the token or all older tokens of the account are
-- revoked, and the client that the session is bound to. For both databases.
SELECT account.*, tenant.*, attribute_schema.version, token_horizon.not_before, revoked_token.token,
    client_binding.client_hash, client_binding.expires_at
FROM account
JOIN tenant ON tenant.id = account.tenant_id
LEFT JOIN attribute_schema ON attribute_schema.tenant_id = tenant.id
LEFT JOIN token_horizon ON token_horizon.account_id = account.id
LEFT JOIN revoked_token ON revoked_token.token = :token
LEFT JOIN client_binding ON client_binding.account_id = account.id AND client_binding.session = :session
WHERE account.id = :id
