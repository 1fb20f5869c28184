//! One account behind every contract: a change through one contract is read through the others.
//!
//! To add a contract, add it to [`Side`] and add its names to [`FIELDS`].

use selfsame::account::{Edit, Field, Patch};
use serde_json::{Value, json};

use crate::support::{Person, Server, Side, patch};

/// The name of a field in a contract, and whether the contract writes it.
#[derive(Clone, Copy)]
struct Spelling {
    side: Side,
    name: &'static str,
    writes: bool,
}

const fn writes(side: Side, name: &'static str) -> Spelling {
    Spelling { side, name, writes: true }
}

const fn shows(side: Side, name: &'static str) -> Spelling {
    Spelling { side, name, writes: false }
}

/// Every field of a contract, with two values that every contract that writes it accepts.
const FIELDS: &[(Field, [&str; 2], &[Spelling])] = {
    use Side::{Ciam, Cl2c, RiverGen, System};
    &[
        (
            Field::DisplayName,
            ["Jane Admin", "管理者"],
            &[writes(System, "accountName"), writes(RiverGen, "display_name"), writes(Ciam, "name")],
        ),
        (Field::GivenName, ["Jane", "太郎"], &[writes(Cl2c, "firstName")]),
        (Field::FamilyName, ["Roe", "山田"], &[writes(Cl2c, "lastName")]),
        (Field::Nickname, ["Jay", "ジェイ"], &[writes(Ciam, "nickname")]),
        (Field::Username, ["jane_roe", "jroe"], &[shows(Cl2c, "userName"), shows(Ciam, "username")]),
        (
            Field::Email,
            ["jane@example.com", "Jane.Roe@example.com"],
            &[shows(System, "accountEmail"), shows(Cl2c, "email"), shows(RiverGen, "primary_email")],
        ),
        (
            Field::Phone,
            ["+1987654321", "8613800138000"],
            &[writes(System, "accountPhone"), writes(Cl2c, "phoneNumber")],
        ),
        (Field::Language, ["zh-Hant-TW", "en"], &[writes(System, "defaultLanguage"), writes(Ciam, "locale")]),
        (Field::TimeZone, ["Asia/Shanghai", "PRC"], &[writes(System, "defaultTimezone"), writes(Ciam, "zoneinfo")]),
        (Field::Country, ["CN", "US"], &[writes(System, "defaultCountry")]),
        (
            Field::Picture,
            ["https://example.com/a.png", "http://example.com/%E5%9B%BE"],
            &[writes(RiverGen, "profile_image_url"), shows(Ciam, "picture")],
        ),
    ]
};

/// The value that a contract shows for an unset field.
fn unset(side: Side) -> Value {
    match side {
        Side::System => "".into(),
        // CIAM leaves the member out, and indexing a missing member gives null.
        Side::Cl2c | Side::RiverGen | Side::Ciam => Value::Null,
    }
}

/// The contracts that write a field.
fn writers(spellings: &[Spelling]) -> impl Iterator<Item = &Spelling> {
    spellings.iter().filter(|spelling| spelling.writes)
}

on_both_databases!(
    async fn every_contract_shows_what_one_contract_writes(server: Server) {
        for (field, values, spellings) in FIELDS {
            let person = Person::new(&server, patch(&[(Field::GivenName, "J"), (Field::FamilyName, "R")])).await;
            for writer in writers(spellings) {
                for value in values {
                    let answer = person.write(writer.side, writer.name, *value).await;
                    assert_eq!(answer.status, 200, "{field:?} through {:?}: {answer}", writer.side);
                    for reader in *spellings {
                        let shown = &person.read(reader.side).await[reader.name];
                        assert_eq!(shown, value, "{field:?} from {:?} to {:?}", writer.side, reader.side);
                    }
                }
            }
        }
    }
);

on_both_databases!(
    async fn every_contract_shows_what_operators_write(server: Server) {
        for (field, values, spellings) in FIELDS {
            let person = Person::new(&server, Patch::default()).await;
            for value in values {
                server.operate(&person.account, patch(&[(*field, value)])).await;
                for reader in *spellings {
                    assert_eq!(&person.read(reader.side).await[reader.name], value, "{field:?} to {:?}", reader.side);
                }
            }
        }
    }
);

