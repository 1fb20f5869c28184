//! The examples in the vendor's published documentation, byte for byte.

use selfsame::account::{Field, Kind};
use strum::VariantArray as _;

use super::AppUser;
use crate::support::{Server, patch};

/// The published sample request, as it is printed.
const REQUEST: &str = "{\n\"nickname\" : \"MOCK_NICKNAME\"\n}";

on_both_databases!(
    async fn the_sample_request_is_answered_with_the_sample_response(server: Server) {
        let mut patch = patch(&[
            (Field::Email, "MOCK_USERNAME@example.com"),
            (Field::DisplayName, "MOCK_NAME"),
            (Field::TimeZone, "Asia/Shanghai"),
            (Field::Language, "zh-CN"),
            (Field::Username, "MOCK_USERNAME"),
        ]);
        patch.email_verified = Some(true);
        let jane = AppUser::with(&server, patch, &["email", "name", "nickname", "zoneinfo", "locale"]).await;
        let answer = jane.patch(REQUEST).await;
        let shown = answer.to_string().replace(&jane.account.id.to_string(), "MOCK_USER_ID");
        insta::assert_snapshot!(shown, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"sub":"MOCK_USER_ID","email":"MOCK_USERNAME@example.com","name":"MOCK_NAME","nickname":"MOCK_NICKNAME","zoneinfo":"Asia/Shanghai","locale":"zh-CN"}
        "#);
        assert_eq!(jane.get().await.body, answer.body);
    }
);

on_both_databases!(
    async fn applications_of_every_kind_change_their_people(server: Server) {
        for kind in Kind::VARIANTS {
            let account = server.person(&[(Field::DisplayName, "Jane")]).await;
            let jane = AppUser::of(server.client(*kind, &["nickname"]).await, account).await;
            let answer = jane.patch(REQUEST).await;
            let expected = format!(r#"{{"sub":"{}","nickname":"MOCK_NICKNAME"}}"#, jane.account.id);
            assert_eq!((answer.status.as_u16(), answer.body), (200, expected), "{kind:?}");
        }
    }
);
