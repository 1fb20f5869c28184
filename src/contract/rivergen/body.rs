//! Request and response bodies.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::account::attributes::{self, Unfit};
use crate::account::{Account, Edit, Error, Fault, Field, Patch, Rule, Rules, Tenant, Text, is_blank};
use crate::http::body::{seconds, selected};
use crate::json::{Object, Selection, Value};
use crate::picture::{self, Data, PictureInput};
use crate::store::Identity;

/// The longest display name, in Unicode scalar values.
pub(super) const MAX_DISPLAY_NAME: usize = 126;

pub(super) const DISPLAY_NAME: &str = "display_name";
pub(super) const PICTURE: &str = "profile_image_url";
pub(super) const PROFILE: &str = "profile";

/// The largest body without the text of its picture, in bytes: a profile that fits has at most 64 KiB without white space and
/// escapes.
pub(super) const MAX_JSON: usize = 256 * 1024;

/// The members of a body that the contract reads.
pub(super) struct Members<'a> {
    members: Object,
    /// The text of the picture; any other value of that member is in `members`.
    picture: Option<Cow<'a, str>>,
}

impl Members<'_> {
    /// Parses a body. Other members must be well-formed and contain no U+0000, and are not kept.
    pub(super) fn parse(bytes: &[u8]) -> Result<Members<'_>, Error> {
        let keep = |name: &str| [DISPLAY_NAME, PICTURE, PROFILE].contains(&name);
        let selection = Selection { keep, long: Some(PICTURE), limit: MAX_JSON };
        let (members, picture) = selected(bytes, &selection)?;
        Ok(Members { members, picture })
    }
}

/// The changes that a body asks for.
pub(super) struct UpdateRequest<'a> {
    /// Everything but a picture to upload.
    pub(super) patch: Patch,
    /// The picture to upload.
    pub(super) picture: Option<Data<'a>>,
}

/// Reads a body for an account. Every error of every field is reported at once; `null` counts as absent.
pub(super) fn read<'a>(
    body: &'a mut Members<'_>,
    account: &Account,
    public_url: &str,
) -> Result<UpdateRequest<'a>, Error> {
    let Members { members, picture: text } = body;
    let mut update = UpdateRequest { patch: Patch::default(), picture: None };
    let mut faults = Vec::new();
    let mut given = |name| members.remove(name).filter(|value| *value != Value::Null);
    if let Some(value) = given(DISPLAY_NAME) {
        match display_name(&value, account) {
            Ok(edit) => update.patch.edit(Field::DisplayName, edit),
            Err(rule) => faults.push(Fault { field: DISPLAY_NAME.into(), rule }),
        }
    }
    let other = given(PICTURE).map(|_| Err(Rule::Text));
    if let Some(read) = text.as_deref().map(|text| picture(text, account, public_url)).or(other) {
        match read {
            Ok(PictureEdit::Edit(edit)) => update.patch.edit(Field::Picture, edit),
            Ok(PictureEdit::Upload(data)) => update.picture = Some(data),
            Err(rule) => faults.push(Fault { field: PICTURE.into(), rule }),
        }
    }
    if let Some(value) = given(PROFILE) {
        match profile(value) {
            Ok(merge) => update.patch.merge = Some(merge),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(update) } else { Err(Error::Fields(faults)) }
}

/// Reads a display name, which is stored without the white space around it. A name equal to the present one changes nothing,
/// even if it breaks a limit.
fn display_name(value: &Value, account: &Account) -> Result<Edit<Text>, Rule> {
    let text = value.as_str().ok_or(Rule::Text)?;
    if account.text(Field::DisplayName) == Some(text) {
        return Ok(Edit::Keep);
    }
    let text = text.trim();
    if text.contains('\0') {
        return Err(Rule::NoControlCharacters);
    }
    if is_blank(text) {
        return Err(Rule::Required);
    }
    if text.chars().count() > MAX_DISPLAY_NAME {
        return Err(Rule::MaxLength(MAX_DISPLAY_NAME));
    }
    Text::new(text).map(Edit::Set).map_err(|_| Rule::MaxLength(MAX_DISPLAY_NAME))
}

enum PictureEdit<'a> {
    Edit(Edit<Text>),
    Upload(Data<'a>),
}

/// Reads a picture: an empty text removes it, the address that is shown changes nothing, an external address is stored as it
/// is, a data URI is uploaded. Any other address of this server's pictures is refused.
fn picture<'a>(text: &'a str, account: &Account, public_url: &str) -> Result<PictureEdit<'a>, Rule> {
    if text.is_empty() {
        return Ok(PictureEdit::Edit(Edit::Clear));
    }
    if picture::shown(account, public_url).as_deref() == Some(text) {
        return Ok(PictureEdit::Edit(Edit::Keep));
    }
    match picture::read(text, public_url).map_err(Rule::Picture)? {
        PictureInput::Address(address) => {
            let address = Text::new(address).map_err(|_| Rule::NoControlCharacters)?;
            Ok(PictureEdit::Edit(Edit::Set(address)))
        }
        PictureInput::Ours(_) => Err(Rule::ForeignPicture),
        PictureInput::Data(data) => Ok(PictureEdit::Upload(data)),
    }
}