on_both_databases!(
    async fn every_contract_shows_an_unset_field_in_its_own_form(server: Server) {
        for (field, [value, _], spellings) in FIELDS {
            let person = Person::new(&server, patch(&[(*field, value)])).await;
            let mut patch = Patch::default();
            patch.edit(*field, Edit::Clear);
            server.operate(&person.account, patch).await;
            for reader in *spellings {
                let shown = &person.read(reader.side).await[reader.name];
                assert_eq!(*shown, unset(reader.side), "{field:?} to {:?}", reader.side);
            }
        }
    }
);

on_both_databases!(
    async fn a_phone_number_that_one_contract_clears_is_cleared_in_all(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for (side, name, nothing) in [
            (Side::System, "accountPhone", json!("")),
            (Side::Cl2c, "phoneNumber", json!("")),
            (Side::Cl2c, "phoneNumber", Value::Null),
        ] {
            server.operate(&person.account, patch(&[(Field::Phone, "+1987654321")])).await;
            assert_eq!(person.write(side, name, nothing).await.status, 200);
            assert_eq!(person.read(Side::System).await["accountPhone"], "");
            assert_eq!(person.read(Side::Cl2c).await["phoneNumber"], Value::Null);
        }
    }
);

on_both_databases!(
    async fn every_change_updates_the_time_that_other_contracts_show(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        assert_eq!(person.read(Side::System).await["updatedAt"], "2026-03-20T14:30:00Z");
        server.pass(std::time::Duration::from_secs(90));
        person.read(Side::Cl2c).await;
        assert_eq!(person.read(Side::System).await["updatedAt"], "2026-03-20T14:30:00Z");
        person.write(Side::Cl2c, "firstName", "Jane").await;
        assert_eq!(person.read(Side::System).await["updatedAt"], "2026-03-20T14:31:30Z");
        assert_eq!(person.read(Side::RiverGen).await["updated_at"], "2026-03-20T14:31:30Z");
        server.pass(std::time::Duration::from_secs(90));
        person.write(Side::RiverGen, "profile", json!({"bio": "x"})).await;
        assert_eq!(person.read(Side::System).await["updatedAt"], "2026-03-20T14:33:00Z");
    }
);

on_both_databases!(
    async fn names_fill_a_display_name_that_is_unset_and_leave_any_other_alone(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        let name = async || person.read(Side::System).await["accountName"].take();
        person.write(Side::Cl2c, "firstName", "Jane").await;
        assert_eq!(name().await, "Jane Unknown");
        person.write(Side::Cl2c, "lastName", "Roe").await;
        assert_eq!(name().await, "Jane Unknown");
        person.write(Side::System, "accountName", "Boss").await;
        person.write(Side::Cl2c, "firstName", "Joan").await;
        assert_eq!(name().await, "Boss");
        person.write(Side::System, "accountName", "").await;
        // Names that stay as they are fill nothing.
        person.write(Side::Cl2c, "firstName", "Joan").await;
        assert_eq!(name().await, "");
        person.write(Side::Cl2c, "firstName", "Jo").await;
        assert_eq!(name().await, "Jo Roe");
        // The display name is never split into names.
        let shown = person.read(Side::Cl2c).await;
        assert_eq!([&shown["firstName"], &shown["lastName"]], ["Jo", "Roe"]);
    }
);

on_both_databases!(
    async fn a_display_name_that_is_filled_is_cut_at_126_characters(server: Server) {
        let person = Person::new(&server, patch(&[(Field::FamilyName, &"\u{20BB7}".repeat(75))])).await;
        person.write(Side::Cl2c, "firstName", "x".repeat(75)).await;
        let shown = person.read(Side::System).await["accountName"].take();
        assert_eq!(shown, format!("{} {}", "x".repeat(75), "\u{20BB7}".repeat(50)));
        assert_eq!(person.write(Side::System, "accountName", shown).await.status, 200);
    }
);

