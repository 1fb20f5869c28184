//! What an application may change about a person, apart from what it may see.

use selfsame::account::{Account, Field, Kind};
use serde_json::{Value, json};

use super::AppUser;
use crate::support::{Answer, Installation, Server, patch};

const UNSUPPORTED: &str = r#"{"error":"invalid_request","error_description":"Unsupported user attribute(s) found."}"#;

/// Jane, signed in to an application that may see `claims` and change `writes`.
async fn jane<'a>(server: &'a Server, claims: &[&str], writes: Option<&[&str]>) -> AppUser<'a> {
    let account = server.person_with(&server.tenant, patch(&[(Field::DisplayName, "Jane")])).await;
    let client = server.client_with(Kind::Web, claims, |application| application.writes = owned(writes)).await;
    AppUser::of(client, account).await
}

fn owned(names: Option<&[&str]>) -> Option<Vec<String>> {
    names.map(|names| names.iter().map(|name| (*name).to_owned()).collect())
}

/// Sends a change that must be refused because of what the application may change, and proves that nothing was written.
async fn refused(jane: &AppUser<'_>, body: Value) {
    let before: Account = jane.stored().await;
    let answer: Answer = jane.patch(body.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, UNSUPPORTED), "{body}");
    assert_eq!(jane.stored().await, before, "{body}");
}

on_both_databases!(
    async fn an_application_changes_only_the_attributes_that_it_may_change(server: Server) {
        let jane = jane(&server, &["name"], Some(&["name", "zoneinfo"])).await;
        for body in [
            json!({"nickname": "J"}),
            json!({"name": "J", "nickname": "J"}),
            json!({"nickname": ""}),
            json!({"nickname": null}),
            json!({"locale": "en"}),
            json!({"picture": ""}),
            json!({"email": "jane@example.com"}),
            json!({"phone_number": "13800138000", "phone_number_otp_token": "t", "phone_number_otp": "123456"}),
            json!({"phone_number_otp": "123456"}),
            json!({"hone_number_otp_token": "t"}),
            json!({"email_otp_token": "t", "name": "J"}),
        ] {
            refused(&jane, body).await;
        }
        for body in
            [json!({}), json!({"name": "Jane D."}), json!({"Name": "Jane Doe"}), json!({"zoneinfo": "Asia/Shanghai"})]
        {
            assert_eq!(jane.patch(body.to_string()).await.status, 200, "{body}");
        }
        assert_eq!(jane.stored().await.text(Field::DisplayName), Some("Jane Doe"));
    }
);

on_both_databases!(
    async fn an_address_is_changed_with_its_code_by_an_application_that_may_and_by_no_other(server: Server) {
        let other = jane(&server, &[], Some(&["phone_number"])).await;
        let proof = other.proof("email", "jane@example.com").await;
        refused(&other, AppUser::proved("email", "jane@example.com", &proof)).await;
        let account = other.account.clone();
        let client =
            server.client_with(Kind::Web, &[], |application| application.writes = owned(Some(&["email"]))).await;
        let may = AppUser::of(client, account).await;
        let answer = may.patch(AppUser::proved("email", "jane@example.com", &proof).to_string()).await;
        assert_eq!(answer.status, 200, "a refused change uses up no code: {answer}");
    }
);

on_both_databases!(
    async fn claims_decide_only_what_is_shown(server: Server) {
        let jane = jane(&server, &[], None).await;
        let answer = jane.patch(r#"{"nickname":"J"}"#).await;
        assert_eq!(answer.body, json!({"sub": jane.account.id.to_string()}).to_string());
        assert_eq!(jane.stored().await.text(Field::Nickname), Some("J"));
        let reader = self::jane(&server, &["name", "nickname"], Some(&[])).await;
        assert_eq!(reader.get().await.status, 200);
        refused(&reader, json!({"name": "J"})).await;
        assert_eq!(reader.patch("{}").await.status, 200);
    }
);

on_both_databases!(
    async fn a_change_of_what_an_application_may_change_applies_to_issued_tokens(server: Server) {
        let jane = jane(&server, &[], None).await;
        assert_eq!(jane.patch(r#"{"nickname":"J"}"#).await.status, 200);
        let mut application = jane.client.application.clone();
        application.writes = owned(Some(&["name"]));
        server.app.store().set_application(&application).await.unwrap();
        refused(&jane, json!({"nickname": "K"})).await;
    }
);

on_both_databases!(
    async fn an_attribute_of_the_tenant_is_changed_by_an_application_that_may(server: Server) {
        let schema = r#"{"type":"object","properties":{"badge":{"type":"string"},"desk":{"type":"string"}}}"#;
        server.app.store().set_attribute_schema(server.tenant.id, Some(schema), server.app.now()).await.unwrap();
        let jane = jane(&server, &[], Some(&["badge"])).await;
        assert_eq!(jane.patch(r#"{"badge":"7"}"#).await.status, 200);
        refused(&jane, json!({"badge": "8", "desk": "9"})).await;
        let unknown = jane.patch(r#"{"desk":"9","address":"x"}"#).await;
        assert!(unknown.body.contains("Unknown attribute(s) found."), "{unknown}");
    }
);

on_both_databases!(
    async fn an_application_from_before_may_change_all_attributes(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        let create = ["client", "create", "--tenant", "acme", "--name", "x", "--json"];
        assert_eq!(installation.json(&create)["writes"], Value::Null);
        let create = [create.as_slice(), &["--writes", "name,badge"]].concat();
        assert_eq!(installation.json(&create)["writes"], json!(["name", "badge"]));
    }
);
