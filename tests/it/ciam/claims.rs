//! The claims that an application reads about a person.

use selfsame::account::{Edit, Field, Kind, Patch, Text};

use super::{ALL, AppUser, USERINFO, without_address};
use crate::support::{Server, patch};

/// A patch that sets every field.
fn everything() -> Patch {
    let mut patch = patch(&[
        (Field::DisplayName, "Jane"),
        (Field::GivenName, "Jane"),
        (Field::Nickname, "J"),
        (Field::Username, "jane_1"),
        (Field::Email, "jane@example.com"),
        (Field::Phone, "+8613800138000"),
        (Field::Language, "zh-CN"),
        (Field::TimeZone, "Asia/Shanghai"),
        (Field::Country, "CN"),
        (Field::Picture, "https://example.com/jane.png"),
        (Field::Attributes, r#"{"secret":"of others"}"#),
    ]);
    (patch.email_verified, patch.phone_verified) = (Some(true), Some(true));
    patch
}

on_both_databases!(
    async fn claims_are_in_a_fixed_order_and_limited_to_those_that_the_application_may_read(server: Server) {
        let jane = AppUser::with(&server, everything(), &ALL).await;
        let sub = jane.account.id.to_string();
        insta::assert_snapshot!(jane.get().await.to_string().replace(&sub, "SUB"), @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"sub":"SUB","email":"jane@example.com","name":"Jane","nickname":"J","zoneinfo":"Asia/Shanghai","locale":"zh-CN","phone_number":"13800138000","email_verified":true,"phone_number_verified":true,"username":"jane_1","picture":"https://example.com/jane.png"}
        "#);
        let few = AppUser::of(server.client(Kind::Spa, &["name", "phone_number"]).await, jane.account.clone()).await;
        insta::assert_snapshot!(few.get().await.body.replace(&sub, "SUB"), @r#"{"sub":"SUB","name":"Jane","phone_number":"13800138000"}"#);
        let none = AppUser::of(server.client(Kind::Mobile, &[]).await, jane.account.clone()).await;
        insta::assert_snapshot!(none.get().await.body.replace(&sub, "SUB"), @r#"{"sub":"SUB"}"#);
    }
);

on_both_databases!(
    async fn a_post_returns_the_same_claims_as_a_get(server: Server) {
        let jane = AppUser::with(&server, everything(), &ALL).await;
        let read = jane.get().await;
        assert_eq!(jane.request("POST").send().await.to_string(), read.to_string());
        let form = jane.request("POST").header("Content-Type", "application/x-www-form-urlencoded").body("a=b");
        assert_eq!(form.send().await.to_string(), read.to_string());
    }
);

on_both_databases!(
    async fn missing_and_malformed_values_are_left_out(server: Server) {
        let jane = AppUser::with(&server, Patch::default(), &ALL).await;
        let nothing = format!(r#"{{"sub":"{}"}}"#, jane.account.id);
        assert_eq!(jane.get().await.body, nothing);
        let odd = patch(&[
            (Field::Email, "jane@example.com"),
            (Field::Phone, "+8613800138000"),
            (Field::Language, "x"),
            (Field::TimeZone, "Mars/Olympus"),
            (Field::Username, "jane doe"),
        ]);
        server.operate(&jane.account, odd).await;
        // Unverified addresses are left out, too.
        assert_eq!(jane.get().await.body, nothing);
    }
);

on_both_databases!(
    async fn numbers_of_the_mainland_are_shown_in_eleven_digits_and_others_unchanged(server: Server) {
        let jane = AppUser::with(&server, Patch::default(), &["phone_number"]).await;
        for (stored, shown) in [
            ("+8613800138000", "13800138000"),
            ("+86 138-0013-8000", "13800138000"),
            ("+862112345678", "+862112345678"),
            ("+1987654321", "+1987654321"),
        ] {
            let mut patch = patch(&[(Field::Phone, stored)]);
            patch.phone_verified = Some(true);
            server.operate(&jane.account, patch).await;
            assert_eq!(jane.get().await.json()["phone_number"], shown, "{stored}");
        }
    }
);

on_both_databases!(
    async fn a_stored_picture_is_shown_below_the_servers_own_address(server: Server) {
        let mut patch = Patch::default();
        patch.edit(Field::Picture, Edit::Set(Text::new("stored:abababababababababababababababab.png:abc").unwrap()));
        let jane = AppUser::with(&server, patch, &["picture"]).await;
        let shown = without_address(&server, &jane.get().await).replace(&jane.account.id.to_string(), "SUB");
        insta::assert_snapshot!(shown, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"sub":"SUB","picture":"URL/pictures/abababababababababababababababab.png"}
        "#);
    }
);

on_both_databases!(
    async fn claims_change_for_tokens_that_were_issued_before(server: Server) {
        let mut jane = AppUser::with(&server, everything(), &["name"]).await;
        jane.client.application.claims = vec!["nickname".to_owned()];
        server.app.store().set_application(&jane.client.application).await.unwrap();
        assert_eq!(jane.get().await.json(), serde_json::json!({"sub": jane.account.id.to_string(), "nickname": "J"}));
    }
);

on_both_databases!(
    async fn deleting_an_application_ends_its_tokens(server: Server) {
        let jane = AppUser::new(&server).await;
        assert!(server.app.store().delete_application(&jane.client.application.id).await.unwrap());
        let answer = server.request("GET", USERINFO).bearer(&jane.token).send().await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, ""));
        assert_eq!(server.request("GET", "/me/schema").bearer(&jane.token).send().await.status, 401);
    }
);
