//! The project's language: names use the terms of the standards, comments and documents plain English.

use super::{Source, all, has_word, is_code, refuse, sources};

/// Names that meant several things, or nothing to a reader of the standards; ARCHITECTURE.md has the ones that replaced them.
const REPLACED_NAMES: &str = "Arrival arrival arrive Asked Attempt Bound Carrier carrier Challenge Channel Found held hold \
    Holder holder Holding holding holdings holds mark moving Occasion occasion Offered Place rehearse said say Sent Signed \
    SignedIn speak Speaker Tried Voice voice Wanted Way way Wish wish Wished worded";

/// Words that only make a sentence longer, or a reader guess who acts; each has a plainer one.
const REPLACED_WORDS: [&str; 13] = [
    "nobody", "somebody", "whoever", "wish", "wishes", "wished", "says", "said", "tells", "told", "anew", "ours",
    "rehearse",
];

/// The same, of several words. They are not looked for in names.
const REPLACED_TURNS: [&str; 5] = ["passed over", "look after", "looks after", "as good as", "by our fault"];

#[test]
fn no_type_module_or_function_has_a_replaced_name() {
    refuse(&all(["src", "tests", "bench"]), "a name is a term of the standards", |source, line| {
        is_rust(source)
            && is_code(line)
            && defined(line).is_some_and(|name| REPLACED_NAMES.split_whitespace().any(|old| old == name))
    });
}

#[test]
fn no_test_is_named_with_a_replaced_word() {
    refuse(&all(["src", "tests"]), "a test is named in plain English", |source, line| {
        let name = defined(line).filter(|_| is_rust(source) && is_code(line)).unwrap_or_default();
        name.split('_').any(|word| REPLACED_WORDS.contains(&word))
    });
}

#[test]
fn comments_and_documents_are_in_plain_english() {
    let documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs"];
    let documents: Vec<Source> = all(documents).into_iter().filter(|source| source.path.ends_with(".md")).collect();
    let prose = documents.into_iter().map(without_code_blocks).chain(sources("bench/README.md"));
    refuse(&prose.collect::<Vec<_>>(), "documents are in plain English", |_, line| has_replaced_word(line));
    refuse(&all(["src", "tests", "bench"]), "comments are in plain English", |source, line| {
        is_rust(source) && comment(line).is_some_and(has_replaced_word)
    });
    refuse(&sources("config.default.toml"), "comments are in plain English", |_, line| {
        line.starts_with('#') && has_replaced_word(line)
    });
}

/// A rule that cannot see what it forbids would never fail.
#[test]
fn the_rules_of_language_see_what_they_forbid() {
    assert_eq!(defined("    pub(super) async fn say(error: &Error) -> Response {"), Some("say"));
    assert_eq!(defined("pub struct Wish<'a> {"), Some("Wish"));
    assert_eq!(defined("mod moving;"), Some("moving"));
    assert_eq!(defined("let said = 1;"), None);
    assert!(has_replaced_word("/// Nobody is told."));
    assert!(has_replaced_word("It is as good as absent."));
    assert!(!has_replaced_word("The member `said` is absent; the sentence is not."));
    assert_eq!(comment(concat!("let a = 1; /", "/ Somebody")), Some(" Somebody"));
    assert_eq!(comment(r#"let url = "https://example.com";"#), None);
}

fn is_rust(source: &Source) -> bool {
    source.path.ends_with(".rs")
}

/// The name of the type, module or function that a line defines.
fn defined(line: &str) -> Option<&str> {
    let keywords = ["struct", "enum", "trait", "type", "fn", "mod"];
    let is_modifier = |word: &&str| word.starts_with("pub") || ["async", "const", "default"].contains(word);
    let mut words = line.split_whitespace().skip_while(is_modifier);
    words.next().filter(|word| keywords.contains(word))?;
    words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The text of the comment on a line.
fn comment(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    trimmed.strip_prefix("//").or_else(|| line.split_once("; // ").map(|_| &line[line.rfind("// ").unwrap() + 2..]))
}

/// Whether prose has a replaced word or turn. Code in backticks does not count.
fn has_replaced_word(prose: &str) -> bool {
    let prose: String = prose.split('`').step_by(2).collect::<Vec<_>>().join("`").to_lowercase();
    REPLACED_WORDS.iter().chain(&REPLACED_TURNS).any(|word| has_word(&prose, word))
}

/// A document without its code blocks; the lines keep their numbers.
fn without_code_blocks(document: Source) -> Source {
    let mut in_block = false;
    let line = |line: &str| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        if in_block || fence { String::new() } else { line.to_owned() }
    };
    let text: Vec<String> = document.text.lines().map(line).collect();
    Source { text: text.join("\n"), ..document }
}
