//! Values as keyboards, systems and libraries write them.

use selfsame::account::Patch;
use serde_json::json;

use crate::rivergen::Jane;
use crate::support::{Person, Server, Side};

on_both_databases!(
    async fn a_language_is_understood_as_systems_name_it(server: Server) {
        for (header, expected) in [
            ("yue-HK", "zh-Hant"),
            ("cmn-Hant-TW", "zh-Hant"),
            ("zh_TW", "zh-Hant"),
            ("ja;q=.9", "ja"),
            ("fr, vi;q=high", "vi"),
        ] {
            let answer = server.request("GET", "/web/v1/system/profile").header("Accept-Language", header).send().await;
            assert_eq!(answer.header("content-language"), expected, "{header}");
        }
    }
);

on_both_databases!(
    async fn a_name_of_characters_that_show_nothing_is_blank(server: Server) {
        let jane = Jane::new(&server).await;
        for blank in ["\u{200b}", "\u{feff}\u{2060}", " \u{ad} ", "\u{2800}\u{3164}"] {
            let answer = jane.put(json!({ "display_name": blank }).to_string()).await;
            assert_eq!(answer.status, 422, "{blank:?}: {answer}");
            assert_eq!(answer.json()["error"]["details"]["reason"], "must not be blank");
        }
        let person = Person::new(&server, Patch::default()).await;
        let answer = person.send(Side::Cl2c, json!({"firstName": "\u{200b}", "lastName": "Roe"})).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["errors"]),
            (400, &json!({"firstName": ["First name is required"]}))
        );
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        assert_eq!(jane.put(json!({ "display_name": family }).to_string()).await.status, 200);
    }
);
