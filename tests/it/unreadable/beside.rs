//! Other unreadable rows that requests read: revocations, bindings, keys of back ends, applications, codes, sessions of
//! encrypted bodies, schemas.

use selfsame::account::Field;
use serde_json::json;

use super::row::{Row, wrong};
use super::{IS_NO_TIME, NO_TIME, rename};
use crate::support::secure_channel::{Sealed, Session};
use crate::support::{Person, Server, Side, patch};

async fn person(server: &Server) -> Person<'_> {
    Person::new(server, patch(&[(Field::GivenName, "Jane"), (Field::FamilyName, "Roe")])).await
}

/// The only row of a table.
fn only<'a>(server: &'a Server, table: &'static str, key: impl Into<String>) -> Row<'a> {
    Row { server, table, condition: "1 = 1".to_owned(), key: key.into() }
}

/// A column of bytes of the only row of a table, in hexadecimal digits.
async fn digits(server: &Server, table: &str, column: &str) -> String {
    let digits = if server.database().is_sqlite() {
        format!("SELECT lower(hex({column})) FROM {table}")
    } else {
        format!("SELECT encode({column}, 'hex') FROM {table}")
    };
    server.database().rows(&digits).await.remove(0)
}

on_both_databases!(
    async fn an_unreadable_revocation_or_binding_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        // Binds the token's session to its client hash.
        person.read(Side::System).await;
        let system = async |_| vec![person.system("GET", "/web/v1/system/profile", None).await];
        let id = person.account.id.to_string();
        let hash = wrong("client_hash", server.database().bytes(&[7; 31]), "not 32 bytes");
        let end = wrong("expires_at", NO_TIME, IS_NO_TIME);
        only(&server, "client_binding", &id).damage(&[hash, end], system).await;
        server.app.store().revoke_tokens_before(person.account.id, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let horizon = [wrong("not_before", NO_TIME, IS_NO_TIME)];
        only(&server, "token_horizon", &id).damage(&horizon, system).await;
    }
);

on_both_databases!(
    async fn an_unreadable_api_key_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let mut cases = vec![
            wrong("created_at", NO_TIME, IS_NO_TIME),
            wrong("expires_at", NO_TIME, IS_NO_TIME),
            wrong("revoked_at", NO_TIME, IS_NO_TIME),
            wrong("last_used_at", NO_TIME, IS_NO_TIME),
        ];
        if server.database().is_sqlite() {
            cases.extend([
                wrong("id", "zeroblob(15)", "not 16 bytes"),
                wrong("name", "CAST(X'61ff' AS TEXT)", "not UTF-8"),
            ]);
        }
        let key = digits(&server, "api_key", "hash").await;
        let path = format!("/v1/cl2c/users/{}", person.account.id);
        let cl2c = async |_| vec![person.cl2c("GET", &path, None).await, rename(&person, Side::Cl2c).await];
        only(&server, "api_key", key).damage(&cases, cl2c).await;
    }
);

on_both_databases!(
    async fn an_unreadable_application_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let known = "expected one of sms, email, refresh_token, client_credentials";
        let mut cases = vec![
            wrong("kind", "'desktop'", "expected one of web, spa, mobile, m2m"),
            wrong("grants", "'{'", "not a JSON array of strings"),
            wrong("grants", "'[\"sms\",\"password\"]'", known),
            wrong("claims", "'[1]'", "not a JSON array of strings"),
            wrong("secret_hash", server.database().bytes(&[7; 33]), "not 32 bytes"),
            wrong("created_at", NO_TIME, IS_NO_TIME),
            wrong("updated_at", NO_TIME, IS_NO_TIME),
        ];
        if server.database().is_sqlite() {
            cases.extend([
                wrong("name", "CAST(X'61ff' AS TEXT)", "not UTF-8"),
                wrong("auto_signup", "2", "2 is neither 0 nor 1"),
            ]);
        }
        let ciam = async |_| vec![person.ciam("GET", None).await, rename(&person, Side::Ciam).await];
        only(&server, "application", &person.client.application.id).damage(&cases, ciam).await;
    }
);

on_both_databases!(
    async fn an_unreadable_code_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let address = json!({"new_email": "jane@example.com"});
        let sent = person.river("POST", "/api/v1/auth/me/email/request", Some(address)).await;
        assert_eq!(sent.status, 200, "{sent}");
        let mut cases = vec![
            wrong("code", server.database().bytes(&[7; 31]), "not 32 bytes"),
            wrong("code_expires_at", NO_TIME, IS_NO_TIME),
        ];
        if server.database().is_sqlite() {
            cases.push(wrong("id", "zeroblob(15)", "not 16 bytes"));
        }
        let verify = json!({"new_email": "jane@example.com", "otp_code": server.code_to("jane@example.com")});
        let verify = async |_| vec![person.river("POST", "/api/v1/auth/me/email/verify", Some(verify.clone())).await];
        let slot = digits(&server, "one_time_code", "slot").await;
        only(&server, "one_time_code", slot).damage(&cases, verify).await;
    }
);

on_both_databases!(
    async fn an_unreadable_session_of_encrypted_bodies_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let session = Session::open(&server).await;
        let update = async |nonce: u8| {
            let request = server.request("POST", "/web/v1/system/profile/update").bearer(&person.token);
            let request = request.header("X-Client-Hash", "d1").header("Content-Type", "application/json");
            let request = request.header("X-SC-Session-Id", &session.id).header("X-SC-Version", "2");
            Sealed::of(request.body(session.binary(nonce, r#"{"accountName":"Renamed"}"#))).await
        };
        // The first message binds the session.
        assert_eq!(session.read(update(0).await).status, 200);
        let mut cases = vec![
            wrong("sealed", server.database().bytes(&[7; 92]), "the keys of the session do not open"),
            wrong("expires_at", NO_TIME, IS_NO_TIME),
            wrong("client", server.database().bytes(&[7; 31]), "not 32 bytes"),
        ];
        if server.database().is_sqlite() {
            cases.push(wrong("account_id", "zeroblob(15)", "not 16 bytes"));
        }
        let id = digits(&server, "channel_session", "id").await;
        let ask = async |number| vec![update(u8::try_from(number + 1).unwrap()).await.plain()];
        only(&server, "channel_session", id).damage(&cases, ask).await;
    }
);

on_both_databases!(
    async fn an_unreadable_schema_is_an_internal_error(server: Server) {
        let person = person(&server).await;
        let schema = Some(r#"{"properties":{"bio":{"type":"string"}}}"#);
        server.app.store().set_attribute_schema(server.tenant.id, schema, server.app.now()).await.unwrap();
        let database = server.database();
        // Compiled schemas are cached by version.
        let document = |bytes: &[u8], why: &str| {
            wrong("document", format!("{}, version = version + 1", database.bytes(bytes)), why)
        };
        let cases = [
            document(b"{\"\xff\":1}", "not UTF-8"),
            document(b"{", "malformed JSON at byte 1: the text ends before the value does"),
            document(b"[]", "expected a JSON object, found: array"),
        ];
        let ask = async |_| {
            let shown = person.river("GET", "/me/schema", None).await;
            vec![shown, person.write(Side::RiverGen, "profile", json!({"bio": "x"})).await]
        };
        only(&server, "attribute_schema", server.tenant.id.to_string()).damage(&cases, ask).await;
    }
);
