use std::str::FromStr;

use super::Failure;
use crate::account::{Edit, Field, Patch, Text};
use crate::json::{self, Value};
use crate::picture;

/// A `field=value` argument; an empty value clears the field.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    name: String,
    value: String,
}

/// Names that are assigned like fields but are not text.
const OTHERS: [&str; 6] = ["status", "portal", "email_verified", "phone_verified", "authenticated", "auth_valid_until"];

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Assignment, String> {
        let (name, value) = text.split_once('=').ok_or("expected field=value, such as display_name=\"Jane Admin\"")?;
        if Field::from_name(name).is_none() && !OTHERS.contains(&name) {
            let known: Vec<&str> = Field::ALL.into_iter().map(Field::name).chain(OTHERS).collect();
            return Err(format!("unknown field {name}; known are {}", known.join(", ")));
        }
        Ok(Assignment { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Builds a patch from assignments; `public_url` is the origin of this installation's own pictures.
pub(super) fn patch(assignments: &[Assignment], public_url: &str) -> Result<Patch, Failure> {
    let mut patch = Patch::default();
    for Assignment { name, value } in assignments {
        let refused = |reason: String| Failure(format!("{name}: {reason}"));
        match name.as_str() {
            "status" => patch.status = Some(value.parse().map_err(refused)?),
            "portal" => patch.portal = Some(value.parse().map_err(refused)?),
            "email_verified" => patch.email_verified = Some(truth(value).map_err(refused)?),
            "phone_verified" => patch.phone_verified = Some(truth(value).map_err(refused)?),
            "authenticated" => patch.authenticated = Some(truth(value).map_err(refused)?),
            "auth_valid_until" if value.is_empty() => patch.auth_valid_until = Edit::Clear,
            "auth_valid_until" => patch.auth_valid_until = Edit::Set(super::tenant::moment(value).map_err(refused)?),
            text => {
                let field = Field::from_name(text).ok_or_else(|| refused("unknown field".to_owned()))?;
                patch.edit(field, edit(field, value, public_url).map_err(refused)?);
            }
        }
    }
    Ok(patch)
}

fn edit(field: Field, value: &str, public_url: &str) -> Result<Edit<Text>, String> {
    if value.is_empty() {
        return Ok(Edit::Clear);
    }
    let value = match field {
        Field::Attributes => attributes(value)?,
        Field::Picture => picture::check(value, public_url).map(|()| value.to_owned())?,
        field => field.check(value).map(|()| value.to_owned()).map_err(|rule| rule.to_string())?,
    };
    Text::new(value).map(Edit::Set).map_err(|error| error.to_string())
}

/// Checks that a value is a JSON object and returns it in compact form, as attributes are stored.
fn attributes(value: &str) -> Result<String, String> {
    match json::parse(value.as_bytes()) {
        Ok(object @ Value::Object(_)) => Ok(object.to_text()),
        _ => Err("expected a JSON object".to_owned()),
    }
}

fn truth(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| "expected true or false".to_owned())
}
