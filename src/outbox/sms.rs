//! Short messages through an HTTP gateway; the request is configured.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{Message, Undelivered};
use crate::account::{Cause, Phone};
use crate::config::{self, SmsFormat};
use crate::json::{self, Value};

/// The configured gateway.
pub(super) struct Gateway {
    url: String,
    headers: HeaderMap,
    body: Body,
    secret: String,
    timeout: Duration,
    client: reqwest::Client,
}

/// A body with placeholders for what differs between messages.
enum Body {
    Json(Value),
    /// Names and values, already encoded except for the placeholders.
    Form(String),
}

impl Gateway {
    /// Checks the configured request; sends nothing yet.
    pub(super) fn new(url: &str, settings: &config::Sms) -> Result<Gateway, Cause> {
        let secret = settings.secret.expose().to_owned();
        let (body, media_type) = match settings.format {
            SmsFormat::Json => {
                (Body::Json(json::parse(settings.body.as_bytes()).map_err(Cause::new)?), "application/json")
            }
            SmsFormat::Form => (Body::Form(settings.body.clone()), "application/x-www-form-urlencoded"),
        };
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        for (name, value) in &settings.headers {
            let value = HeaderValue::try_from(value.replace("{secret}", &secret));
            let mut value = value.map_err(|_| Cause::new("sms.secret does not fit into a header"))?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.user_agent("selfsame").build().map_err(Cause::new)?;
        Ok(Gateway { url: url.to_owned(), headers, body, secret, timeout: settings.timeout, client })
    }

    /// Hands a message over within the timeout: the gateway answers 2xx, or it has not accepted the message. It is
    /// never sent twice, as the outcome of the first attempt is unknown.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let body = self.body.fill(&Places::new(message, &self.secret));
        let request = self.client.post(&self.url).headers(self.headers.clone()).body(body).timeout(self.timeout);
        // An error of the library contains the URL, which may contain a secret.
        let response =
            request.send().await.map_err(|error| Undelivered::Unreachable(Cause::new(error.without_url())))?;
        let status = response.status();
        let cause = || Cause::new(format!("the gateway for short messages answers {status}"));
        match status {
            status if status.is_success() => Ok(()),
            // The gateway objects to the message itself, mostly to its number.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Undelivered::Refused(cause()))
            }
            _ => Err(Undelivered::Unreachable(cause())),
        }
    }
}

/// The values of the placeholders for one message.
struct Places<'a> {
    to: String,
    text: &'a str,
    secret: &'a str,
}

impl<'a> Places<'a> {
    fn new(message: &'a Message, secret: &'a str) -> Places<'a> {
        Places { to: Phone(&message.to).comparable().into_owned(), text: &message.text, secret }
    }

    /// Fills the placeholders of a template in one pass: inserted values are not scanned again.
    fn fill(&self, template: &str, encode: impl Fn(&str) -> String) -> String {
        let places = [
            ("{to}", self.to.as_str()),
            ("{digits}", self.to.trim_start_matches('+')),
            ("{text}", self.text),
            ("{secret}", self.secret),
        ];
        let mut filled = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            match places.iter().find(|(place, _)| rest.starts_with(place)) {
                Some((place, value)) => {
                    filled.push_str(&encode(value));
                    rest = &rest[place.len()..];
                }
                None => {
                    filled.push('{');
                    rest = &rest[1..];
                }
            }
        }
        filled + rest
    }
}

impl Body {
    fn fill(&self, places: &Places<'_>) -> String {
        match self {
            Body::Json(tree) => fill_tree(tree.clone(), places).to_text(),
            Body::Form(template) => places.fill(template, form_encode),
        }
    }
}

/// Percent-encodes everything except ASCII letters and digits. A space becomes `%20`, which every decoder understands;
/// `+` is a space only to form decoders (URL Standard, "application/x-www-form-urlencoded").
fn form_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Fills the strings of a tree: whatever its content, an inserted value stays inside its string.
fn fill_tree(value: Value, places: &Places<'_>) -> Value {
    match value {
        Value::String(text) => Value::String(places.fill(&text, str::to_owned)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| fill_tree(item, places)).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, fill_tree(value, places))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "1\"},\"to\":\"+1&To=+2\r\nX: y\\ {secret} é";

    fn places() -> Places<'static> {
        Places { to: "+1555".to_owned(), text: HOSTILE, secret: "s&\"1" }
    }

    #[test]
    fn a_text_stays_inside_its_json_string() {
        let template = r#"{"to":["{digits}"],"body":"<{text}>","key":"{secret}","n":1,"{text}":"{other}"}"#;
        let body = Body::Json(json::parse(template.as_bytes()).unwrap()).fill(&places());
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        let expected = serde_json::json!({
            "to": ["1555"], "body": format!("<{HOSTILE}>"), "key": "s&\"1", "n": 1, "{text}": "{other}"
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn a_text_stays_inside_its_form_value() {
        let body = Body::Form("To={to}&Body={text}&Key={secret}".to_owned()).fill(&places());
        assert!(body.starts_with("To=%2B1555&Body=1%22%7D%2C"), "{body}");
        assert_eq!(body.matches('&').count(), 2);
        assert_eq!(body.matches('=').count(), 3);
        assert!(!body.contains(['\r', '\n', ' ', '"']));
    }
}
