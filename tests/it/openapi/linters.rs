//! Linters find nothing in the documents: neither an error nor a warning. Each rule that is off has its reason in
//! `tests/peers/redocly.yaml`, `redocly-ignore.yaml` or `spectral.yaml`.

use super::DOCUMENTED;
use super::generators::Workshop;

/// The names of the documents' files.
fn documents() -> [String; 4] {
    DOCUMENTED.map(|contract| format!("{contract}.json"))
}

#[test]
fn redocly_finds_nothing_in_the_documents() {
    let workshop = Workshop::new();
    workshop.copy("redocly.yaml", "redocly.yaml");
    workshop.copy("redocly-ignore.yaml", ".redocly.lint-ignore.yaml");
    let documents = documents();
    let arguments: Vec<&str> = ["lint"].into_iter().chain(documents.iter().map(String::as_str)).collect();
    let printed = workshop.run("redocly", &arguments);
    assert!(printed.contains("Your API descriptions are valid"), "{printed}");
    // A line of the file that no longer hides anything would go unnoticed.
    assert!(printed.contains("12 problems are explicitly ignored"), "{printed}");
}

#[test]
fn spectral_finds_nothing_in_the_documents() {
    let workshop = Workshop::new();
    workshop.copy("spectral.yaml", "spectral.yaml");
    let documents = documents();
    let arguments = ["lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint"];
    let arguments: Vec<&str> = arguments.into_iter().chain(documents.iter().map(String::as_str)).collect();
    let printed = workshop.run("spectral", &arguments);
    assert!(printed.contains("No results with a severity of 'hint' or higher found!"), "{printed}");
}

/// A linter that reads no document, or no rule, would find nothing either.
#[test]
fn the_linters_notice_a_document_that_is_wrong() {
    let workshop = Workshop::new();
    workshop.copy("redocly.yaml", "redocly.yaml");
    workshop.copy("spectral.yaml", "spectral.yaml");
    let broken = super::text("ciam").replacen("\"security\": [", "\"x-security\": [", 1);
    workshop.write("ciam.json", &broken.replacen("\"operationId\":", "\"x-operationId\":", 1));
    for (program, rule, arguments) in [
        ("redocly", "security-defined", &["lint", "ciam.json"][..]),
        (
            "spectral",
            "operation-operationId",
            &["lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", "ciam.json"],
        ),
    ] {
        let printed = workshop.failure(program, arguments);
        assert!(printed.contains(rule), "{printed}");
    }
}
