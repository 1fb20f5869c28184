use super::super::{STATEMENTS, accounts, history, phone_keys, postgres, statement::Statement};
use super::{comparisons, tables};

fn all() -> impl Iterator<Item = Statement> {
    STATEMENTS.into_iter().flatten().chain(postgres::OF_ONE_ACCOUNT).copied()
}

/// The statements about a list of accounts, which no request runs: when an upgrade rebuilds the unique keys of phone numbers.
fn is_of_several_accounts(statement: &Statement) -> bool {
    phone_keys::OF_SEVERAL_ACCOUNTS.iter().any(|other| other.postgres == statement.postgres)
}

#[test]
fn every_statement_compares_an_account_with_a_parameter() {
    let mut wrong = Vec::new();
    for statement in all().filter(|statement| !is_of_several_accounts(statement)) {
        for text in [statement.sqlite, statement.postgres] {
            wrong.extend(comparisons(text).into_iter().map(|comparison| format!("{comparison} in: {text}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_statement_about_several_accounts_is_named_only_if_it_is_one() {
    assert_eq!(all().filter(is_of_several_accounts).count(), phone_keys::OF_SEVERAL_ACCOUNTS.len());
    for statement in phone_keys::OF_SEVERAL_ACCOUNTS {
        assert!(!comparisons(statement.postgres).is_empty(), "{}", statement.postgres);
    }
}

#[test]
fn a_change_that_claims_and_releases_nothing_is_written_to_the_tables_of_its_account() {
    let written = [accounts::SET, history::ADD].iter().flat_map(|statement| tables(statement.sqlite));
    assert_eq!(written.collect::<Vec<_>>(), ["account", "history"]);
}

#[test]
fn the_tables_of_a_statement_are_found() {
    let of = |statement| Vec::from_iter(tables(statement));
    assert_eq!(
        of(accounts::LINKED_CALLER.postgres),
        ["account", "attribute_schema", "identity", "revoked_token", "tenant", "token_horizon"]
    );
    assert_eq!(of("DELETE FROM unique_key h USING changed, unnest(?1) AS r(kind)"), ["unique_key"]);
}

#[test]
fn comparisons_with_parameters_are_accepted() {
    for condition in [
        "account.id = ?1",
        "account.id = $1 AND account.tenant_id = tenant.id",
        "?1 = account_id",
        "account_id = ?1::uuid AND x = y",
        "(h.account_id) = ?1",
        "h.account_id = x'00000000000000000000000000000000'",
        "h.account_id = '00000000-0000-0000-0000-000000000000'::uuid",
        "account.id IN (?1, x'00000000000000000000000000000000')",
        "account.id NOT IN (?1, ?2)",
        "account.id = ANY(?1::uuid[])",
        "account.id > ?1 ORDER BY account.id LIMIT ?2",
        "account_id <> ?1 OR account_id IS NULL OR account_id IS NOT NULL",
        "account_id IS NOT DISTINCT FROM ?1",
        "EXISTS (SELECT account_id FROM identity i WHERE i.account_id = ?1)",
        "?2 < (SELECT count(*) FROM identity WHERE account_id = ?1)",
        "channel_session.id = ?1 AND x.id = y.id",
    ] {
        assert_eq!(comparisons(&format!("SELECT account.id FROM account WHERE {condition}")), [""; 0], "{condition}");
    }
    for statement in [
        "INSERT INTO identity (account_id, issuer) VALUES (?1, ?2) ON CONFLICT (account_id, issuer) DO NOTHING",
        "WITH c AS (UPDATE account SET a = ?2 WHERE id = ?1 RETURNING id) INSERT INTO history (account_id) SELECT c.id FROM c",
        "UPDATE channel_session SET account_id = ?2, client = ?3 WHERE id = ?1",
        "SELECT s.id FROM sign_in s JOIN refresh_token r ON s.id = r.sign_in_id WHERE s.account_id = ?1",
    ] {
        assert_eq!(comparisons(statement), [""; 0], "{statement}");
    }
}

#[test]
fn comparisons_with_anything_else_are_found() {
    for condition in [
        "EXISTS (SELECT 1 FROM token_horizon h WHERE h.account_id = account.id)",
        "EXISTS (SELECT 1 FROM token_horizon h WHERE account.id = h.account_id)",
        "EXISTS (SELECT 1 FROM token_horizon h WHERE h.account_id = id)",
        "account.id = (SELECT i.account_id FROM identity i WHERE i.issuer = ?1)",
        "id = (SELECT i.owner FROM identity i WHERE i.issuer = ?1)",
        "account.id IN (SELECT owner FROM x)",
        "account.id = ANY (SELECT owner FROM x)",
        "account.id = ANY (owners)",
        "account.id IN (?1, owner)",
        "?1 IN (owner, account.id)",
        "owner IN (SELECT account_id FROM identity)",
        "owner = (SELECT account_id FROM identity WHERE issuer = ?1)",
        "owner = (SELECT min(account_id) FROM identity)",
        "account.id = owner",
        "owner = account.id",
        "(account.id) = owner",
        "(account.id, kind) = (owner, kind)",
        "(account.id, ?1) IN (SELECT owner, x FROM y)",
        "coalesce(account.id, ?1) = owner",
        "cast(account.id AS text) = ?1",
        "account.id::text = owner::text",
        "account.id = ?1 || owner",
        "account.id = ?1 + 1",
        "?2 - ?1 = account.id",
        "account.id || '' = ?1",
        "account.id IS NOT DISTINCT FROM owner",
        "account.id IS owner",
        "account.id BETWEEN ?1 AND ?2",
        "owner BETWEEN ?1 AND account.id",
        "account.id LIKE owner",
        "account.id COLLATE nocase = ?1",
        "CASE account.id WHEN owner THEN 1 END = 1",
        "ACCOUNT.ID = /* ?1 */ owner",
        "\"account\".\"id\" = owner -- ?1",
        "account.id <> 'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "account.id = '0'",
    ] {
        let statement = format!("SELECT 1 FROM account WHERE {condition}");
        assert!(!comparisons(&statement).is_empty(), "{condition}");
    }
    for statement in [
        "SELECT 1 FROM account a JOIN identity i ON i.owner = a.id",
        "SELECT 1 FROM account AS a LEFT JOIN identity ON a.id = owner AND x = ?1",
        "SELECT 1 FROM x, account a WHERE owner = a.id",
        "SELECT 1 FROM account JOIN identity USING (account_id)",
        "SELECT 1 FROM account NATURAL JOIN identity",
        "SELECT 1 FROM account JOIN unnest(?1::uuid[]) AS w(id) ON account.id = w.id",
        "SELECT 1 FROM (SELECT account_id AS owner FROM identity) i JOIN x ON x.y = i.owner",
        "WITH c AS (UPDATE account SET a = ?2 WHERE id = ?1 RETURNING id) DELETE FROM key h USING c WHERE h.owner = c.id",
        "SELECT 1 FROM (SELECT id FROM account WHERE id = ?1) AS mine JOIN key ON key.owner = mine.id",
        "UPDATE account SET a = ?2 WHERE id = owner",
        "DELETE FROM sign_in WHERE account_id IN (SELECT id FROM account)",
    ] {
        assert!(!comparisons(statement).is_empty(), "{statement}");
    }
}
