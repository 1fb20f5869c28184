//! Since when an account's phone number has been verified, according to its history.

use jiff::Timestamp;

use super::super::Profiles;
use crate::account::{Error, Field, Phone};
use crate::json::Value;
use crate::store::PhoneRecord;

/// Entries that are read at a time.
const PAGE: i64 = 500;

impl Profiles {
    /// Returns since when the account's current number has been verified. If its history does not show that, because the
    /// entry was erased, it is the time of the first erased entry that can be the one; if no entry can, the time when the
    /// account was created.
    pub(super) async fn verified_since(&self, record: &PhoneRecord) -> Result<Timestamp, Error> {
        let mut replay = Replay::default();
        let mut sequence = 0;
        loop {
            let page = self.store.history(record.account, sequence, PAGE).await?;
            let Some(last) = page.last() else { break };
            sequence = last.metadata.sequence;
            for entry in &page {
                replay.add(entry.metadata.at, self.payload(entry).as_ref());
            }
        }
        Ok(replay.since(record.e164().as_deref()).unwrap_or(record.created_at))
    }
}

/// The state of a phone number, entry by entry.
#[derive(Default)]
struct Replay {
    number: Option<String>,
    verified: bool,
    /// When the number became verified, while it is.
    since: Option<Timestamp>,
    /// The first entry since then whose changes are not known.
    unknown: Option<Timestamp>,
}

impl Replay {
    /// Applies the changes of an entry; `None` if they are not known.
    fn add(&mut self, at: Timestamp, payload: Option<&Value>) {
        let Some(payload) = payload else {
            self.unknown.get_or_insert(at);
            return;
        };
        let (mut number, mut verified) = (self.number.clone(), self.verified);
        for (field, after) in changes(payload) {
            match field {
                "phone_verified" => verified = *after == Value::Bool(true),
                field if field == Field::Phone.name() => number = after.as_str().and_then(|text| Phone(text).e164()),
                _ => {}
            }
        }
        if (&number, verified) != (&self.number, self.verified) {
            *self = Replay { since: verified.then_some(at), number, verified, unknown: None };
        }
    }

    /// Returns since when this number has been verified, if the entries show it.
    fn since(&self, number: Option<&str>) -> Option<Timestamp> {
        self.since.filter(|_| self.number.as_deref() == number).or(self.unknown)
    }
}

/// Returns the fields that an entry changed, each with its value after the change.
fn changes(payload: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let changes = match payload {
        Value::Object(payload) => payload.get("changes"),
        _ => None,
    };
    let changes = match changes {
        Some(Value::Array(changes)) => changes.as_slice(),
        _ => &[],
    };
    changes.iter().filter_map(|change| match change {
        Value::Object(change) => Some((change.get("field")?.as_str()?, change.get("after")?)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Change;
    use crate::account::history::{self, ChangeContext};
    use crate::json;

    const NUMBER: &str = "+8613800138000";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The payload of an entry that changes the number, the mark or both.
    fn entry(phone: Option<&str>, verified: Option<bool>) -> Value {
        let change = |field: &'static str, after: Value| Change { field, before: Value::Null, after };
        let phone = phone.map(|text| change("phone", Value::from(text)));
        let verified = verified.map(|mark| change("phone_verified", Value::from(mark)));
        let changes: Vec<Change> = phone.into_iter().chain(verified).collect();
        json::parse(&history::payload(&changes, &ChangeContext::operator())).unwrap()
    }

    fn replayed(entries: &[Option<Value>]) -> Option<Timestamp> {
        let mut replay = Replay::default();
        for (second, entry) in (1..).zip(entries) {
            replay.add(at(second), entry.as_ref());
        }
        replay.since(Some(NUMBER))
    }

    #[test]
    fn a_number_is_verified_since_the_entry_that_made_it_so() {
        let verified = || Some(entry(Some("13800138000"), Some(true)));
        let other = || Some(entry(Some("+8613900139000"), None));
        let nothing = || Some(entry(None, None));
        assert_eq!(replayed(&[nothing(), verified(), nothing()]), Some(at(2)));
        assert_eq!(replayed(&[Some(entry(Some(NUMBER), None)), Some(entry(None, Some(true)))]), Some(at(2)));
        // Another spelling is the same number; another number that is proved at once begins again.
        assert_eq!(replayed(&[verified(), Some(entry(Some("+86 138 0013 8000"), None))]), Some(at(1)));
        assert_eq!(replayed(&[verified(), other(), Some(entry(Some(NUMBER), None))]), Some(at(3)));
        assert_eq!(replayed(&[verified(), Some(entry(None, Some(false))), Some(entry(None, Some(true)))]), Some(at(3)));
    }

    #[test]
    fn an_erased_entry_counts_only_if_no_other_shows_when_the_number_became_verified() {
        let verified = || Some(entry(Some(NUMBER), Some(true)));
        let other = || Some(entry(Some("+8613900139000"), Some(true)));
        assert_eq!(replayed(&[verified(), None]), Some(at(1)));
        assert_eq!(replayed(&[None, verified()]), Some(at(2)));
        assert_eq!(replayed(&[other(), None, None]), Some(at(2)));
        assert_eq!(replayed(&[other()]), None);
        assert_eq!(replayed(&[]), None);
    }
}
