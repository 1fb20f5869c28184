//! Splits a statement into tokens: names in lower case, parameters as `?1`, text with its quotes, operators. Comments and
//! types (`::uuid[]`) are left out.

pub(super) type Token = String;

/// Operators of several characters, the longer ones first.
const OPERATORS: &[&str] = &["->>", "#>>", "<>", "!=", "<=", ">=", "==", "||", "->", "#>", "@>", "<@"];

pub(super) fn read(statement: &str) -> Vec<Token> {
    let (mut rest, mut tokens) = (statement, Vec::new());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ if rest.starts_with("::") => {
                let length = 2 + name(&rest[2..]);
                length + if rest[length..].starts_with("[]") { 2 } else { 0 }
            }
            _ if first.is_whitespace() => first.len_utf8(),
            'x' | 'X' if rest[1..].starts_with('\'') => take(&mut tokens, rest, 1 + quoted(&rest[1..], '\'')),
            '\'' => take(&mut tokens, rest, quoted(rest, '\'')),
            '"' => {
                let length = quoted(rest, '"');
                tokens.push(rest[..length].trim_matches('"').to_lowercase());
                length
            }
            '?' | '$' => {
                let length = 1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
                tokens.push(rest[..length].replace('$', "?"));
                length
            }
            _ if is_in_names(first) => take(&mut tokens, rest, name(rest)),
            _ => {
                let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
                take(&mut tokens, rest, operator.map_or(first.len_utf8(), |operator| operator.len()))
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn take(tokens: &mut Vec<Token>, rest: &str, length: usize) -> usize {
    tokens.push(rest[..length].to_lowercase());
    length
}

fn is_in_names(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn name(text: &str) -> usize {
    text.find(|character| !is_in_names(character)).unwrap_or(text.len())
}

/// Returns the length of a text in quotes; two of them inside are one.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}
