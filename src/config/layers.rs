//! The layers over the defaults: a TOML file, the environment, command-line flags.

use std::{collections::BTreeMap, ffi::OsString, fs::File, io::Read, path::Path};

use serde::Deserialize;
use toml::{
    Spanned, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{ConfigError, Origin, Overrides, settings::Settings};

/// The maximum size of a configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The prefix of the variables, with two underscores, because platforms inject variables such as `SELFSAME_PORT`.
const PREFIX: &str = "SELFSAME__";

/// A key or a section of a TOML file.
pub(super) struct Node {
    pub(super) key: String,
    pub(super) line: usize,
    /// `None` for a section.
    pub(super) value: Option<Value>,
}

impl Settings {
    pub(super) fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let place = path.display().to_string();
        let text = read_bounded(path, MAX_FILE_BYTES).map_err(|reason| {
            ConfigError::new(&place, format!("cannot be read: {reason}; check the path after --config"))
        })?;
        for Node { key, line, value } in parse(&place, &text)? {
            let origin = Origin::File { path: place.clone(), line };
            self.begin_named(&key, value.is_none(), &origin)?;
            let is_section = self.sections().any(|section| section == key);
            let problem = match value {
                None if is_section => continue,
                None if self.get(&key).is_some() => format!("{key} is a setting, not a section; write {key} = VALUE"),
                None => format!("unknown section {key}; did you mean {}?", self.nearest_section(&key)),
                Some(_) if is_section => format!("{key} is a section; write [{key}] and its settings below"),
                Some(value) if self.get(&key).is_some() => {
                    self.set(&key, value, origin);
                    continue;
                }
                Some(_) => format!("unknown key {key}; did you mean {}?", self.nearest_key(&key)),
            };
            return Err(ConfigError::new(origin, problem));
        }
        Ok(())
    }

    pub(super) fn read_environment(&mut self, variables: &[(OsString, OsString)]) -> Result<(), ConfigError> {
        // Sorted by name, so that the same environment always gives the same first error.
        let ours: BTreeMap<&str, &OsString> = variables
            .iter()
            .filter_map(|(name, text)| Some((name.to_str()?, text)))
            .filter(|(name, _)| name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX)))
            .collect();
        for (name, text) in ours {
            let origin = Origin::Environment(name.to_owned());
            let key = name[PREFIX.len()..].to_lowercase().replace("__", ".");
            self.begin_named(&key, false, &origin)?;
            let Some(current) = self.get(&key) else {
                let nearest = format!("{PREFIX}{}", self.nearest_key(&key).to_uppercase().replace('.', "__"));
                return Err(ConfigError::new(origin, format!("unknown key {key}; did you mean {nearest}?")));
            };
            if let Origin::Environment(other) = &current.origin {
                return Err(ConfigError::new(origin, format!("{key} is also set by {other}; keep one of them")));
            }
            let Some(text) = text.to_str() else {
                return Err(ConfigError::new(origin, format!("{key}: expected UTF-8 text")));
            };
            let value = read_as(&current.value, text);
            self.set(&key, value, origin);
        }
        Ok(())
    }

    pub(super) fn read_flags(&mut self, Overrides { listen, data, database }: &Overrides) {
        let flags =
            [("--listen", "server.listen", listen), ("--data", "data", data), ("--database", "database.url", database)];
        for (flag, key, text) in flags {
            if let Some(text) = text {
                self.set(key, Value::String(text.clone()), Origin::Flag(flag));
            }
        }
    }
}

/// Returns the sections and keys of a TOML text in the order of its lines; `place` names the text in errors.
pub(super) fn parse(place: &str, text: &str) -> Result<Vec<Node>, ConfigError> {
    let line_at = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let document = DeTable::parse(text).map_err(|error| {
        let line = line_at(error.span().map_or(0, |span| span.start));
        // A bad number or date is nearly always text without quotes.
        let message = error.message().replace(", expected nothing", "; put text in quotes");
        ConfigError::new(format!("{place}:{line}"), format!("not valid TOML: {message}"))
    })?;
    let mut nodes = Vec::new();
    flatten("", document.into_inner(), &mut |key, offset, value| {
        let line = line_at(offset);
        let value = value.map(|value| Value::deserialize(ValueDeserializer::from(value))).transpose();
        let value = value
            .map_err(|_| ConfigError::new(format!("{place}:{line}"), format!("{key}: the number is too large")))?;
        nodes.push(Node { key, line, value });
        Ok(())
    })?;
    nodes.sort_by_key(|node| node.line);
    Ok(nodes)
}

/// Calls `visit` with the dotted key, the offset and the value of each key, and without a value for each section.
fn flatten<'i>(
    prefix: &str,
    table: DeTable<'i>,
    visit: &mut impl FnMut(String, usize, Option<Spanned<DeValue<'i>>>) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        let (key, offset) = (format!("{prefix}{}", name.get_ref()), name.span().start);
        let span = value.span();
        // An array of tables (`[[name]]`) is passed on as a value, which no setting accepts: its keys have no unique dotted
        // name.
        match value.into_inner() {
            DeValue::Table(table) => {
                visit(key.clone(), offset, None)?;
                flatten(&format!("{key}."), table, visit)?;
            }
            value => visit(key, offset, Some(Spanned::new(span, value)))?,
        }
    }
    Ok(())
}

/// Parses the text of an environment variable as the type of `current`.
///
/// Text that does not parse stays text, and is refused later like a wrong type in a file.
pub(super) fn read_as(current: &Value, text: &str) -> Value {
    let typed = match current {
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => None,
    };
    typed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Reads a UTF-8 file of at most `limit` bytes. The error is the reason as text for the operator, without the path.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<String, String> {
    read_open(&File::open(path).map_err(|error| error.to_string())?, limit)
}

/// Reads an open text file of at most `limit` bytes; the error is the reason, for a person.
pub(super) fn read_open(file: &File, limit: u64) -> Result<String, String> {
    let mut text = String::new();
    file.take(limit + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > limit {
        return Err(format!("longer than {limit} bytes"));
    }
    Ok(text)
}
