//! The account that a token of another issuer opens: bound by an operator, created from its claims, or none.

use selfsame::account::{AccountId, Field, Patch, TenantStatus};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::revocation::run;
use super::*;
use crate::support::patch;

/// Returns all accounts.
async fn everybody(server: &Server) -> Vec<Account> {
    server.app.store().accounts(AccountId(Uuid::nil()), None, 100).await.unwrap()
}

/// A server that creates accounts for the people of one provider.
pub(super) struct Creating(pub(super) World);

impl OnDatabase for Creating {
    async fn start(database: Database) -> Creating {
        Creating(World::with(database, &[("PROVISION", "create")]).await)
    }
}

/// A server that creates accounts and trusts the provider's verified claims.
pub(crate) struct Believing(pub(crate) World);

impl OnDatabase for Believing {
    async fn start(database: Database) -> Believing {
        Believing(World::with(database, &[("PROVISION", "create"), ("TRUST_VERIFIED_CLAIMS", "true")]).await)
    }
}

impl World {
    /// The claims of bob, a person without an account.
    fn bob(&self, more: &[(&str, Value)]) -> Value {
        let mut claims = claims(&self.server, self.provider.issuer(), "bob");
        more.iter().for_each(|(name, value)| claims[*name] = value.clone());
        claims
    }

    /// Lets bob sign in and returns the account that was created for him.
    pub(super) async fn make_bob(&self, more: &[(&str, Value)]) -> Account {
        self.make("bob", more).await
    }

    /// Lets a person without an account sign in, and returns the account that was created.
    pub(crate) async fn make(&self, subject: &str, more: &[(&str, Value)]) -> Account {
        let before = everybody(&self.server).await;
        let mut claims = self.bob(more);
        claims["sub"] = json!(subject);
        let answer = self.read(&self.p256.token("ES256", &claims)).await;
        assert_eq!(answer.status, 200, "{answer}");
        let mut made = everybody(&self.server).await;
        made.retain(|account| before.iter().all(|other| other.id != account.id));
        assert_eq!(made.len(), 1);
        made.remove(0)
    }
}

on_both_databases!(
    async fn a_person_without_account_is_refused(world: World) {
        assert_eq!(world.read(&world.p256.token("ES256", &world.bob(&[]))).await.to_string(), REFUSED);
        assert_eq!(everybody(&world.server).await.len(), 1);
    }
);

on_both_databases!(
    async fn an_operator_binds_a_person_to_an_account(world: World) {
        let account = world.server.person(&[(Field::DisplayName, "Bob")]).await;
        let token = world.p256.token("ES256", &world.bob(&[]));
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        let (id, issuer) = (account.id.to_string(), world.provider.issuer().to_owned());
        let arguments = ["account", "link", &id, "--issuer", &issuer, "--subject", "bob"];
        let linked = run(&world.server, &trust("MAIN", &issuer, &[]), &arguments);
        assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
        assert_eq!(world.read(&token).await.json()["data"]["accountName"], "Bob");
    }
);

on_both_databases!(
    async fn a_person_is_bound_to_one_account_only(world: World) {
        let account = world.server.person(&[]).await;
        let (id, issuer) = (account.id.to_string(), world.provider.issuer().to_owned());
        let arguments = ["account", "link", &id, "--issuer", &issuer, "--subject", "alice"];
        let refused = run(&world.server, &trust("MAIN", &issuer, &[]), &arguments);
        assert!(!refused.status.success());
        insta::assert_snapshot!(String::from_utf8_lossy(&refused.stderr), @"selfsame: identity: already in use by another");
    }
);

on_both_databases!(
    async fn an_account_is_created_from_the_claims(creating: Creating) {
        let Creating(world) = creating;
        let bob = world
            .make_bob(&[
                ("name", json!("Bob Builder")),
                ("given_name", json!("Bob")),
                ("family_name", json!("Builder")),
                ("nickname", json!("bobby")),
                ("preferred_username", json!("bob")),
                ("email", json!("bob@example.com")),
                ("email_verified", json!(true)),
                ("phone_number", json!("+14155550123")),
                ("phone_number_verified", json!(true)),
                ("locale", json!("de-DE")),
                ("zoneinfo", json!("Europe/Berlin")),
                ("picture", json!("https://pictures.example/bob.png")),
            ])
            .await;
        let text = |field| bob.text(field).unwrap_or_default().to_owned();
        assert_eq!(text(Field::DisplayName), "Bob Builder");
        assert_eq!(text(Field::GivenName), "Bob");
        assert_eq!(text(Field::FamilyName), "Builder");
        assert_eq!(text(Field::Nickname), "bobby");
        assert_eq!(text(Field::Username), "bob");
        assert_eq!(text(Field::Email), "bob@example.com");
        assert_eq!(text(Field::Phone), "+14155550123");
        assert_eq!(text(Field::Language), "de-DE");
        assert_eq!(text(Field::TimeZone), "Europe/Berlin");
        assert_eq!(text(Field::Picture), "https://pictures.example/bob.png");
        assert_eq!(
            (bob.email_verified, bob.phone_verified),
            (false, false),
            "addresses were verified although the issuer is not trusted to verify them"
        );
        assert_eq!(bob.tenant_id, world.server.tenant.id);
    }
);