on_both_databases!(
    async fn a_verified_number_stays_verified_in_another_spelling_and_a_different_number_is_unverified(server: Server) {
        for (side, name, another_spelling) in
            [(Side::System, "accountPhone", "+1.987.654.321"), (Side::Cl2c, "phoneNumber", "+1987654321")]
        {
            let person = Person::new(&server, Patch::default()).await;
            let neighbour = Person::new(&server, Patch::default()).await;
            let mut proved = patch(&[(Field::Phone, "+1 (987) 654-321")]);
            proved.phone_verified = Some(true);
            server.operate(&person.account, proved).await;

            assert_eq!(person.write(side, name, another_spelling).await.status, 200);
            let stored = server.account(&person.account).await;
            assert_eq!((stored.text(Field::Phone), stored.phone_verified), (Some(another_spelling), true), "{side:?}");
            let taken = neighbour.write(Side::Cl2c, "phoneNumber", "+1987654321").await;
            assert!(taken.body.contains("already registered"), "{side:?}: {taken}");

            assert_eq!(person.write(side, name, "+1987654322").await.status, 200);
            assert!(!server.account(&person.account).await.phone_verified, "{side:?}");
            assert_eq!(neighbour.write(Side::Cl2c, "phoneNumber", "+1987654321").await.status, 200, "{side:?}");
            // Writing the first number again does not verify it.
            person.write(side, name, "+1987654321").await;
            assert!(!server.account(&person.account).await.phone_verified, "{side:?}");
        }
    }
);

on_both_databases!(
    async fn a_value_that_another_contract_allows_is_shown_and_may_be_sent_back(server: Server) {
        let names = [(Field::GivenName, "J"), (Field::FamilyName, "R"), (Field::DisplayName, "J R")];
        let person = Person::new(&server, patch(&names)).await;
        person.write(Side::System, "accountPhone", "ask reception").await;
        assert_eq!(person.read(Side::Cl2c).await["phoneNumber"], "ask reception");
        let before = server.account(&person.account).await;
        assert_eq!(person.write(Side::Cl2c, "phoneNumber", "ask reception").await.status, 200);
        assert_eq!(server.account(&person.account).await, before);
        assert_eq!(person.write(Side::Cl2c, "phoneNumber", "ask the reception").await.status, 400);
    }
);

on_both_databases!(
    async fn every_contract_shows_names_that_one_contract_fills(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        person.write(Side::Cl2c, "firstName", "Jane").await;
        assert_eq!(person.read(Side::RiverGen).await["display_name"], "Jane Unknown");
        person.write(Side::RiverGen, "display_name", "  Boss ").await;
        assert_eq!(person.read(Side::System).await["accountName"], "Boss");
        let shown = person.read(Side::Cl2c).await;
        assert_eq!([&shown["firstName"], &shown["lastName"]], ["Jane", "Unknown"]);
        // Other contracts may clear the name, which RiverGen cannot.
        person.write(Side::System, "accountName", "").await;
        assert_eq!(person.read(Side::RiverGen).await["display_name"], Value::Null);
    }
);

