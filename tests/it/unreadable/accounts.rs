//! Unreadable accounts and tenants.

use selfsame::account::{Field, Text};

use super::row::{Row, Wrong, wrong};
use super::{IS_NO_TIME, NO_TIME, SIDES, rename};
use crate::support::{Answer, Person, Server, Side, Transcript, patch};

/// A person with a first and a last name, which CL2C requires for a change.
async fn person(server: &Server) -> Person<'_> {
    Person::new(server, patch(&[(Field::GivenName, "Jane"), (Field::FamilyName, "Roe")])).await
}

/// Reads and writes through CL2C, whose query begins at the tenant, and through one of the other contracts, whose query
/// begins at the account.
async fn ask_both(person: &Person<'_>, number: usize) -> Vec<Answer> {
    let other = [Side::System, Side::RiverGen, Side::Ciam][number % 3];
    [ask(person, Side::Cl2c).await, ask(person, other).await].concat()
}

/// Reads and writes through one contract.
async fn ask(person: &Person<'_>, side: Side) -> Vec<Answer> {
    vec![read(person, side).await, rename(person, side).await]
}

async fn read(person: &Person<'_>, side: Side) -> Answer {
    match side {
        Side::System => person.system("GET", "/web/v1/system/profile", None).await,
        Side::Cl2c => person.cl2c("GET", &format!("/v1/cl2c/users/{}", person.account.id), None).await,
        Side::RiverGen => person.river("GET", "/api/v1/auth/me", None).await,
        Side::Ciam => person.ciam("GET", None).await,
    }
}

fn account<'a>(person: &Person<'a>) -> Row<'a> {
    let (server, key) = (person.server, person.account.id.to_string());
    Row { server, table: "account", condition: "1 = 1".to_owned(), key }
}

on_both_databases!(
    async fn an_account_with_invalid_text_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let texts = [
            (vec![b'a', 0xff], "not UTF-8"),
            (Vec::new(), "empty"),
            (b"a\0b".to_vec(), "contains NUL"),
            (vec![b'x'; Text::MAX_BYTES + 1], "longer than 65536 bytes"),
        ];
        let cases: Vec<Wrong> = Field::ALL
            .into_iter()
            .flat_map(|field| texts.iter().map(move |(text, why)| (field.name(), text, *why)))
            .map(|(column, text, why)| wrong(column, server.database().bytes(text), why))
            .collect();
        // Each contract is tested with each kind of damage, and each field is read through each contract.
        let side = |number: usize| SIDES[(number + number / texts.len()) % SIDES.len()];
        account(&person).damage(&cases, async |number| ask(&person, side(number)).await).await;
    }
);

on_both_databases!(
    async fn an_account_with_another_invalid_value_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let mut cases = vec![
            wrong("portal", "5", "5 is not a known portal"),
            wrong("status", "5", "5 is not a known status"),
            wrong("personal_key", "7", "7 is not a known key"),
            wrong("auth_valid_until", NO_TIME, IS_NO_TIME),
            wrong("created_at", NO_TIME, IS_NO_TIME),
            wrong("updated_at", format!("-{NO_TIME}"), format!("-{IS_NO_TIME}")),
            wrong("history_head", server.database().bytes(&[7; 31]), "not 32 bytes"),
        ];
        // PostgreSQL cannot store such values.
        if server.database().is_sqlite() {
            cases.extend([
                wrong("biz_id", "CAST(X'61ff' AS TEXT)", "not UTF-8"),
                wrong("email_verified", "2", "2 is neither 0 nor 1"),
                wrong("phone_verified", "-1", "-1 is neither 0 nor 1"),
                wrong("authenticated", "2", "2 is neither 0 nor 1"),
            ]);
        }
        account(&person).damage(&cases, async |number| ask_both(&person, number).await).await;
    }
);

on_both_databases!(
    async fn an_unreadable_account_is_an_internal_error_in_the_form_of_each_contract(server: Server) {
        let person = person(&server).await;
        server.database().execute("UPDATE account SET status = 5").await;
        let mut transcript = Transcript::default();
        for side in SIDES {
            let mut answer = read(&person, side).await;
            if let Some((before, id)) = answer.body.split_once("\"error-") {
                answer.body = format!("{before}\"error-ID{}", &id[36..]);
            }
            transcript.add(format!("{side:?}"), &answer);
        }
        insta::assert_snapshot!(transcript, @r#"
        > System
        500 Internal Server Error
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"5000","message":"INTERNAL_SERVER_ERROR"}

        > Cl2c
        500 Internal Server Error
        content-type: application/json

        {"messages":["An unexpected error occurred."],"source":"API Gateway","exception":"System.Exception","errorId":"error-ID","supportMessage":"Please contact support with this error ID.","statusCode":500}

        > RiverGen
        500 Internal Server Error
        content-type: application/json

        {"success":false,"error":{"code":"INTERNAL_ERROR","message":"Internal server error","timestamp":"2026-03-20T14:30:00Z"},"message":"Internal server error"}

        > Ciam
        500 Internal Server Error
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"server_error"}
        "#);
    }
);

on_both_databases!(
    async fn an_unreadable_tenant_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let tenant = Row { table: "tenant", key: server.tenant.id.to_string(), ..account(&person) };
        let mut cases = vec![
            wrong("status", "5", "5 is not a known status"),
            wrong("portal", "5", "5 is not a known portal"),
            wrong("valid_until", NO_TIME, IS_NO_TIME),
            wrong("created_at", NO_TIME, IS_NO_TIME),
            wrong("updated_at", NO_TIME, IS_NO_TIME),
        ];
        if server.database().is_sqlite() {
            cases.push(wrong("biz_id", "CAST(X'61ff' AS TEXT)", "not UTF-8"));
        }
        tenant.damage(&cases, async |number| ask_both(&person, number).await).await;
        if server.database().is_sqlite() {
            // CL2C finds the tenant by its name.
            let name = [wrong("name", "CAST(X'61ff' AS TEXT)", "not UTF-8")];
            for side in [Side::System, Side::RiverGen, Side::Ciam] {
                tenant.damage(&name, async |_| ask(&person, side).await).await;
            }
        }
    }
);
