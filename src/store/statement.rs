//! SQL that both databases run: written once with SQLite's `?1`, read by PostgreSQL as `$1`.

/// One statement in both spellings.
#[derive(Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// The PostgreSQL spelling of a statement.
pub(crate) const fn with_dollars<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let bytes = text.as_bytes();
    let mut spelled = [0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        spelled[at] = if bytes[at] == b'?' { b'$' } else { bytes[at] };
        at += 1;
    }
    spelled
}

/// Makes a [`Statement`] from text in which no `?` stands but for a parameter.
macro_rules! statement {
    ($($part:expr),+ $(,)?) => { $crate::store::statement::statement_of!(concat!($($part),+)) };
}
pub(crate) use statement;

/// The same, from a constant.
macro_rules! statement_of {
    ($text:expr) => {{
        const SQLITE: &str = $text;
        const POSTGRES: [u8; SQLITE.len()] = $crate::store::statement::with_dollars(SQLITE);
        $crate::store::statement::Statement {
            sqlite: SQLITE,
            postgres: match str::from_utf8(&POSTGRES) {
                Ok(text) => text,
                Err(_) => panic!("statements are UTF-8"),
            },
        }
    }};
}
pub(crate) use statement_of;

/// The columns of an account, in the order of `record::account` and `record::account_parameters`.
macro_rules! account_columns {
    () => {
        "a.id, a.number, a.tenant_id, a.biz_id, a.portal, a.status, a.personal_key, a.display_name, a.given_name, \
         a.family_name, a.nickname, a.username, a.email, a.phone, a.language, a.time_zone, a.country, a.remark, \
         a.picture, a.attributes, a.push_token, a.wallet_address, a.auth_location, a.email_verified, a.phone_verified, \
         a.authenticated, a.auth_valid_until, a.version, a.created_at, a.updated_at, a.history_head"
    };
}
pub(crate) use account_columns;

/// The columns of a tenant, in the order of `record::tenant` and `record::tenant_parameters`, and behind them the version
/// of its schema, which is set by itself.
macro_rules! tenant_columns {
    () => {
        "t.id, t.number, t.name, t.biz_id, t.status, t.valid_until, t.portal, t.created_at, t.updated_at, \
         (SELECT s.version FROM attribute_schema s WHERE s.tenant_id = t.id AND s.document IS NOT NULL)"
    };
}
pub(crate) use tenant_columns;

/// The assignments that write an account; the parameters are those of `record::account_parameters`.
macro_rules! account_assignments {
    () => {
        "number = ?2, tenant_id = ?3, biz_id = ?4, portal = ?5, status = ?6, personal_key = ?7, display_name = ?8, \
         given_name = ?9, family_name = ?10, nickname = ?11, username = ?12, email = ?13, phone = ?14, language = ?15, \
         time_zone = ?16, country = ?17, remark = ?18, picture = ?19, attributes = ?20, push_token = ?21, \
         wallet_address = ?22, auth_location = ?23, email_verified = ?24, phone_verified = ?25, authenticated = ?26, \
         auth_valid_until = ?27, version = ?28, created_at = ?29, updated_at = ?30, history_head = ?31"
    };
}
pub(crate) use account_assignments;
