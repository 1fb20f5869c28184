//! Sections of which there may be any number: the operator names each, and it starts as a copy of its template.
//!
//! The template is the section `example` of the default file. Its keys are known but hold for nothing: they are neither
//! set, nor listed, nor part of a configuration.

use super::{ConfigError, Origin, settings::Settings};

/// The sections that `[SECTION.NAME]` names one of; `config.default.toml` documents each as `[SECTION.example]`.
const TEMPLATED: [&str; 1] = ["trusted_issuer"];
const TEMPLATE: &str = "example";
/// What stands for the name where a template's key is suggested.
const PLACEHOLDER: &str = "NAME";
/// Characters of a name.
const MAX_NAME: usize = 64;

impl Settings {
    /// Begins the named section that a key lies in, or is if `is_section`, unless there is such a section already.
    pub(super) fn begin_named(&mut self, key: &str, is_section: bool, origin: &Origin) -> Result<(), ConfigError> {
        let Some(NamedKey { section, name, rest, kind }) = split(key) else { return Ok(()) };
        // `[trusted_issuer]` with keys of its own lacks the name; that is an unknown key.
        if rest.is_none() && !is_section {
            return Ok(());
        }
        if name == TEMPLATE {
            let problem = format!("{section} only documents what [{kind}.{PLACEHOLDER}] can hold; choose another name");
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

    /// The named section that a key lies in.
    pub(super) fn named_section(&self, key: &str) -> Option<&str> {
        self.named.get_key_value(split(key)?.section).map(|(section, _)| section.as_str())
    }

    /// Puts the copy before its template, so that the settings keep the order of the default file.
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

/// Whether a key belongs to a template.
pub(super) fn is_template(key: &str) -> bool {
    split(key).is_some_and(|key| key.name == TEMPLATE)
}

/// A key or section as it can be suggested: a template's with a placeholder for the name.
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

/// The parts of a key of a templated section; `None` for every other key.
fn split(key: &str) -> Option<NamedKey<'_>> {
    let (kind, inner) = key.split_once('.').filter(|(kind, _)| TEMPLATED.contains(kind))?;
    let (name, rest) = inner.split_once('.').map_or((inner, None), |(name, rest)| (name, Some(rest)));
    Some(NamedKey { kind, name, section: &key[..kind.len() + 1 + name.len()], rest })
}
