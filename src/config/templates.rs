//! Sections that the operator names, in any number; each starts as a copy of its template.
//!
//! The template is the section `example` of the default file. Its keys are known but have no effect: they are neither set,
//! nor listed, nor part of a configuration.

use super::{ConfigError, Origin, settings::Settings};

/// The sections that the operator names as `[SECTION.NAME]`; `config.default.toml` documents each as `[SECTION.example]`.
const TEMPLATED: [&str; 1] = ["trusted_issuer"];
const TEMPLATE: &str = "example";
/// Replaces the name when a template's key is suggested.
const PLACEHOLDER: &str = "NAME";
/// The maximum number of characters of a name.
const MAX_NAME: usize = 64;

impl Settings {
    /// Begins the named section that contains a key, or that the key names if `is_section`, unless it exists already.
    pub(super) fn begin_named(&mut self, key: &str, is_section: bool, origin: &Origin) -> Result<(), ConfigError> {
        let Some(NamedKey { section, name, rest, kind }) = split(key) else { return Ok(()) };
        // A key directly in `[trusted_issuer]` lacks the name; it is an unknown key.
        if rest.is_none() && !is_section {
            return Ok(());
        }
        if name == TEMPLATE {
            let problem =
                format!("{section} only documents what [{kind}.{PLACEHOLDER}] can contain; choose another name");
            return Err(ConfigError::new(origin, problem));
        }
        let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_plain) {
            let problem = format!("{section}: a name is 1 to {MAX_NAME} of a-z, 0-9 and _; choose another name");
            return Err(ConfigError::new(origin, problem));
        }
        if !self.named.contains_key(section) {
            self.copy_template(kind, section);
            self.named.insert(section.to_owned(), origin.clone());
        }
        Ok(())
    }

    /// Returns the named section that contains a key.
    pub(super) fn named_section(&self, key: &str) -> Option<&str> {
        self.named.get_key_value(split(key)?.section).map(|(section, _)| section.as_str())
    }

    /// Inserts a copy of a template before it, so that the settings keep the order of the default file.
    fn copy_template(&mut self, kind: &str, section: &str) {
        let template = format!("{kind}.{TEMPLATE}.");
        let place = self.entries.keys().position(|key| key.starts_with(&template)).unwrap_or(self.entries.len());
        let copies: Vec<_> = self
            .entries
            .iter()
            .filter_map(|(key, entry)| Some((format!("{section}.{}", key.strip_prefix(&template)?), entry.clone())))
            .collect();
        self.entries.splice(place..place, copies);
    }
}

/// Checks whether a key belongs to a template.
pub(super) fn is_template(key: &str) -> bool {
    split(key).is_some_and(|key| key.name == TEMPLATE)
}

/// Returns a key or section for a suggestion: a template's gets a placeholder for the name.
pub(super) fn with_placeholder(key: &str) -> String {
    match split(key) {
        Some(NamedKey { kind, name: TEMPLATE, rest, .. }) => {
            let rest = rest.map(|rest| format!(".{rest}")).unwrap_or_default();
            format!("{kind}.{PLACEHOLDER}{rest}")
        }
        _ => key.to_owned(),
    }
}

/// The parts of a key `KIND.NAME.REST`.
struct NamedKey<'a> {
    kind: &'a str,
    name: &'a str,
    /// `KIND.NAME`.
    section: &'a str,
    rest: Option<&'a str>,
}

/// Splits a key of a templated section into its parts; `None` for every other key.
fn split(key: &str) -> Option<NamedKey<'_>> {
    let (kind, inner) = key.split_once('.').filter(|(kind, _)| TEMPLATED.contains(kind))?;
    let (name, rest) = inner.split_once('.').map_or((inner, None), |(name, rest)| (name, Some(rest)));
    Some(NamedKey { kind, name, section: &key[..kind.len() + 1 + name.len()], rest })
}