fn profile(value: Value) -> Result<Object, Fault> {
    let fault = |pointer: &str, rule| Fault { field: format!("{PROFILE}{pointer}").into(), rule };
    let patch = value.into_object().map_err(|_| fault("", Rule::Object))?;
    attributes::check(&patch).map_err(|(unfit, pointer)| {
        let rule = match unfit {
            Unfit::TooDeep => Rule::TooDeep,
            Unfit::KeyLength => Rule::KeyLength,
            Unfit::NumberRange => Rule::NumberRange,
            Unfit::Nul => Rule::NoControlCharacters,
        };
        fault(&pointer, rule)
    })?;
    Ok(patch)
}

/// The envelope of every successful response.
#[derive(Serialize, ToSchema)]
pub(super) struct Success<Data> {
    pub(super) success: bool,
    pub(super) data: Data,
    pub(super) message: &'static str,
}

/// The profile after a change.
#[derive(Serialize, ToSchema)]
pub(super) struct Updated<'a> {
    user_id: i64,
    #[schema(required)]
    display_name: Option<&'a str>,
    #[schema(required)]
    profile_image_url: Option<Cow<'a, str>>,
    #[schema(schema_with = super::openapi::shown_profile)]
    profile: Cow<'a, Object>,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Renders an account after a change. Fails with [`Error::Internal`] when its attributes cannot be read.
pub(super) fn updated<'a>(
    account: &'a Account,
    rules: &Rules,
    public_url: &str,
) -> Result<Success<Updated<'a>>, Error> {
    let data = Updated {
        user_id: account.number,
        display_name: account.text(Field::DisplayName),
        profile_image_url: picture::shown(account, public_url),
        profile: rules.shown(account.attributes()?),
        updated_at: seconds(account.updated_at),
    };
    Ok(Success { success: true, data, message: "Profile updated successfully" })
}

/// Everything known about the person.
#[derive(Serialize, ToSchema)]
pub(super) struct Me<'a> {
    user: User<'a>,
    #[schema(max_items = 1)]
    emails: Vec<EmailAddress<'a>>,
    /// The person's tenant, as the only organisation.
    #[schema(min_items = 1, max_items = 1)]
    organizations: [Organization<'a>; 1],
    /// Always empty.
    #[schema(value_type = Vec<Object>, max_items = 0)]
    workspaces: [(); 0],
    security: Security<'a>,
}

#[derive(Serialize, ToSchema)]
struct User<'a> {
    id: i64,
    #[schema(required)]
    display_name: Option<&'a str>,
    #[schema(required)]
    primary_email: Option<&'a str>,
    #[schema(required)]
    profile_image_url: Option<Cow<'a, str>>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    is_system_admin: bool,
    /// Always null: disabled accounts are refused.
    #[schema(required, format = DateTime)]
    disabled_at: Option<String>,
    #[schema(schema_with = super::openapi::shown_profile)]
    profile: Cow<'a, Object>,
    /// Always empty.
    #[schema(value_type = Object)]
    user_metadata: Object,
}

#[derive(Serialize, ToSchema)]
struct EmailAddress<'a> {
    email: &'a str,
    verified: bool,
    is_primary: bool,
    #[schema(format = DateTime)]
    created_at: String,
}

#[derive(Serialize, ToSchema)]
struct Organization<'a> {
    id: i64,
    name: &'a str,
    #[schema(required)]
    domain: Option<&'a str>,
    #[schema(required)]
    plan: Option<&'a str>,
    is_admin: bool,
    #[schema(format = DateTime)]
    joined_at: String,
    source: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Security<'a> {
    mfa_enabled: bool,
    /// Always empty.
    #[schema(value_type = Vec<String>, max_items = 0)]
    mfa_methods: [(); 0],
    social_accounts_count: usize,
    connected_providers: Vec<&'a str>,
    total_login_attempts: i64,
    active_sessions: i64,
}

/// Renders an account with its tenant as the only organisation, its identity providers and its number of active sign-ins to
/// applications. Sign-in attempts are not counted. Fails with [`Error::Internal`] when the attributes cannot be read.
pub(super) fn me<'a>(
    account: &'a Account,
    rules: &Rules,
    tenant: &'a Tenant,
    identities: &'a [Identity],
    active_sessions: i64,
    public_url: &str,
) -> Result<Success<Me<'a>>, Error> {
    let created_at = || seconds(account.created_at);
    let email = account.text(Field::Email);
    let data = Me {
        user: User {
            id: account.number,
            display_name: account.text(Field::DisplayName),
            primary_email: email,
            profile_image_url: picture::shown(account, public_url),
            created_at: created_at(),
            updated_at: seconds(account.updated_at),
            is_system_admin: false,
            // Disabled accounts are refused before this point.
            disabled_at: None,
            profile: rules.shown(account.attributes()?),
            user_metadata: Object::new(),
        },
        emails: email
            .map(|email| EmailAddress {
                email,
                verified: account.email_verified,
                is_primary: true,
                created_at: created_at(),
            })
            .into_iter()
            .collect(),
        organizations: [Organization {
            id: tenant.number,
            name: &tenant.name,
            domain: None,
            plan: None,
            is_admin: false,
            joined_at: created_at(),
            source: "tenant",
        }],
        workspaces: [],
        security: Security {
            mfa_enabled: false,
            mfa_methods: [],
            social_accounts_count: identities.len(),
            connected_providers: identities.iter().map(|identity| identity.issuer.as_str()).collect(),
            total_login_attempts: 0,
            active_sessions,
        },
    };
    Ok(Success { success: true, data, message: "User information retrieved successfully" })
}
