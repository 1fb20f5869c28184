use jiff::Timestamp;

use super::{Account, Attributes, Contact, Error, Fault, Field, Medium, Portal, Rule, Rules, Status, Text, attributes};
use crate::json::{Object, Value};

/// The requested edit of one value; distinguishes an absent member, null and a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// Keep the value.
    #[default]
    Keep,
    /// Unset the value.
    Clear,
    /// Set this value.
    Set(T),
    /// Set this value if there is none when the change is made.
    Fill(T),
}

/// A requested change of one account, independent of any contract: one [`Edit`] per field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    pub(crate) texts: [Edit<Text>; Field::ALL.len()],
    /// The patch to merge into the attributes (RFC 7396).
    pub merge: Option<Object>,
    /// The rules that changed attributes must satisfy.
    pub rules: Rules,
    /// A new status; operators only.
    pub status: Option<Status>,
    /// A new portal; operators only.
    pub portal: Option<Portal>,
    /// Whether the e-mail address, as it is after this patch, is verified. If `None`, it stays verified only when the new
    /// address [has the destination](Contact::has_destination_of) of the old one.
    pub email_verified: Option<bool>,
    /// Whether the phone number is verified, in the same way. A number without an [E.164 form](super::Phone::e164) never is.
    pub phone_verified: Option<bool>,
    /// CL2C's `authenticated`; operators only.
    pub authenticated: Option<bool>,
    /// CL2C's `authValidUpto`; operators only.
    pub auth_valid_until: Edit<Timestamp>,
    /// The bytes that the picture it sets takes in the store; 0 unless it was uploaded for this change.
    pub picture_bytes: usize,
}

impl Patch {
    /// Sets the edit of one field.
    pub fn edit(&mut self, field: Field, edit: Edit<Text>) {
        self.texts[field as usize] = edit;
    }

    /// Whether the patch may change the attributes.
    pub fn touches_attributes(&self) -> bool {
        self.merge.is_some() || *self.edit_of(Field::Attributes) != Edit::Keep
    }

    /// Sets a proved address and marks it verified, which makes it unique within the tenant.
    pub(crate) fn prove(&mut self, contact: &Contact) {
        self.edit(contact.field(), Edit::Set(contact.text().clone()));
        match contact {
            Contact::Phone(_) => self.phone_verified = Some(true),
            Contact::Email(_) => self.email_verified = Some(true),
        }
    }

    /// Returns the edit of one field.
    pub fn edit_of(&self, field: Field) -> &Edit<Text> {
        &self.texts[field as usize]
    }
}

/// A change that a patch made to one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The field's name.
    pub field: &'static str,
    /// The value before, null when it was unset; of the attributes, the members that [differ](attributes::differences).
    pub before: Value,
    /// The value after, null when it is unset now; of the attributes, the same members.
    pub after: Value,
}

impl Account {
    /// Applies a patch at a given time and returns the changes. If nothing changes, version and times stay the same.
    ///
    /// Fails with [`Error::AttributesTooLarge`] when the attributes would be too large, and with [`Error::Internal`] when
    /// the stored ones cannot be read, whatever the patch changes: a change must not be recorded on top of unreadable
    /// attributes. Fails with [`Error::Fields`] when the patch marks an address as verified that is not well formed. After an
    /// error the account may be partly changed and must be dropped.
    pub fn apply(&mut self, patch: &Patch, now: Timestamp) -> Result<Vec<Change>, Error> {
        let before = self.clone();
        // Fails if the stored attributes cannot be read, even if the patch does not touch them.
        before.attributes()?;
        for field in Field::ALL.into_iter().filter(|field| *field != Field::Attributes) {
            set(&mut self.texts[field], patch.edit_of(field));
        }
        self.set_attributes(patch)?;
        self.status = patch.status.unwrap_or(self.status);
        self.portal = patch.portal.unwrap_or(self.portal);
        self.authenticated = patch.authenticated.unwrap_or(self.authenticated);
        set(&mut self.auth_valid_until, &patch.auth_valid_until);
        let stays_verified = |medium| {
            let (proved, current) = (before.verified_contact(medium), self.contact(medium));
            proved.zip(current).is_some_and(|(proved, current)| proved.has_destination_of(&current))
        };
        let (email, phone) = (stays_verified(Medium::Email), stays_verified(Medium::Sms));
        self.email_verified = self.email().is_some() && patch.email_verified.unwrap_or(email);
        let has_e164 = self.phone().is_some_and(|phone| phone.e164().is_some());
        self.phone_verified = has_e164 && patch.phone_verified.unwrap_or(phone);
        self.check_marks(patch)?;

        let changes = changes_between(&before, self)?;
        if !changes.is_empty() {
            self.version += 1;
            // A clock that was set back must not make history run backwards.
            self.updated_at = now.max(self.updated_at);
        }
        Ok(changes)
    }
}

