//! The patterns of the documents accept what the server accepts.

use selfsame::account::{Email, is_blank};
use serde_json::{Value, json};

use super::Document;

/// Returns a validator of a contract's schema.
fn validator(contract: &str, schema: &str) -> jsonschema::Validator {
    let document = Document::of(contract);
    let schema = json!({"components": document.0["components"], "$ref": format!("#/components/schemas/{schema}")});
    jsonschema::draft202012::new(&schema).unwrap()
}

#[test]
fn the_schemas_of_names_require_a_character_that_is_visible() {
    let (rivergen, cl2c) = (validator("rivergen", "ProfileUpdate"), validator("cl2c", "UserUpdate"));
    let differ: Vec<char> = ('\0'..='\u{ffff}')
        .filter(|c| {
            let [display, first] =
                [json!({"display_name": c.to_string()}), json!({"firstName": c.to_string(), "lastName": "x"})];
            rivergen.is_valid(&display) == is_blank(&c.to_string()) || cl2c.is_valid(&first) == is_blank(&c.to_string())
        })
        .collect();
    assert!(differ.is_empty(), "{differ:?}");
    for (name, is_valid) in [("\u{2007}\u{9d}", false), ("\u{200b} x \u{200b}", true), ("", false), ("a\0", false)] {
        assert_eq!(rivergen.is_valid(&json!({"display_name": name})), is_valid, "{name:?}");
    }
    assert!(rivergen.is_valid(&json!({"display_name": null})));
}

#[test]
fn the_schema_of_an_address_accepts_what_can_be_an_address() {
    let validators = [
        (validator("rivergen", "EmailRequest"), "new_email"),
        (validator("ciam", "ClaimsUpdate"), "email"),
        (validator("ciam", "CodeWanted"), "email"),
    ];
    for address in [
        "jane@example.com",
        "j@e.co",
        "o'hara+tag@mail.example.org",
        "a.b.c@x-y.example",
        "1@2.example",
        "jöran@exämple.de",
        "用户@例子.广告",
        "jane",
        "jane@",
        "@example.com",
        "jane@example",
        "jane@@example.com",
        "ja ne@example.com",
        "jane@exa mple.com",
        "jane@-example.com",
        "jane@example-.com",
        "jane@example.com.",
        "jane@.example.com",
        ".jane@example.com",
        "jane.@example.com",
        "ja..ne@example.com",
        "\"jane\"@example.com",
        "jane@[127.0.0.1]",
        "jane@exam_ple.com",
        "jane(x)@example.com",
        "<jane@example.com>",
        "jane@example.com\n",
        "",
        "a\0@example.com",
    ] {
        for (validator, member) in &validators {
            let is_valid = validator.is_valid(&json!({*member: address}));
            assert_eq!(is_valid, Email(address).is_well_formed(), "{member}: {address:?}");
        }
    }
}

/// Generators of clients do not see the rules for lists; validators do.
#[test]
fn the_schema_of_a_profile_is_checked_at_any_depth() {
    let validator = validator("rivergen", "ProfileUpdate");
    let profile = |value: Value| json!({"profile": value});
    for value in [json!({}), json!({"a": null, "b": [1, {"c": ["x", true]}]}), Value::Null] {
        assert!(validator.is_valid(&profile(value.clone())), "{value}");
    }
    let long = "x".repeat(129);
    for value in [
        json!([]),
        json!({"": 1}),
        json!({"a": "\0"}),
        json!({"a": ["\0"]}),
        json!({"a": [[{"": 1}]]}),
        json!({"a": {long: 1}}),
    ] {
        assert!(!validator.is_valid(&profile(value.clone())), "{value}");
    }
}

#[test]
fn the_schema_of_a_request_for_a_code_requires_one_address() {
    let validator = validator("ciam", "CodeWanted");
    for (body, is_valid) in [
        (json!({"email": "jane@example.com"}), true),
        (json!({"email": "jane@example.com", "phone_number": null}), true),
        (json!({"phone_number": "13800138000"}), true),
        (json!({"phone_number": "13800138000", "email": null}), true),
        (json!({}), false),
        (json!({"email": null}), false),
        (json!({"phone_number": null, "email": null}), false),
        (json!({"phone_number": "13800138000", "email": "jane@example.com"}), false),
        (json!({"phone_number": "12800138000"}), false),
    ] {
        assert_eq!(validator.is_valid(&body), is_valid, "{body}");
    }
}

#[test]
fn the_schema_of_a_change_of_claims_knows_language_tags_and_what_belongs_together() {
    let validator = validator("ciam", "ClaimsUpdate");
    for tag in ["", "en", "zh-CN", "zh_Hant_TW", "de-CH-1901", "sl-rozaj-biske", "en-a-bbb-x-y", "x-private", "es-419"]
    {
        assert!(validator.is_valid(&json!({"locale": tag})), "{tag}");
    }
    for tag in ["e", "en-", "-en", "en--GB", "zh Hant", "en-a", "englishlang", "en-GB\0"] {
        assert!(!validator.is_valid(&json!({"locale": tag})), "{tag}");
    }
    assert!(!validator.is_valid(&json!({"email_otp": "123456"})));
    assert!(validator.is_valid(&json!({"email_otp": "123456", "email": "jane@example.com"})));
}
