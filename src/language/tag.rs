/// Tags that were registered before there was a grammar (RFC 5646 §2.1, `grandfathered`).
const GRANDFATHERED: [&str; 26] = [
    "en-gb-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-be-fr",
    "sgn-be-nl",
    "sgn-ch-de",
    "art-lojban",
    "cel-gaulish",
    "no-bok",
    "no-nyn",
    "zh-guoyu",
    "zh-hakka",
    "zh-min",
    "zh-min-nan",
    "zh-xiang",
];

/// Whether a language tag follows the grammar of RFC 5646 §2.1; whether its parts are registered is not looked at.
pub fn is_well_formed(tag: &str) -> bool {
    let lower = tag.to_ascii_lowercase();
    if GRANDFATHERED.contains(&lower.as_str()) {
        return true;
    }
    let parts: Vec<&str> = lower.split('-').collect();
    if parts.iter().any(|part| !(1..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return false;
    }
    match language(&parts) {
        Some(rest) => is_end(skip(skip_once(skip_once(rest, is_script), is_region), is_variant)),
        None => parts[0] == "x" && parts.len() > 1,
    }
}

/// What follows the language and its extensions.
fn language<'a, 'b>(parts: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let (first, mut rest) = parts.split_first()?;
    if !is_alphabetic(first) || first.len() < 2 {
        return None;
    }
    if first.len() <= 3 {
        let extended = rest.iter().take(3).take_while(|part| part.len() == 3 && is_alphabetic(part)).count();
        rest = &rest[extended..];
    }
    Some(rest)
}

fn skip_once<'a, 'b>(parts: &'a [&'b str], is: fn(&str) -> bool) -> &'a [&'b str] {
    match parts.split_first() {
        Some((first, rest)) if is(first) => rest,
        _ => parts,
    }
}

fn skip<'a, 'b>(parts: &'a [&'b str], is: fn(&str) -> bool) -> &'a [&'b str] {
    &parts[parts.iter().take_while(|part| is(part)).count()..]
}

/// Whether nothing is left but extensions, each a letter or digit and what belongs to it, and private parts behind `x`.
fn is_end(mut parts: &[&str]) -> bool {
    while let Some((singleton, rest)) = parts.split_first() {
        if *singleton == "x" {
            return !rest.is_empty();
        }
        let own = rest.iter().take_while(|part| part.len() >= 2).count();
        if singleton.len() != 1 || own == 0 {
            return false;
        }
        parts = &rest[own..];
    }
    true
}

fn is_script(part: &str) -> bool {
    part.len() == 4 && is_alphabetic(part)
}

fn is_region(part: &str) -> bool {
    (part.len() == 2 && is_alphabetic(part)) || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_variant(part: &str) -> bool {
    part.len() >= 5 || (part.len() == 4 && part.starts_with(|first: char| first.is_ascii_digit()))
}

fn is_alphabetic(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_standard_are_well_formed() {
        // RFC 5646, appendix A, and what registries hold besides.
        for tag in [
            "de",
            "i-enochian",
            "zh-Hant",
            "zh-cmn-Hans-CN",
            "cmn-Hans-CN",
            "zh-yue-HK",
            "sr-Latn-RS",
            "sl-rozaj-biske",
            "de-CH-1901",
            "sl-IT-nedis",
            "hy-Latn-IT-arevela",
            "es-419",
            "de-CH-x-phonebk",
            "az-Arab-x-AZE-derbend",
            "x-whatever",
            "qaa-Qaaa-QM-x-southern",
            "en-US-u-islamcal",
            "zh-CN-a-myext-x-private",
            "en-a-myext-b-another",
            "zh-min-nan",
            "zh-Hant-TW",
            "abcdefgh",
        ] {
            assert!(is_well_formed(tag), "{tag}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_not() {
        for tag in [
            "",
            "x",
            "a",
            "en--US",
            "-en",
            "en-",
            "en_US",
            "de-419-DE",
            "a-DE",
            "zh-",
            "en-a",
            "en-x",
            "en-a-b",
            "abcdefghi",
            "1a",
            "en-U",
            "en-\u{e9}\u{e9}",
            "en US",
        ] {
            assert!(!is_well_formed(tag), "{tag}");
        }
    }
}
