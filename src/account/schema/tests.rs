use super::*;

/// Names that a contract uses.
const RESERVED: [&str; 3] = ["email", "Name", "sub"];

fn object(text: &str) -> Object {
    json::parse(text.as_bytes()).unwrap().into_object().unwrap()
}

fn compiled(text: &str) -> Schema {
    Schema::compile(text, &RESERVED).unwrap_or_else(|refused| panic!("{text}: {refused}"))
}

fn refusal(text: &str) -> String {
    match Schema::compile(text, &RESERVED) {
        Ok(_) => panic!("{text} was taken"),
        Err(refused) => refused.to_string(),
    }
}

/// The places where attributes do not match.
fn places(schema: &str, attributes: &str) -> Vec<String> {
    compiled(schema).faults(&object(attributes)).into_iter().map(|fault| fault.field.into_owned()).collect()
}

fn checked(schema: &str, before: &str, after: &str, by_owner: bool) -> Vec<(String, Rule)> {
    let rules = Rules::Schema(Arc::new(compiled(schema)));
    match rules.check(&object(before), &object(after), by_owner) {
        Ok(()) => Vec::new(),
        Err(Error::Attributes(faults)) => {
            faults.into_iter().map(|fault| (fault.field.into_owned(), fault.rule)).collect()
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn each_invalid_place_is_reported_once() {
    let schema = r#"{"type":"object","required":["b"],"properties":{
        "a/b":{"type":"string","minLength":3,"pattern":"^x"},"list":{"items":{"type":"integer"}}}}"#;
    assert_eq!(places(schema, r#"{"b":1,"a/b":"xyz","list":[1]}"#), Vec::<String>::new());
    assert_eq!(places(schema, r#"{"a/b":"y","list":[1,"2",3.5,4.0]}"#), ["", "/a~1b", "/list/1", "/list/2"]);
}

#[test]
fn four_formats_are_asserted_and_others_are_annotations() {
    for (format, good, bad) in [
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T01:02:03Z", "2026-02-28 01:02"),
        ("email", "jane@example.com", "jane"),
        ("uri", "https://example.com/a", "example"),
    ] {
        let schema = format!(r#"{{"properties":{{"a":{{"type":"string","format":"{format}"}}}}}}"#);
        assert_eq!(places(&schema, &format!(r#"{{"a":"{good}"}}"#)), Vec::<String>::new(), "{format}");
        assert_eq!(places(&schema, &format!(r#"{{"a":"{bad}"}}"#)), ["/a"], "{format}");
    }
    for format in ["time", "hostname", "ipv4", "uuid", "regex", "color"] {
        let schema = format!(r#"{{"properties":{{"a":{{"format":"{format}"}}}}}}"#);
        assert_eq!(places(&schema, r#"{"a":"("}"#), Vec::<String>::new(), "{format}");
    }
    // Here `format` is first the name of a property, then a member of a value: neither is the keyword.
    let schema = r#"{"properties":{"format":{"type":"string"},"a":{"enum":[{"format":"time"}]}}}"#;
    assert_eq!(places(schema, r#"{"format":1,"a":{"format":"time"}}"#), ["/format"]);
}

#[test]
fn patterns_are_fast_and_have_no_look_around_or_back_references() {
    let slow = r#"{"properties":{"a":{"pattern":"^(a+)+$"}}}"#;
    assert_eq!(places(slow, &format!(r#"{{"a":"{}!"}}"#, "a".repeat(50_000))), ["/a"]);
    for pattern in ["^(?=a)", "^(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\\1"] {
        let schema = format!(r#"{{"properties":{{"a":{{"pattern":"{pattern}"}}}}}}"#);
        insta::allow_duplicates! { insta::assert_snapshot!(refusal(&schema).split(':').next().unwrap(), @"at /properties/a/pattern"); }
        let schema = format!(r#"{{"patternProperties":{{"{pattern}":true}}}}"#);
        assert!(Schema::compile(&schema, &RESERVED).is_err(), "{pattern}");
    }
    assert!(refusal(r#"{"properties":{"a":{"pattern":"(\\w{100}){1000}"}}}"#).contains("/properties/a/pattern"));
    let name = r#"{"properties":{"a":{"pattern":"^[\\p{L} ]{1,20}$"}}}"#;
    assert_eq!(places(name, r#"{"a":"Zoë 李"}"#), Vec::<String>::new());
    assert_eq!(places(name, r#"{"a":"Zoë 1"}"#), ["/a"]);
}

#[test]
fn an_invalid_schema_is_refused_with_its_place() {
    let deep = |levels: usize| format!("{}{{}}{}", r#"{"items":"#.repeat(levels), "}".repeat(levels));
    let large = format!(r#"{{"title":"{}"}}"#, "x".repeat(MAX_BYTES));
    let links: Vec<String> = (0..1500).map(|link| format!(r##""{link}":{{"$ref":"#/$defs/{}"}}"##, link + 1)).collect();
    let long = format!(r#"{{"$defs":{{{},"1500":{{}}}}}}"#, links.join(","));
    let refusals = [
        "",
        "{",
        "[]",
        "true",
        r#"{"a":1,"a":2}"#,
        r#"{"type":"text"}"#,
        r#"{"properties":[]}"#,
        r#"{"properties":{"a":{"minLength":-1}}}"#,
        r#"{"type":"string"}"#,
        r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#,
        r#"{"properties":{"a":{"$ref":"https://example.com/a"}}}"#,
        r#"{"properties":{"a":{"$ref":"other.json#/a"}}}"#,
        r##"{"properties":{"a":{"$ref":"#a"}}}"##,
        r##"{"properties":{"a":{"$ref":"#/$defs/a"}}}"##,
        r##"{"properties":{"a":{"$ref":"#/x-other"}},"x-other":{}}"##,
        r#"{"$defs":{"a":{"$anchor":"a"}}}"#,
        r#"{"$defs":{"a":{"$id":"a"}}}"#,
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[true,{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}"##,
        r#"{"properties":{"email":{"type":"string"}}}"#,
        r#"{"properties":{"Name":true}}"#,
        r#"{"readOnly":true}"#,
        r#"{"properties":{"a":{"properties":{"b":{"readOnly":true}}}}}"#,
        r#"{"properties":{"a":{"items":{"writeOnly":true}}}}"#,
        r#"{"additionalProperties":{"writeOnly":true}}"#,
        r#"{"allOf":[{"properties":{"a":{"readOnly":true}}}]}"#,
        r##"{"properties":{"a":{"$ref":"#/$defs/a"},"b":{"items":{"$ref":"#/$defs/a"}}},"$defs":{"a":{"readOnly":true}}}"##,
        &format!(r#"{{"anyOf":[{}]}}"#, [r#"{"pattern":"a"}"#; 65].join(",")),
        &format!(r#"{{"anyOf":[{}]}}"#, ["{}"; 1000].join(",")),
        &long,
        &deep(70),
        &large,
    ]
    .map(refusal);
    insta::assert_snapshot!(refusals.join("\n"), @r##"
    malformed JSON at byte 0: the text ends before the value does
    malformed JSON at byte 1: the text ends before the value does
    expected a JSON object, found: array
    expected a JSON object, found: boolean
    malformed JSON at byte 12: a key may come only once in an object
    attributes are an object: "type" at the top must be "object"
    at /properties: [] is not of type "object"
    at /properties/a/minLength: -1 is less than the minimum of 0
    attributes are an object: "type" at the top must be "object"
    at the top: $schema is "http://json-schema.org/draft-07/schema#"; only "https://json-schema.org/draft/2020-12/schema" is supported
    at /properties/a: $ref "https://example.com/a" is not a JSON Pointer within this document; copy the schema into $defs and refer to it by "#/$defs/NAME"
    at /properties/a: $ref "other.json#/a" is not a JSON Pointer within this document; copy the schema into $defs and refer to it by "#/$defs/NAME"
    at /properties/a: $ref "#a" is not a JSON Pointer within this document; copy the schema into $defs and refer to it by "#/$defs/NAME"
    at /properties/a: $ref "#/$defs/a" names no schema of this document
    at /properties/a: $ref "#/x-other" names no schema of this document
    at /$defs/a: $anchor is not supported; refer to a schema by "$ref": "#/$defs/NAME"
    at /$defs/a: $id is allowed only at the top level
    at the top: the references form a cycle that never descends into the value; remove one of them
    at /$defs/a: the references form a cycle that never descends into the value; remove one of them
    property "email" has a name that contracts use themselves; rename it
    property "Name" has a name that contracts use themselves; rename it
    at the top: readOnly has an effect only on a top-level property; remove it here
    at /properties/a/properties/b: readOnly has an effect only on a top-level property; remove it here
    at /properties/a/items: writeOnly has an effect only on a top-level property; remove it here
    at /additionalProperties: writeOnly has an effect only on a top-level property; remove it here
    at /allOf/0/properties/a: readOnly has an effect only on a top-level property; remove it here
    at /properties/b/items: readOnly has an effect only on a top-level property; remove it here
    more than 64 patterns; simplify the schema
    at the top: more than 32 nested schemas, or 1000 in total, apply to the same value; simplify the schema
    at /$defs/32: more than 32 nested schemas, or 1000 in total, apply to the same value; simplify the schema
    malformed JSON at byte 576: at most 64 arrays and objects may be nested
    larger than 65536 bytes; shorten it
    "##);
}

#[test]
fn read_only_and_write_only_apply_through_local_references() {
    let schema = compiled(
        r##"{"$ref":"#/$defs/person","$defs":{
            "person":{"type":"object","properties":{
                "plan":{"$ref":"#/$defs/plan"},"secret":{"$ref":"#/$defs/secret"},
                "readOnly":{"type":"boolean"},"born":{"type":["string","null"],"format":"date"}}},
            "plan":{"$ref":"#/$defs/mark","enum":["gold",{"readOnly":true}]},
            "mark":{"type":"string","readOnly":true},
            "secret":{"writeOnly":true,"default":{"writeOnly":true}}}}"##,
    );
    let properties: Vec<String> = schema.properties().map(|(name, property)| format!("{name}: {property:?}")).collect();
    insta::assert_snapshot!(properties.join("\n"), @r#"
    born: Property { types: ["string", "null"], format: Some("date"), read_only: false, write_only: false }
    plan: Property { types: ["string"], format: None, read_only: true, write_only: false }
    readOnly: Property { types: ["boolean"], format: None, read_only: false, write_only: false }
    secret: Property { types: [], format: None, read_only: false, write_only: true }
    "#);
}

#[test]
fn read_only_attributes_cannot_be_changed_by_the_owner() {
    let schema = r#"{"properties":{"plan":{"readOnly":true,"type":"string"}}}"#;
    let gold = r#"{"plan":"gold","a":1}"#;
    assert_eq!(checked(schema, gold, r#"{"plan":"gold","a":2}"#, true), []);
    for after in [r#"{"plan":"free","a":1}"#, r#"{"a":1}"#, r#"{"plan":7}"#] {
        assert_eq!(checked(schema, gold, after, true), [("/plan".to_owned(), Rule::ReadOnly)], "{after}");
    }
    assert_eq!(checked(schema, gold, r#"{"plan":"free"}"#, false), []);
    assert_eq!(checked(schema, gold, r#"{"plan":7}"#, false), [("/plan".to_owned(), Rule::Schema)]);
}

#[test]
fn write_only_attributes_are_not_shown() {
    let rules = Rules::Schema(Arc::new(compiled(r#"{"properties":{"secret":{"writeOnly":true}}}"#)));
    let attributes = r#"{"z":1.0,"secret":"x","a":{"secret":2}}"#;
    assert_eq!(rules.shown(&object(attributes)).to_string(), r#"{"z":1.0,"a":{"secret":2}}"#);
    assert_eq!(Rules::Free.shown(&object(attributes)).to_string(), attributes);
}

#[test]
fn a_schema_may_be_recursive_if_it_descends_into_the_value() {
    let tree = r##"{"properties":{"children":{"items":{"$ref":"#"}},"leaf":{"type":"string"}}}"##;
    assert_eq!(places(tree, r#"{"children":[{"children":[{"leaf":1}]}]}"#), ["/children/0/children/0/leaf"]);
}

/// The longest chains at every level of the deepest attributes, on a stack of 2 MiB, which the server's threads have.
#[test]
fn validating_the_deepest_attributes_against_the_longest_reference_chain_does_not_overflow_the_stack() {
    for (link, applied) in [
        (r#"{"allOf":[NEXT]}"#, 2),
        (r#"{"anyOf":[NEXT,false]}"#, 2),
        (r#"{"oneOf":[false,NEXT]}"#, 2),
        (r#"{"not":{"not":NEXT}}"#, 3),
        (r#"{"if":true,"then":NEXT}"#, 2),
        (r#"{"if":NEXT,"else":false}"#, 2),
        (r#"{"dependentSchemas":{"a":NEXT}}"#, 2),
    ] {
        let mut schema = format!(r##"{{"$ref":"#/$defs/0","$defs":{{"{}":{LAST}"##, 30 / applied - 1);
        for number in 0..30 / applied - 1 {
            let next = format!(r##"{{"$ref":"#/$defs/{}"}}"##, number + 1);
            schema += &format!(r#","{number}":{}"#, link.replace("NEXT", &next));
        }
        schema += "}}";
        const LAST: &str = r##"{"properties":{"a":{"$ref":"#"},"b":{"type":"string"}},"unevaluatedProperties":false}"##;
        let deepest = |value| format!("{}{{\"a\":{{}},\"b\":{value}}}{}", r#"{"a":"#.repeat(15), "}".repeat(15));
        let found = std::thread::Builder::new().stack_size(2 << 20).spawn({
            let (schema, good, bad) = (schema.clone(), deepest("\"x\""), deepest("7"));
            move || (places(&schema, &good), places(&schema, &bad))
        });
        let (good, bad) = found.unwrap().join().unwrap();
        assert_eq!(good, Vec::<String>::new(), "{link}");
        assert!(!bad.is_empty(), "{link}");
    }
}

#[test]
fn the_number_of_faults_is_bounded() {
    let attributes = format!(r#"{{"a":[{}0]}}"#, "0,".repeat(20_000));
    assert_eq!(places(r#"{"properties":{"a":{"items":false}}}"#, &attributes).len(), MAX_FAULTS);
}
