//! All settings as a flat list of dotted keys, each with its value and its origin, from which a [`Config`] is deserialized.

use indexmap::IndexMap;
use toml::{Table, Value};

use super::{
    Config, ConfigError, DEFAULTS, Origin, Setting,
    layers::{Node, parse},
    secret::{HIDDEN, is_empty, without_passwords},
    templates::{is_template, with_placeholder},
};

/// The maximum number of characters of a value that an error shows.
const MAX_SHOWN: usize = 80;

/// The settings, in the order of the default file, which also decides which keys exist and of what type they are.
pub(super) struct Settings {
    pub(super) entries: IndexMap<String, Entry>,
    /// The sections that the operator named, each with the place where it began.
    pub(super) named: IndexMap<String, Origin>,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Settings {
    pub(super) fn defaults() -> Self {
        let nodes =
            parse("config.default.toml", DEFAULTS).expect("the defaults are compiled in, and a test parses them");
        let entry = |Node { key, value, .. }| Some((key, Entry { value: value?, origin: Origin::Default }));
        Self { entries: nodes.into_iter().filter_map(entry).collect(), named: IndexMap::new() }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Overrides a setting; an unknown key is ignored.
    pub(super) fn set(&mut self, key: &str, value: Value, origin: Origin) {
        if let Some(entry) = self.entries.get_mut(key) {
            *entry = Entry { value, origin };
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.keys().flat_map(|key| key.match_indices('.').map(|(end, _)| &key[..end]))
    }

    /// Returns the known key that an unknown one most likely means.
    pub(super) fn nearest_key(&self, unknown: &str) -> String {
        let section = self.named_section(unknown);
        let keys = || self.keys().filter(|key| section.is_none() || self.named_section(key) == section);
        // A key in the wrong section is a more common mistake than one misspelt beyond recognition.
        let last = |key: &str| key.rsplit('.').next() == unknown.rsplit('.').next();
        let same_name: Vec<&str> = keys().filter(|key| last(key)).collect();
        if same_name.is_empty() { nearest(keys(), unknown) } else { nearest(same_name.into_iter(), unknown) }
    }

    pub(super) fn nearest_section(&self, unknown: &str) -> String {
        nearest(self.sections(), unknown)
    }

    pub(super) fn deserialize(&self) -> Result<Config, ConfigError> {
        serde_path_to_error::deserialize(self.table()).map_err(|error| {
            let path = error.path().to_string();
            self.refuse(path.split('[').next().unwrap_or_default(), in_words(error.inner().message()))
        })
    }

    /// Returns the error for the value of a setting.
    pub(super) fn refuse(&self, key: &str, problem: impl std::fmt::Display) -> ConfigError {
        match self.get(key) {
            Some(entry) => {
                // A default in a named section is blamed on the section, which the operator did write.
                let section = self.named_section(key).filter(|_| entry.origin == Origin::Default);
                let origin = section.map_or(&entry.origin, |section| &self.named[section]);
                ConfigError::new(origin, format!("{key} = {}: {problem}", self.shown(key, MAX_SHOWN)))
            }
            None => ConfigError::new("configuration", format!("{key}: {problem}")),
        }
    }

    pub(super) fn list(&self) -> Vec<Setting> {
        let setting = |(key, entry): (&String, &Entry)| Setting {
            key: key.clone(),
            value: self.shown(key, usize::MAX),
            origin: entry.origin.clone(),
        };
        self.entries.iter().filter(|(key, _)| !is_template(key)).map(setting).collect()
    }

    /// Checks whether a setting names the file of a secret.
    fn is_secret_file(&self, key: &str) -> bool {
        key.strip_suffix("_file").is_some_and(|secret| self.entries.contains_key(secret))
    }

    /// Returns at most `limit` characters of a value, with a placeholder for a secret and for what may be one.
    fn shown(&self, key: &str, limit: usize) -> String {
        let value = &self.entries[key].value;
        if self.is_secret(key) && !is_empty(value) {
            return HIDDEN.to_owned();
        }
        let cut = |text: &str| match text.char_indices().nth(limit) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        match value {
            _ if self.is_secret_file(key) && !value.as_str().is_some_and(is_path) => HIDDEN.to_owned(),
            // TOML would spread text with line breaks over several lines.
            Value::String(text) => format!("{:?}", cut(&without_passwords(key, text))),
            Value::Array(items) => {
                let shown = |item: &Value| match item {
                    Value::String(text) => Value::String(without_passwords(key, text)),
                    other => other.clone(),
                };
                cut(&Value::Array(items.iter().map(shown).collect()).to_string())
            }
            other => cut(&other.to_string()),
        }
    }

    /// Returns the settings as nested sections, without templates and the `x_file` of secrets.
    fn table(&self) -> Table {
        let mut root = Table::new();
        for (key, entry) in &self.entries {
            if is_template(key) || self.is_secret_file(key) {
                continue;
            }
            let (sections, name) = key.rsplit_once('.').map_or((None, key.as_str()), |(s, name)| (Some(s), name));
            let mut table = &mut root;
            for section in sections.into_iter().flat_map(|sections| sections.split('.')) {
                let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                table = inner.as_table_mut().expect("the default file cannot have a section and a value of one name");
            }
            table.insert(name.to_owned(), entry.value.clone());
        }
        root
    }
}

/// Checks whether a text is written as a path; any other text in its place may be the secret itself.
pub(super) fn is_path(text: &str) -> bool {
    text.is_empty() || !text.contains("://") && ["/", "./", "../"].iter().any(|start| text.starts_with(start))
}

fn nearest<'a>(candidates: impl Iterator<Item = &'a str>, unknown: &str) -> String {
    let likeness = |candidate: &&str| strsim::normalized_damerau_levenshtein(candidate, unknown);
    with_placeholder(candidates.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default())
}

/// Rewrites serde's message in the terms of the default file, without the value, which may be a secret.
fn in_words(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((_, "a string" | "string only")) => "expected text in quotes".to_owned(),
        Some((_, "a boolean")) => "expected true or false".to_owned(),
        Some((_, expected)) => format!("expected {}", expected.replace('`', "\"")),
        None => message.to_owned(),
    }
}
