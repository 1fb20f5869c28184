//! A picture that was removed or replaced is not shown from the change on, and can be shown again while its file is kept.

use selfsame::account::Edit;
use serde_json::{Value, json};

use super::*;
use crate::support::Person;

/// A person with a stored picture of this name.
async fn pictured(server: &Server) -> (Person<'_>, String) {
    let person = Person::new(server, Patch::default()).await;
    let answer = put(&person, PIXEL).await;
    let address = answer.as_str().unwrap();
    (person, address.rsplit_once('/').unwrap().1.to_owned())
}

/// Changes the picture through RiverGen, and returns what the answer shows.
async fn put(person: &Person<'_>, picture: &str) -> Value {
    let answer = person.river("PUT", "/api/v1/auth/me/profile", Some(json!({ "profile_image_url": picture }))).await;
    assert_eq!(answer.status, 200, "{answer}");
    answer.json()["data"]["profile_image_url"].clone()
}

/// Asserts that a picture is not found under any condition, though its file is kept.
async fn assert_gone(server: &Server, name: &str) {
    for headers in [&[][..], &[("If-None-Match", "*")], &[("If-None-Match", &*format!("\"{name}\""))]] {
        assert_eq!(fetch(server, name, headers).await.status(), 404, "{headers:?}");
    }
    assert!(is_kept(server, name).await);
    assert_eq!(in_state(server, PictureState::Replaced).await, [name]);
}

on_both_databases!(
    async fn an_empty_text_removes_the_picture_in_rivergen(server: Server) {
        let (person, name) = pictured(&server).await;
        assert!(is_served(&server, &name).await);
        assert_eq!(put(&person, "").await, Value::Null);
        assert_gone(&server, &name).await;
        let removed = server.account(&person.account).await;
        assert_eq!(put(&person, "").await, Value::Null);
        assert_eq!(server.account(&person.account).await, removed);
        // An address on another server, too.
        put(&person, "https://example.com/a.png").await;
        assert_eq!(put(&person, "").await, Value::Null);
    }
);

on_both_databases!(
    async fn an_empty_text_removes_the_picture_in_ciam_and_nothing_else_changes_it(server: Server) {
        let (person, name) = pictured(&server).await;
        let shown = person.ciam("GET", None).await.json()["picture"].clone();
        for refused in [Value::Null, json!(0), json!(" "), json!([]), json!("https://example.com/a.png"), shown] {
            let answer = person.ciam("PATCH", Some(json!({ "nickname": "J", "picture": refused }))).await;
            assert_eq!(answer.status, 400, "{answer}");
            assert!(answer.body.contains("Unsupported user attribute(s) found."), "{answer}");
        }
        assert!(is_served(&server, &name).await);
        let answer = person.ciam("PATCH", Some(json!({ "nickname": "J", "picture": "" }))).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!((&answer.json()["picture"], &answer.json()["nickname"]), (&Value::Null, &json!("J")));
        assert_gone(&server, &name).await;
        assert_eq!(person.ciam("PATCH", Some(json!({ "picture": "" }))).await.status, 200);
    }
);

on_both_databases!(
    async fn a_replaced_picture_is_not_found_until_it_is_shown_again(server: Server) {
        let (person, name) = pictured(&server).await;
        put(&person, "https://example.com/a.png").await;
        assert_gone(&server, &name).await;
        server.operate(&person.account, showing(&name)).await;
        assert!(is_served(&server, &name).await);
        assert_eq!(fetch(&server, &name, &[("If-None-Match", "*")]).await.status(), 304);
    }
);

on_both_databases!(
    async fn a_picture_that_an_operator_removes_is_not_found(server: Server) {
        let (person, name) = pictured(&server).await;
        let mut patch = Patch::default();
        patch.edit(Field::Picture, Edit::Clear);
        server.operate(&person.account, patch).await;
        assert_gone(&server, &name).await;
    }
);

on_both_databases!(
    async fn a_picture_whose_change_is_not_committed_is_not_found(server: Server) {
        let name = upload(&server, PIXEL).await;
        assert!(!is_served(&server, &name).await);
        assert!(is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_picture_that_two_accounts_show_is_found_until_neither_does(server: Server) {
        let (person, name) = pictured(&server).await;
        // As an earlier version stored a picture that it copied from a claim.
        let other = server.person(&[]).await;
        let of_other = show(&server, &other).await;
        let row = format!("UPDATE stored_picture SET name = '{name}' WHERE name = '{of_other}'");
        server.database().execute(&row).await;
        put(&person, "").await;
        assert!(is_served(&server, &name).await);
        server.database().execute("UPDATE stored_picture SET state = 'replaced'").await;
        assert!(!is_served(&server, &name).await);
    }
);