on_both_databases!(
    async fn claims_are_copied_once(creating: Creating) {
        let Creating(world) = creating;
        let bob = world.make_bob(&[("name", json!("Bob"))]).await;
        let later = world.p256.token("ES256", &world.bob(&[("name", json!("Robert"))]));
        assert_eq!(world.read(&later).await.json()["data"]["accountName"], "Bob");
        assert_eq!(world.server.account(&bob).await.version, 1);
    }
);

on_both_databases!(
    async fn claims_that_fit_no_field_are_left_out(creating: Creating) {
        let Creating(world) = creating;
        let bob = world
            .make_bob(&[
                ("name", json!(7)),
                ("given_name", json!(["Bob"])),
                ("family_name", json!("x".repeat(1025))),
                ("nickname", json!("nul\0")),
                ("email", Value::Null),
            ])
            .await;
        for field in [Field::DisplayName, Field::GivenName, Field::FamilyName, Field::Nickname, Field::Email] {
            assert_eq!(bob.text(field), None, "{field:?}");
        }
    }
);

on_both_databases!(
    async fn twenty_concurrent_first_requests_create_one_account(creating: Creating) {
        let Creating(world) = creating;
        let mut requests = JoinSet::new();
        for _ in 0..20 {
            let claims = world.bob(&[("email", json!("bob@example.com")), ("preferred_username", json!("bob"))]);
            let request = world.server.request("GET", PROFILE).bearer(&world.p256.token("ES256", &claims));
            requests.spawn(request.send());
        }
        while let Some(answer) = requests.join_next().await {
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{answer}");
        }
        assert_eq!(everybody(&world.server).await.len(), 2);
    }
);

on_both_databases!(
    async fn a_trusted_issuer_verifies_addresses(believing: Believing) {
        let Believing(world) = believing;
        let more = [("email", json!("bob@example.com")), ("email_verified", json!(true))];
        assert!(world.make_bob(&more).await.email_verified);
    }
);

on_both_databases!(
    async fn an_address_is_verified_by_true_and_by_nothing_else(believing: Believing) {
        let Believing(world) = believing;
        let more = [("email", json!("bob@example.com")), ("email_verified", json!("yes"))];
        assert!(!world.make_bob(&more).await.email_verified);
    }
);

on_both_databases!(
    async fn an_address_that_another_account_has_verified_is_copied_unverified(believing: Believing) {
        let Believing(world) = believing;
        let mut owned = patch(&[(Field::Email, "bob@example.com"), (Field::Phone, "+14155550123")]);
        (owned.email_verified, owned.phone_verified) = (Some(true), Some(true));
        let owner = world.server.person_with(&world.server.tenant, owned).await;
        let bob = world
            .make_bob(&[
                ("email", json!("BOB@example.com")),
                ("email_verified", json!(true)),
                ("phone_number", json!("+14155550123")),
                ("phone_number_verified", json!(true)),
            ])
            .await;
        assert_ne!(bob.id, owner.id);
        assert_eq!(bob.text(Field::Email), Some("BOB@example.com"));
        assert_eq!((bob.email_verified, bob.phone_verified), (false, false));
        assert_eq!(world.server.account(&owner).await.version, 1);
    }
);

on_both_databases!(
    async fn a_user_name_of_another_account_is_not_copied(creating: Creating) {
        let Creating(world) = creating;
        world.server.person(&[(Field::Username, "bob")]).await;
        let bob = world.make_bob(&[("preferred_username", json!("bob")), ("name", json!("Bob"))]).await;
        assert_eq!((bob.text(Field::Username), bob.text(Field::DisplayName)), (None, Some("Bob")));
    }
);

on_both_databases!(
    async fn a_revoked_token_creates_no_account(creating: Creating) {
        let Creating(world) = creating;
        let (app, issuer) = (&world.server.app, world.provider.issuer());
        let revocation = world.server.app.keys().revocation(issuer, "token-1");
        app.store().revoke_token(None, revocation, jiff::Timestamp::MAX).await.unwrap();
        let token = world.p256.token("ES256", &world.bob(&[("jti", json!("token-1"))]));
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(everybody(&world.server).await.len(), 1);
    }
);

