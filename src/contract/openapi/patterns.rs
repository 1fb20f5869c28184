//! Patterns of texts that several contracts accept, in what ECMA-262, Python and Rust have in common.

use utoipa::openapi::{ObjectBuilder, SchemaFormat, Type};

use crate::account::MAX_EMAIL;

/// The pattern of text without U+0000, which every contract refuses.
pub(in crate::contract) const NO_NUL: &str = r"^[^\u0000]*$";

/// White space (Unicode's property White_Space), for the brackets of a pattern.
pub(in crate::contract) const SPACE: &str =
    r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
/// The characters of `account::is_hidden` up to U+FFFF, for the brackets of a pattern: beyond that, engines differ.
pub(in crate::contract) const HIDDEN: &str = r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8";

/// Returns the schema of an e-mail address (`account::Email::is_well_formed`). The description states what the pattern does
/// not: it would be ten times as long.
pub(in crate::contract) fn email_address(description: &str) -> ObjectBuilder {
    let atom = r#"[^\u0000-\u0020"(),.:;<>@\[\\\]\u007f-\u00a0]+"#;
    // A label has letters and digits of any script, and hyphens between them.
    let word = r"[^\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a0]+";
    let label = format!("{word}(-+{word})*");
    let description = format!(
        "{description} At most {MAX_EMAIL} bytes, of which at most 64 precede the `@`; a domain that can be looked up (UTS \
         46); no invisible characters."
    );
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("idn-email".to_owned())))
        .pattern(Some(format!(r"^{atom}(\.{atom})*@{label}(\.{label})+$")))
        .max_length(Some(MAX_EMAIL))
        .description(Some(description))
}