impl Account {
    /// Refuses a patch that marks an address as verified which no message reaches, or which looks like another one.
    fn check_marks(&self, patch: &Patch) -> Result<(), Error> {
        let fault = |field: &'static str, rule| Fault { field: field.into(), rule };
        let email = patch.email_verified == Some(true) && self.email().is_some_and(|email| !email.is_well_formed());
        let phone = patch.phone_verified == Some(true) && self.phone().is_some_and(|phone| phone.e164().is_none());
        let faults = [
            email.then(|| fault("email_verified", Rule::EmailAddress)),
            phone.then(|| fault("phone_verified", Rule::PhoneNumber)),
        ];
        let faults: Vec<Fault> = faults.into_iter().flatten().collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Fields(faults)) }
    }

    /// Replaces the attributes if the patch sets them, as operators and imports do, and then merges its merge patch in.
    fn set_attributes(&mut self, patch: &Patch) -> Result<(), Error> {
        let mut text = self.attributes.text().cloned();
        set(&mut text, patch.edit_of(Field::Attributes));
        if text.as_ref() != self.attributes.text() {
            self.attributes = Attributes::stored(text);
        }
        if let Some(merge_patch) = &patch.merge {
            self.attributes = self.merged(merge_patch)?;
        }
        Ok(())
    }

    /// Returns the attributes with a patch merged in. Fails with [`Error::AttributesTooLarge`] when the result is too
    /// large.
    pub fn merged(&self, merge_patch: &Object) -> Result<Attributes, Error> {
        let mut merged = self.attributes()?.clone();
        attributes::merge(&mut merged, merge_patch);
        Attributes::of(merged).ok_or(Error::AttributesTooLarge)
    }
}

fn set<T: Clone>(place: &mut Option<T>, edit: &Edit<T>) {
    match edit {
        Edit::Keep => {}
        Edit::Clear => *place = None,
        Edit::Set(value) => *place = Some(value.clone()),
        Edit::Fill(value) => drop(place.get_or_insert_with(|| value.clone())),
    }
}