on_both_databases!(
    async fn a_closed_tenant_gets_no_account(creating: Creating) {
        let Creating(world) = creating;
        let closed = selfsame::account::Tenant { status: TenantStatus::Inactive, ..world.server.tenant.clone() };
        world.server.app.store().set_tenant(&closed).await.unwrap();
        let answer = world.read(&world.p256.token("ES256", &world.bob(&[]))).await;
        assert_eq!(answer.status, 403, "{answer}");
        assert_eq!(everybody(&world.server).await.len(), 1);
    }
);

on_both_databases!(
    async fn one_subject_of_two_issuers_is_two_people(database: Database) {
        let key = Key::p256("p256");
        let (one, two) = (Provider::start(vec![key.jwk()]).await, Provider::start(vec![key.jwk()]).await);
        let create = [("PROVISION", "create")];
        let settings = [trust("ONE", one.issuer(), &create), trust("TWO", two.issuer(), &create)].concat();
        let server = Server::with(database, &borrowed(&settings)).await;
        for (issuer, name) in [(one.issuer(), "One"), (two.issuer(), "Two")] {
            let mut claims = claims(&server, issuer, "alice");
            claims["name"] = json!(name);
            let answer = server.request("GET", PROFILE).bearer(&key.token("ES256", &claims)).send().await;
            assert_eq!(answer.json()["data"]["accountName"], name);
        }
        assert_eq!(everybody(&server).await.len(), 2);
    }
);

#[test]
fn a_number_that_an_imported_account_has_delays_no_new_account() {
    crate::support::run(Database::postgres, async |database: Database| {
        let distributed = [("SELFSAME__DATABASE__DISTRIBUTED", "true")];
        let world = World::with_server(database, &[("PROVISION", "create")], &distributed).await;
        let database = world.server.database();
        let [last] = &database.rows("SELECT max(number) FROM account").await[..] else { panic!("no account") };
        let next = last.parse::<u64>().unwrap() + 1;
        let claim =
            format!("INSERT INTO unique_key VALUES ([{:032}], 'number', <{next:016x}{:048}>, [{:032}])", 0, 0, 1);
        database.execute(&database.in_dialect(&claim)).await;
        let bob = world.make_bob(&[("name", json!("Bob"))]).await;
        assert_eq!(bob.number, 101);
    });
}

#[test]
fn a_key_is_trusted_only_for_its_own_issuer() {
    on_sqlite(async |database| {
        let key = Key::p256("p256");
        let (one, two) = (Provider::start(vec![key.jwk()]).await, Provider::start(vec![Key::p256("p256").jwk()]).await);
        let settings = [trust("ONE", one.issuer(), &[]), trust("TWO", two.issuer(), &[])].concat();
        let server = Server::with(database, &borrowed(&settings)).await;
        let account = server.person(&[]).await;
        link(&server, &account, one.issuer(), "alice").await;
        link(&server, &account, two.issuer(), "alice").await;
        let read = async |issuer: &str| {
            let token = key.token("ES256", &claims(&server, issuer, "alice"));
            server.request("GET", PROFILE).bearer(&token).send().await
        };
        assert_eq!(read(one.issuer()).await.status, 200);
        assert_eq!(read(two.issuer()).await.to_string(), REFUSED);
    });
}

#[test]
fn tokens_of_a_trusted_issuer_are_valid_only_for_its_contracts() {
    on_sqlite(async |database| {
        let world = World::with(database, &[("CONTRACTS", "rivergen")]).await;
        insta::assert_snapshot!(world.read(&world.token()).await, @r#"
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}
        "#);
    });
}

#[test]
fn a_token_that_is_not_valid_for_the_contract_creates_no_account() {
    on_sqlite(async |database| {
        let world = World::with(database, &[("CONTRACTS", "rivergen"), ("PROVISION", "create")]).await;
        let token = world.p256.token("ES256", &world.bob(&[]));
        assert_eq!(world.read(&token).await.status, 403);
        assert_eq!(everybody(&world.server).await.len(), 1);
        let there = world.server.request("GET", "/api/v1/auth/me").bearer(&token).send().await;
        assert_eq!(there.status, 200, "{there}");
        assert_eq!(everybody(&world.server).await.len(), 2);
    });
}

#[test]
fn tokens_of_a_trusted_issuer_are_valid_only_for_accounts_of_its_tenant() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let other = world.server.add_tenant("other").await;
        let account = world.server.person_with(&other, Patch::default()).await;
        link(&world.server, &account, world.provider.issuer(), "bob").await;
        assert_eq!(world.read(&world.p256.token("ES256", &world.bob(&[]))).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

#[test]
fn tokens_of_an_issuer_whose_tenant_does_not_exist_are_refused() {
    on_sqlite(async |database| {
        let world = World::with(database, &[("TENANT", "missing"), ("PROVISION", "create")]).await;
        assert_eq!(world.read(&world.p256.token("ES256", &world.bob(&[]))).await.to_string(), REFUSED);
        assert_eq!(everybody(&world.server).await.len(), 1);
    });
}