on_both_databases!(
    async fn a_picture_and_attributes_stay_whatever_other_contracts_change(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        let uploaded = person.write(Side::RiverGen, "profile_image_url", crate::rivergen::PIXEL).await;
        assert_eq!(uploaded.status, 200, "{uploaded}");
        let profile = json!({"bio": "x", "nested": {"n": [1, null]}});
        person.write(Side::RiverGen, "profile", profile.clone()).await;
        let before = person.read(Side::RiverGen).await;
        for (side, name, value) in [
            (Side::System, "accountPhone", "+1987654321"),
            (Side::System, "defaultCountry", "CN"),
            (Side::Cl2c, "phoneNumber", ""),
            (Side::Cl2c, "pushToken", "token"),
        ] {
            assert_eq!(person.write(side, name, value).await.status, 200, "{name}");
        }
        let after = person.read(Side::RiverGen).await;
        assert_eq!(after["profile"], profile);
        assert_eq!(after["profile_image_url"], before["profile_image_url"]);
        // A schema of the attributes does not affect contracts that do not write attributes.
        let schema = Some(r#"{"properties":{"bio":{"type":"integer"}}}"#);
        server.app.store().set_attribute_schema(server.tenant.id, schema, server.app.now()).await.unwrap();
        assert_eq!(person.write(Side::System, "accountName", "Jane").await.status, 200);
        assert_eq!(person.write(Side::Cl2c, "firstName", "Jane").await.status, 200);
        assert_eq!(person.write(Side::RiverGen, "profile", json!({"a": 1})).await.status, 422);
    }
);

on_both_databases!(
    async fn a_verified_address_is_shown_as_verified(server: Server) {
        for proved in [false, true] {
            let mut patch = patch(&[(Field::Email, &format!("jane{proved}@example.com"))]);
            patch.email_verified = Some(proved);
            let person = Person::new(&server, patch).await;
            assert_eq!(person.read(Side::Cl2c).await["emailConfirmed"], proved);
            let everything = person.river("GET", "/api/v1/auth/me", None).await.json();
            assert_eq!(everything["data"]["emails"][0]["verified"], proved);
        }
    }
);

on_both_databases!(
    async fn a_suspended_account_is_refused_by_every_contract(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        let mut suspended = Patch::default();
        suspended.status = Some(selfsame::account::Status::Suspended);
        server.operate(&person.account, suspended).await;
        for (side, name, status) in
            [(Side::System, "accountName", 403), (Side::Cl2c, "firstName", 401), (Side::RiverGen, "display_name", 403)]
        {
            assert_eq!(person.write(side, name, "Jane").await.status, status, "{side:?}");
        }
        assert_eq!(server.account(&person.account).await.version, 2);
    }
);

on_both_databases!(
    async fn credentials_of_one_contract_are_refused_by_every_other(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        let path = format!("/v1/cl2c/users/{}", person.account.id);
        let of_system = server.request("GET", "/api/v1/auth/me").bearer(&person.token).send().await;
        assert_eq!(of_system.status, 403);
        let of_river = server.request("GET", "/web/v1/system/profile").bearer(&person.river);
        assert_eq!(of_river.header("X-Client-Hash", "d1").send().await.status, 403);
        let of_application = server.request("GET", "/api/v1/auth/me").bearer(&person.claims).send().await;
        assert_eq!(of_application.status, 403);
        let of_application = server.request("GET", "/web/v1/system/profile").bearer(&person.claims);
        assert_eq!(of_application.header("X-Client-Hash", "d1").send().await.status, 403);
        for token in [&person.token, &person.river, &person.key] {
            assert_eq!(server.request("GET", "/userinfo").bearer(token).send().await.status, 401);
        }
        assert_eq!(server.request("GET", "/api/v1/auth/me").bearer(&person.key).send().await.status, 401);
        let token_as_key = server.request("GET", &path).header("tenant", "demo").header("X-API-Key", &person.token);
        assert_eq!(token_as_key.bearer(&person.token).send().await.status, 401);
        let key_as_token = server.request("GET", "/web/v1/system/profile").bearer(&person.key);
        let key_as_token = key_as_token.header("X-API-Key", &person.key).header("X-Client-Hash", "d1");
        assert_eq!(key_as_token.header("tenant", "demo").send().await.status, 401);
    }
);

on_both_databases!(
    async fn ciam_omits_an_unverified_address(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        person.write(Side::System, "accountPhone", "+8613800138000").await;
        server.operate(&person.account, patch(&[(Field::Email, "jane@example.com")])).await;
        assert_eq!(person.read(Side::System).await["accountPhone"], "+8613800138000");
        assert_eq!(person.read(Side::Cl2c).await["phoneNumber"], "+8613800138000");
        assert_eq!(person.read(Side::System).await["accountEmail"], "jane@example.com");
        let claims = person.read(Side::Ciam).await;
        assert_eq!((claims.get("phone_number"), claims.get("email")), (None, None));
    }
);

on_both_databases!(
    async fn a_verified_address_is_shown_everywhere_until_another_contract_changes_it(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        assert_eq!(person.prove("phone_number", "13800138000").await.json()["phone_number"], "13800138000");
        assert_eq!(person.read(Side::System).await["accountPhone"], "+8613800138000");
        assert_eq!(person.read(Side::Cl2c).await["phoneNumber"], "+8613800138000");
        person.prove("email", "jane@example.com").await;
        assert_eq!(person.read(Side::System).await["accountEmail"], "jane@example.com");
        let user = person.read(Side::Cl2c).await;
        assert_eq!((&user["email"], &user["emailConfirmed"]), (&json!("jane@example.com"), &json!(true)));
        assert_eq!(person.read(Side::RiverGen).await["primary_email"], "jane@example.com");
        // The same number in another spelling stays verified; another number is not a claim.
        person.write(Side::System, "accountPhone", "+86 138 0013 8000").await;
        assert_eq!(person.read(Side::Ciam).await["phone_number"], "13800138000");
        person.write(Side::Cl2c, "phoneNumber", "+8613900139000").await;
        assert_eq!(person.read(Side::Ciam).await.get("phone_number"), None);
    }
);
