//! The domain model: one person's account as plain values. No I/O, no async, no HTTP, no SQL.
//!
//! Invariants are kept by the types ([`Text`]) and by the single way to change an account ([`Account::apply`]).

mod application;
pub mod attributes;
mod closed_set;
mod contact;
mod contract;
mod daily;
mod error;
mod fields;
pub mod history;
mod outside;
mod patch;
mod phone;
mod picture;
mod rule;
pub mod schema;
mod tenant;
pub mod typed;
mod unique;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use uuid::Uuid;

use crate::json::Object;

pub use application::{Application, GrantType, Kind};
pub use attributes::Attributes;
pub(crate) use closed_set::{among, closed_set};
pub use contact::{Contact, Email, MAX_EMAIL, Medium};
pub use contract::Contract;
pub use daily::{DailyLimits, DailyUsage, DayUsedUp};
pub use error::{
    AccessFault, BodyFault, Cause, ChannelFault, CodeFault, CredentialFault, Error, HashFault, RequestFault, TooMany,
};
pub use fields::{Field, Text, TextError, Texts};
pub use history::Digest;
pub use outside::{is_blank, is_hidden, is_time_zone};
pub use patch::{Change, Edit, Patch};
pub use phone::{MAINLAND, Phone};
pub use picture::{Picture, PictureRule, Upload, is_picture_name};
pub use rule::{Fault, Rule};
pub use schema::{Rules, Schema};
pub use tenant::{Tenant, TenantStatus};
pub use unique::Unique;

/// Identifies an account permanently and globally: a UUID, version 7 unless an import brought another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub Uuid);

/// Identifies a tenant: the customer, organisation or institution that an account belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(pub Uuid);

/// Everything stored about one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The identifier that tokens contain.
    pub id: AccountId,
    /// The installation-wide number, for contracts whose identifiers are integers.
    pub number: i64,
    /// The business identifier, unique in the tenant; `ACC_SYS_<number>` by default.
    pub biz_id: String,
    /// The tenant that the account belongs to.
    pub tenant_id: TenantId,
    /// The portal that the account signs in to.
    pub portal: Portal,
    /// Whether the account may be used.
    pub status: Status,
    /// The personal fields except the attributes, each a text or unset.
    pub texts: Texts,
    /// The attributes.
    pub attributes: Attributes,
    /// Whether the stored e-mail address was proved by its owner.
    pub email_verified: bool,
    /// Whether the stored phone number was proved by its owner.
    pub phone_verified: bool,
    /// CL2C's `authenticated`, set by operators and not derived from other values.
    pub authenticated: bool,
    /// CL2C's `authValidUpto`, set by operators and not derived from other values.
    pub auth_valid_until: Option<Timestamp>,
    /// The number of recorded changes, from 1; also the sequence number of the newest history entry.
    pub version: i64,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the last recorded change happened.
    pub updated_at: Timestamp,
    /// The head of the account's history chain.
    pub history_head: Digest,
    /// What the account stored today, to limit it; no change of it is recorded.
    pub usage: DailyUsage,
}

impl Account {
    /// Creates an account with no field set, before its first commit; `biz_id` defaults to `ACC_SYS_` and the number in at
    /// least three digits.
    pub fn new(id: AccountId, number: i64, biz_id: Option<String>, tenant: &Tenant, created_at: Timestamp) -> Account {
        Account {
            id,
            number,
            biz_id: biz_id.unwrap_or_else(|| format!("ACC_SYS_{number:03}")),
            tenant_id: tenant.id,
            portal: tenant.portal,
            status: Status::Active,
            texts: Texts::default(),
            attributes: Attributes::default(),
            email_verified: false,
            phone_verified: false,
            authenticated: true,
            auth_valid_until: None,
            version: 0,
            created_at,
            updated_at: created_at,
            history_head: Digest::START,
            usage: DailyUsage::default(),
        }
    }

    /// Fails with [`AccessFault::AccountStatus`] unless the account is active.
    pub fn require_active(&self) -> Result<(), Error> {
        match self.status {
            Status::Active => Ok(()),
            status => Err(AccessFault::AccountStatus(status).into()),
        }
    }

    /// Returns the text of a field, `None` while it is unset; for the attributes, their stored text.
    pub fn text(&self, field: Field) -> Option<&str> {
        let text = match field {
            Field::Attributes => self.attributes.text(),
            field => self.texts[field].as_ref(),
        };
        text.map(Text::as_str)
    }