fn changes_between(before: &Account, after: &Account) -> Result<Vec<Change>, Error> {
    let text = |account: &Account, field| account.text(field).map_or(Value::Null, Value::from);
    let time = |time: Option<Timestamp>| time.map_or(Value::Null, |time| Value::from(time.to_string()));
    let (old, new) = match before.attributes == after.attributes {
        true => Default::default(),
        false => attributes::differences(before.attributes()?, after.attributes()?),
    };
    let attributes = (Field::Attributes.name(), Value::Object(old), Value::Object(new));
    let fields = Field::ALL.into_iter().filter(|field| *field != Field::Attributes);
    let texts = fields.map(|field| (field.name(), text(before, field), text(after, field)));
    let others = [
        ("status", Value::from(before.status.code()), Value::from(after.status.code())),
        ("portal", Value::from(before.portal.code()), Value::from(after.portal.code())),
        ("email_verified", Value::from(before.email_verified), Value::from(after.email_verified)),
        ("phone_verified", Value::from(before.phone_verified), Value::from(after.phone_verified)),
        ("authenticated", Value::from(before.authenticated), Value::from(after.authenticated)),
        ("auth_valid_until", time(before.auth_valid_until), time(after.auth_valid_until)),
    ];
    let differing = texts.chain(others).chain([attributes]).filter(|(_, before, after)| before != after);
    Ok(differing.map(|(field, before, after)| Change { field, before, after }).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::{AccountId, Tenant, TenantId};

    fn account() -> Account {
        let at = Timestamp::UNIX_EPOCH;
        let tenant = Tenant::new(TenantId(uuid::Uuid::nil()), 1, "demo", None, Portal::System, at);
        Account::new(AccountId(uuid::Uuid::nil()), 1, None, &tenant, at)
    }

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn set_phone(number: &str) -> Patch {
        let mut patch = Patch::default();
        patch.edit(Field::Phone, Edit::Set(Text::new(number).unwrap()));
        patch
    }

    #[test]
    fn a_patch_that_changes_nothing_keeps_version_and_times() {
        let mut account = account();
        assert!(account.apply(&Patch::default(), later(5)).unwrap().is_empty());
        assert_eq!((account.version, account.updated_at), (0, later(0)));
    }

    #[test]
    fn an_equal_number_stays_verified_and_a_different_one_does_not() {
        let mut account = account();
        let mut proved = set_phone("+1987654321");
        proved.phone_verified = Some(true);
        account.apply(&proved, later(1)).unwrap();
        account.apply(&set_phone("+1 987 654 321"), later(2)).unwrap();
        assert!(account.phone_verified);
        let changes = account.apply(&set_phone("+1987654322"), later(3)).unwrap();
        assert!(!account.phone_verified);
        let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
        assert_eq!(fields, ["phone", "phone_verified"]);
    }

    #[test]
    fn an_address_without_its_standard_form_is_never_verified() {
        for (field, text) in [(Field::Email, "jane\u{200b}@example.com"), (Field::Phone, "1987654321")] {
            let mut patch = Patch { email_verified: Some(true), phone_verified: Some(true), ..Patch::default() };
            patch.edit(field, Edit::Set(Text::new(text).unwrap()));
            assert!(matches!(account().apply(&patch, later(1)), Err(Error::Fields(faults)) if faults.len() == 1));
        }
    }

    #[test]
    fn an_absent_address_is_never_verified() {
        let mut account = account();
        account.apply(&Patch { email_verified: Some(true), ..Patch::default() }, later(1)).unwrap();
        assert!(!account.email_verified);
    }

    #[test]
    fn a_clock_set_back_does_not_make_history_run_backwards() {
        let mut account = account();
        account.apply(&set_phone("+1"), later(10)).unwrap();
        account.apply(&set_phone("+2"), later(5)).unwrap();
        assert_eq!(account.updated_at, later(10));
    }

    fn edits() -> impl Strategy<Value = Vec<(usize, Edit<Text>)>> {
        let edit = prop_oneof![
            Just(Edit::Keep),
            Just(Edit::Clear),
            "[a-c]{1,2}".prop_map(|text| Edit::Set(Text::new(text).unwrap())),
        ];
        let plain =
            (0..Field::ALL.len()).prop_filter("attributes are merged", |field| Field::ALL[*field] != Field::Attributes);
        proptest::collection::vec((plain, edit), 0..12)
    }

    fn patch_of(edits: &[(usize, Edit<Text>)]) -> Patch {
        let mut patch = Patch::default();
        for (field, edit) in edits {
            patch.edit(Field::ALL[*field], edit.clone());
        }
        patch
    }

    proptest! {
        #[test]
        fn applying_twice_is_applying_once(first in edits(), second in edits()) {
            let mut account = account();
            account.apply(&patch_of(&first), later(1)).unwrap();
            account.apply(&patch_of(&second), later(2)).unwrap();
            let once = account.clone();
            prop_assert!(account.apply(&patch_of(&second), later(3)).unwrap().is_empty());
            prop_assert_eq!(account, once);
        }

        #[test]
        fn changes_list_exactly_what_differs(first in edits(), second in edits()) {
            let mut account = account();
            account.apply(&patch_of(&first), later(1)).unwrap();
            let before = account.clone();
            let changes = account.apply(&patch_of(&second), later(2)).unwrap();
            for field in Field::ALL.into_iter().filter(|field| *field != Field::Attributes) {
                let named = changes.iter().find(|change| change.field == field.name());
                prop_assert_eq!(named.is_some(), before.text(field) != account.text(field));
                if let Some(change) = named {
                    prop_assert_eq!(change.after.as_str(), account.text(field));
                }
            }
            prop_assert_eq!(account.version, before.version + i64::from(!changes.is_empty()));
        }
    }
}
