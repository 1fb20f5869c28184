use jiff::Timestamp;

use super::{Portal, TenantId, enumeration};
use std::str::FromStr;

/// The customer, organisation or institution that accounts belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// The identifier inside this installation.
    pub id: TenantId,
    /// The installation-wide number.
    pub number: i64,
    /// The name that CL2C's `tenant` header carries; unique in the installation.
    pub name: String,
    /// The business identifier, `INST_SYS_<number>` by default; unique in the installation.
    pub biz_id: String,
    /// Whether its accounts may be used.
    pub status: TenantStatus,
    /// The end of the period in which its accounts may be used; `None` if there is no end.
    pub valid_until: Option<Timestamp>,
    /// The portal of accounts that are created without one.
    pub portal: Portal,
    /// The version of the schema for attributes; `None` while there is no schema.
    pub schema: Option<i64>,
    /// When the tenant was created.
    pub created_at: Timestamp,
    /// When an operator last changed it.
    pub updated_at: Timestamp,
}

impl Tenant {
    /// Creates an active tenant without an end, before it is stored; `biz_id` defaults to `INST_SYS_` and the number in at
    /// least three digits.
    pub fn new(
        id: TenantId,
        number: i64,
        name: impl Into<String>,
        biz_id: Option<String>,
        portal: Portal,
        created_at: Timestamp,
    ) -> Tenant {
        Tenant {
            id,
            number,
            name: name.into(),
            biz_id: biz_id.unwrap_or_else(|| format!("INST_SYS_{number:03}")),
            status: TenantStatus::Active,
            valid_until: None,
            portal,
            schema: None,
            created_at,
            updated_at: created_at,
        }
    }

    /// Whether its accounts may be used at this moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == TenantStatus::Active && self.valid_until.is_none_or(|end| now < end)
    }
}

enumeration! {
    /// Whether a tenant's accounts may be used.
    TenantStatus {
        /// In use.
        Active = 10010301, "ACTIVE", "tenant-active";
        /// Taken out of use by an operator.
        Inactive = 10010302, "INACTIVE", "tenant-inactive";
    }
}