    /// Sets or unsets the text of a field, without updating what depends on it; changes go through [`Account::apply`].
    pub fn set_text(&mut self, field: Field, text: Option<Text>) {
        match field {
            Field::Attributes => self.attributes = Attributes::stored(text),
            field => self.texts[field] = text,
        }
    }

    /// The e-mail address as an [`Email`].
    pub fn email(&self) -> Option<Email<'_>> {
        self.text(Field::Email).map(Email)
    }

    /// Returns the attributes as an object, empty while there are none. Fails with [`Error::Internal`], which names the
    /// account, when the stored text is not a JSON object: then nothing may be shown or written in its place.
    pub fn attributes(&self) -> Result<&Object, Error> {
        let unreadable = |error| Error::Internal(Cause::new(format!("account {}: attributes: {error}", self.id)));
        self.attributes.object().map_err(unreadable)
    }

    /// The picture as a [`Picture`].
    pub fn picture(&self) -> Option<Picture<'_>> {
        self.text(Field::Picture).and_then(Picture::of)
    }

    /// The phone number as a [`Phone`].
    pub fn phone(&self) -> Option<Phone<'_>> {
        self.text(Field::Phone).map(Phone)
    }

    /// The address that messages of a medium are sent to, verified or not.
    pub fn contact(&self, medium: Medium) -> Option<Contact> {
        let field = match medium {
            Medium::Sms => Field::Phone,
            Medium::Email => Field::Email,
        };
        self.texts[field].clone().map(|text| medium.contact(text))
    }

    /// The verified address of a medium; `None` if the address is not verified.
    pub fn verified_contact(&self, medium: Medium) -> Option<Contact> {
        let verified = match medium {
            Medium::Sms => self.phone_verified,
            Medium::Email => self.email_verified,
        };
        self.contact(medium).filter(|_| verified)
    }
}

/// A closed set that is stored as a number and referred to by a name: `code`, `value` and a localised label.
macro_rules! enumeration {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $value:literal, $code:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every member, in the order of their numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The name on the wire and on the command line.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code),+ }
            }

            /// The eight-digit number on the wire and in the database.
            pub fn value(self) -> i64 {
                match self { $($name::$variant => $value),+ }
            }

            /// The key of the localised label.
            pub fn label_key(self) -> &'static str {
                match self { $($name::$variant => $label),+ }
            }

            /// The member with this number.
            pub fn from_value(value: i64) -> Option<$name> {
                $name::ALL.iter().copied().find(|member| member.value() == value)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<$name, String> {
                $name::ALL.iter().copied().find(|member| member.code().eq_ignore_ascii_case(text)).ok_or_else(|| {
                    let known: Vec<&str> = $name::ALL.iter().map(|member| member.code()).collect();
                    format!("expected one of {}", known.join(", "))
                })
            }
        }
    };
}
pub(crate) use enumeration;

enumeration! {
    /// The portal that an account signs in to.
    Portal {
        /// The operators' own portal, which the System contract serves.
        System = 10010101, "SYSTEM", "portal-system";
        /// A tenant's portal.
        Tenant = 10010102, "TENANT", "portal-tenant";
        /// A partner's portal.
        Partner = 10010103, "PARTNER", "portal-partner";
        /// The consumers' portal.
        Consumer = 10010104, "CONSUMER", "portal-consumer";
    }
}

enumeration! {
    /// Whether an account may be used.
    Status {
        /// Created, not yet approved by an operator.
        PendingApproval = 10010201, "PENDING_APPROVAL", "status-pending-approval";
        /// In use.
        Active = 10010202, "ACTIVE", "status-active";
        /// Refused by an operator.
        Rejected = 10010203, "REJECTED", "status-rejected";
        /// Locked for security.
        Locked = 10010204, "LOCKED", "status-locked";
        /// Taken out of use by an operator.
        Suspended = 10010205, "SUSPENDED", "status-suspended";
        /// Ended; treated in responses like an account that does not exist.
        Closed = 10010206, "CLOSED", "status-closed";
    }
}

macro_rules! identifier {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<$name, String> {
                let id = Uuid::parse_str(text).map_err(|_| "expected a UUID (RFC 9562)".to_owned());
                id.map($name)
            }
        }
    };
}
identifier!(AccountId);
identifier!(TenantId);
