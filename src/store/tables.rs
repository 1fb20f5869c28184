//! Every table with its columns: the one list from which statements, rows and copies are made.

use jiff::Timestamp;
use uuid::Uuid;

use super::stored::Plain;
use super::table::{Column, Table, tables};
use crate::account::{AccountId, Digest, Field, Portal, Status, TenantId, TenantStatus};
use crate::keys::KeyedHash;

tables! {
    INSTALLATION = installation { name: String; value: String }

    COUNTER = counter where "last = 0" { name: String; last: i64 }

    SECRET = secret { purpose: String, generation: i64; sealed: Vec<u8>, created_at: Timestamp }

    SIGNING_KEY = signing_key {
        key_id: String;
        algorithm: String,
        public_key: String,
        sealed: Vec<u8>,
        created_at: Timestamp,
        retired_at: Option<Timestamp>,
    }

    TENANT = tenant {
        id: TenantId;
        number: i64,
        name: String,
        biz_id: String,
        status: TenantStatus,
        valid_until: Option<Timestamp>,
        portal: Portal,
        created_at: Timestamp,
        updated_at: Timestamp,
    }

    ACCOUNT = account {
        id: AccountId;
        number: i64,
        tenant_id: TenantId,
        biz_id: String,
        portal: Portal,
        status: Status,
        personal_key: Plain,
        email_verified: bool,
        phone_verified: bool,
        authenticated: bool,
        auth_valid_until: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        history_head: Digest,
        day_began_at: Option<Timestamp>,
        picture_bytes: i64,
        history_bytes: i64,
    } + Field::ALL

    UNIQUE_KEY = unique_key { tenant_id: TenantId, kind: String, key: KeyedHash; account_id: AccountId }

    HISTORY = history {
        account_id: AccountId, sequence: i64;
        at: Timestamp,
        actor: String,
        contract: String,
        request_id: String,
        commitment: Digest,
        link: Digest,
        sealing_key: Option<i64>,
        payload: Option<Vec<u8>>,
        salt: Option<KeyedHash>,
    }

    IDENTITY = identity {
        issuer: String, subject_key: KeyedHash;
        account_id: AccountId,
        personal_key: Plain,
        subject: Vec<u8>,
        created_at: Timestamp,
    }

    CLIENT_BINDING = client_binding {
        account_id: AccountId, session: KeyedHash;
        client_hash: KeyedHash,
        expires_at: Timestamp,
    }

    REVOKED_TOKEN = revoked_token { account_id: AccountId, token: KeyedHash; expires_at: Timestamp }

    TOKEN_HORIZON = token_horizon { account_id: AccountId; not_before: Timestamp }

    API_KEY = api_key {
        hash: KeyedHash;
        id: Uuid,
        tenant_id: TenantId,
        account_id: Option<AccountId>,
        name: String,
        created_at: Timestamp,
        expires_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
        last_used_at: Option<Timestamp>,
    }

    STORED_PICTURE = stored_picture {
        account_id: AccountId, name: String;
        state: String,
        changed_at: Timestamp,
    }

    APPLICATION = application {
        id: String;
        tenant_id: TenantId,
        name: String,
        kind: String,
        grants: String,
        claims: String,
        auto_signup: bool,
        token_lifetime: i64,
        secret_hash: Option<KeyedHash>,
        created_at: Timestamp,
        updated_at: Timestamp,
        writes: Option<String>,
    }

    APPLICATION_ORIGIN = application_origin { origin: String, application_id: String; }

    SIGN_IN = sign_in {
        id: Uuid;
        account_id: AccountId,
        application_id: String,
        started_at: Timestamp,
        expires_at: Timestamp,
        ended_at: Option<Timestamp>,
    }

    REFRESH_TOKEN = refresh_token {
        hash: KeyedHash;
        sign_in_id: Uuid,
        issued_at: Timestamp,
        expires_at: Timestamp,
        access_token: KeyedHash,
        access_ends_at: Timestamp,
        successor: Option<KeyedHash>,
        spent_at: Option<Timestamp>,
    }

    ATTRIBUTE_SCHEMA = attribute_schema {
        tenant_id: TenantId;
        version: i64,
        document: Option<Vec<u8>>,
        set_at: Timestamp,
    }

    ONE_TIME_CODE = one_time_code {
        slot: KeyedHash;
        id: Uuid,
        token: KeyedHash,
        binding: KeyedHash,
        code: KeyedHash,
        tries: i64,
        code_expires_at: Timestamp,
        expires_at: Timestamp,
        contact: Option<Vec<u8>>,
        older_id: Option<Uuid>,
        older_token: Option<KeyedHash>,
        older_binding: Option<KeyedHash>,
        older_code: Option<KeyedHash>,
        older_tries: Option<i64>,
        older_code_expires_at: Option<Timestamp>,
        older_contact: Option<Vec<u8>>,
    }

    USED_CODE = used_code {
        slot: KeyedHash;
        id: Uuid,
        binding: KeyedHash,
        code: KeyedHash,
        tries: i64,
        expires_at: Timestamp,
        contact: Vec<u8>,
        previous: Option<Vec<u8>>,
    }

    SENT_CODE = sent_code { recipient: KeyedHash; last_at: Timestamp, day_began_at: Timestamp, count: i64 }

    NOTICE = notice {
        id: Uuid;
        medium: String,
        sealing_key: i64,
        sealed: Vec<u8>,
        attempts: i64,
        due_at: Timestamp,
        expires_at: Timestamp,
    }

    CHANNEL_KEY = channel_key {
        key_id: String;
        kind: String,
        public_key: String,
        sealed: Vec<u8>,
        created_at: Timestamp,
        retired_at: Option<Timestamp>,
    }

    CHANNEL_SESSION = channel_session {
        id: Vec<u8>;
        sealed: Vec<u8>,
        source: KeyedHash,
        created_at: Timestamp,
        expires_at: Timestamp,
        account_id: Option<AccountId>,
        client: Option<KeyedHash>,
        messages: i64,
    }

    CHANNEL_NONCE = channel_nonce {
        scope: Vec<u8>, nonce: Vec<u8>;
        account_id: Option<AccountId>,
        expires_at: Timestamp,
    }
}
