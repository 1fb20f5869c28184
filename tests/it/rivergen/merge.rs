//! How profiles are merged.

use selfsame::account::Field;

use super::{Jane, PROFILE, between, faults};
use crate::support::Server;

on_both_databases!(
    async fn objects_merge_member_by_member_and_everything_else_replaces(server: Server) {
        let jane = Jane::of(&server, server.person(&[(Field::Attributes, r#"{"a":1}"#)]).await).await;
        for (merge_patch, whole) in [
            (r#"{"b":"new"}"#, r#"{"a":1,"b":"new"}"#),
            (r#"{"a":"replaced"}"#, r#"{"a":"replaced","b":"new"}"#),
            (r#"{"c":{"d":1,"e":2}}"#, r#"{"a":"replaced","b":"new","c":{"d":1,"e":2}}"#),
            (r#"{"c":{"e":3}}"#, r#"{"a":"replaced","b":"new","c":{"d":1,"e":3}}"#),
            (r#"{"b":[1,{"x":null}]}"#, r#"{"a":"replaced","b":[1,{"x":null}],"c":{"d":1,"e":3}}"#),
            (r#"{"b":[2]}"#, r#"{"a":"replaced","b":[2],"c":{"d":1,"e":3}}"#),
            (r#"{"a":{"f":{"g":true}}}"#, r#"{"a":{"f":{"g":true}},"b":[2],"c":{"d":1,"e":3}}"#),
            (r#"{"c":""}"#, r#"{"a":{"f":{"g":true}},"b":[2],"c":""}"#),
            (r#"{"a":{"f":{"g":null}}}"#, r#"{"a":{"f":{}},"b":[2],"c":""}"#),
            (r#"{"b":null,"none":null}"#, r#"{"a":{"f":{}},"c":""}"#),
            (r#"{"h":{"i":null,"j":1}}"#, r#"{"a":{"f":{}},"c":"","h":{"j":1}}"#),
            (r#"{"a":null,"c":null,"h":null}"#, "{}"),
        ] {
            assert_eq!(jane.merge(merge_patch).await, whole, "{merge_patch}");
        }
    }
);

on_both_databases!(
    async fn numbers_are_stored_exactly_as_they_were_sent(server: Server) {
        let jane = Jane::unknown(&server).await;
        let numbers = r#"{"a":9007199254740993,"b":-0,"c":1.0,"d":1e2,"e":1E+2,"f":0.1000,"g":123456789012345678901234567890,"h":1e-400}"#;
        assert_eq!(jane.merge(numbers).await, numbers);
    }
);

on_both_databases!(
    async fn no_member_name_has_a_special_meaning(server: Server) {
        let jane = Jane::unknown(&server).await;
        let names = r#"{"__proto__":{"is_admin":true},"constructor":1,"profile":{"x":1},"a/b~c":2,"名":"前","\"\\":3}"#;
        assert_eq!(jane.merge(names).await, names);
        let longest = format!(r#"{{"{}":1}}"#, "\u{1F600}".repeat(128));
        assert_eq!(jane.put(format!(r#"{{"profile":{longest}}}"#)).await.status, 200);
    }
);

on_both_databases!(
    async fn an_invalid_profile_is_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let long = format!(r#"{{"{}":1}}"#, "k".repeat(129));
        let keys = "keys must be 1 to 128 characters";
        let control = "must not contain control characters";
        for (merge_patch, field, reason) in [
            ("[]", "profile", "must be an object"),
            (r#""text""#, "profile", "must be an object"),
            ("7", "profile", "must be an object"),
            ("true", "profile", "must be an object"),
            (&*nested(17), "profile", "nesting too deep"),
            (r#"{"":1}"#, "profile", keys),
            (&*long, "profile", keys),
            (r#"{"a":{"":1}}"#, "profile/a", keys),
            (r#"{"a":1e400}"#, "profile/a", "number out of range"),
            (r#"{"a":[0,{"b/c":-1e999}]}"#, "profile/a/1/b~1c", "number out of range"),
            (r#"{"a":{"b":"\u0000"}}"#, "profile/a/b", control),
            (r#"{"\u0000":1}"#, "profile", control),
        ] {
            let answer = jane.put(format!(r#"{{"display_name":"Jo","profile":{merge_patch}}}"#)).await;
            assert_eq!(answer.status, 422, "{merge_patch}: {answer}");
            assert_eq!(faults(&answer), [(field.to_owned(), reason.to_owned())], "{merge_patch}");
            assert_eq!(jane.stored().await, before, "{merge_patch}");
        }
        assert_eq!(jane.put(format!(r#"{{"profile":{}}}"#, nested(16))).await.status, 200);
    }
);

on_both_databases!(
    async fn a_profile_has_at_most_64_kib_after_the_merge(server: Server) {
        let jane = Jane::unknown(&server).await;
        // {"a":"…"} is 8 bytes longer than the text.
        let filled = |bytes: usize| format!(r#"{{"profile":{{"a":"{}"}}}}"#, "x".repeat(bytes - 8));
        assert_eq!(jane.put(filled(64 * 1024)).await.status, 200);
        let before = jane.stored().await;
        let answer = jane.put(r#"{"display_name":"Jo","profile":{"b":1}}"#).await;
        insta::assert_snapshot!(answer, @r#"
        400 Bad Request
        content-type: application/json

        {"success":false,"error":{"code":"PROFILE_UPDATE_FAILED","message":"Profile update failed","details":{"field":"profile","reason":"profile too large"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Profile update failed"}
        "#);
        assert_eq!(jane.put(filled(64 * 1024 + 1)).await.status, 400);
        assert_eq!(jane.stored().await, before);
        assert_eq!(jane.merge(r#"{"a":null,"b":1}"#).await, r#"{"b":1}"#);
    }
);

on_both_databases!(
    async fn the_number_of_members_is_limited_only_by_the_size(server: Server) {
        let jane = Jane::unknown(&server).await;
        let members = |count: usize, value: &str| {
            let members: Vec<String> = (0..count).map(|number| format!(r#""{number}":{value}"#)).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(jane.put(format!(r#"{{"profile":{}}}"#, members(10_000, "0"))).await.status, 400);
        let many = members(6_000, "0");
        assert_eq!(jane.merge(&many).await, many);
        assert_eq!(jane.merge(&members(10_000, "null")).await, "{}");
    }
);

on_both_databases!(
    async fn a_hundred_concurrent_merges_of_different_members_are_all_kept(server: Server) {
        let jane = Jane::unknown(&server).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..100 {
            let request = jane.request("PUT", PROFILE);
            tasks.spawn(request.json(format!(r#"{{"profile":{{"k{number}":{number}}}}}"#)).send());
        }
        while let Some(answer) = tasks.join_next().await {
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{answer}");
        }
        let profile = between(&jane.get().await.body, r#""profile":"#, r#","user_metadata":"#);
        let profile: std::collections::BTreeMap<String, i64> = serde_json::from_str(&profile).unwrap();
        let all = (0..100).map(|number| (format!("k{number}"), number)).collect();
        assert_eq!(profile, all);
        assert_eq!(jane.stored().await.version, 101);
    }
);
