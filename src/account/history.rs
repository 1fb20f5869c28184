//! A history that can be erased and still verifies.
//!
//! An entry consists of metadata, a commitment to its payload, and the sealed payload. The chain hashes the previous link,
//! the metadata and the commitment, so that deleting payload and salt (erasure) leaves the chain intact, while any other
//! change to a row, or its absence, is detected.

use aws_lc_rs::digest;
use jiff::Timestamp;

use super::{AccountId, Change, Contract};
use crate::json::{Object, Value};

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The link that precedes the first entry of an account.
    pub const START: Digest = Digest([0; 32]);

    fn of(parts: &[&[u8]]) -> Digest {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut value = [0; 32];
        value.copy_from_slice(context.finish().as_ref());
        Digest(value)
    }
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The person whose account it is.
    Owner,
    /// A person who operates the installation.
    Operator,
    /// selfsame itself: provisioning, imports, migrations, clean-up.
    System,
}

impl Actor {
    /// The name in the database and in listings.
    pub fn name(self) -> &'static str {
        match self {
            Actor::Owner => "owner",
            Actor::Operator => "operator",
            Actor::System => "system",
        }
    }
}

/// The context of a change, recorded in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeContext {
    /// Who made it.
    pub actor: Actor,
    /// The contract's name; outside contracts `cli`, `import`, `migration` or `provisioning`.
    pub contract: &'static str,
    /// The request's identifier, as returned to the client: this installation's own, or a trusted proxy's; empty outside
    /// requests.
    pub request_id: String,
    /// The address that the request came from; personal, so it is sealed.
    pub source_address: Option<String>,
    /// The client's name for itself; personal, so it is sealed.
    pub user_agent: Option<String>,
    /// What the client calls the request, if that is not its identifier; may be personal, so it is sealed.
    pub client_request_id: Option<String>,
}

impl ChangeContext {
    /// A change by the account's owner, through a contract.
    pub fn owner(contract: Contract, request_id: &str) -> ChangeContext {
        ChangeContext {
            actor: Actor::Owner,
            contract: contract.name(),
            request_id: request_id.to_owned(),
            source_address: None,
            user_agent: None,
            client_request_id: None,
        }
    }

    /// An import of an account from another system.
    pub fn import() -> ChangeContext {
        ChangeContext { actor: Actor::System, contract: "import", ..ChangeContext::operator() }
    }

    /// A change that a new version makes to an account of an earlier one.
    pub fn migration() -> ChangeContext {
        ChangeContext { actor: Actor::System, contract: "migration", ..ChangeContext::operator() }
    }

    /// A change from the command line.
    pub fn operator() -> ChangeContext {
        ChangeContext {
            actor: Actor::Operator,
            contract: "cli",
            request_id: String::new(),
            source_address: None,
            user_agent: None,
            client_request_id: None,
        }
    }
}

/// The part of an entry that is never erased.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// The account that the entry belongs to.
    pub account_id: AccountId,
    /// The account's version after the change; entries count from 1 without gaps.
    pub sequence: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// The name from [`ChangeContext::contract`].
    pub contract: String,
    /// The request's identifier.
    pub request_id: String,
}

/// The part of an entry that erasure deletes.
#[derive(Clone, PartialEq)]
pub struct SealedPayload {
    /// The generation of the history key that sealed it.
    pub key: i64,
    /// The sealed payload.
    pub payload: Vec<u8>,
    /// Random; without it the commitment would confirm guesses about erased values.
    pub salt: [u8; 32],
}

/// One recorded change.
#[derive(Clone)]
pub struct Entry {
    /// Who made the change, when, and through what.
    pub metadata: Metadata,
    /// SHA-256(salt ‖ payload).
    pub commitment: Digest,
    /// SHA-256(previous link ‖ metadata ‖ commitment).
    pub link: Digest,
    /// What changed; gone after erasure.
    pub sealed: Option<SealedPayload>,
}

impl Entry {
    /// Returns how many bytes the entry stores, without what each row of a database takes.
    pub fn bytes(&self) -> usize {
        let Metadata { actor, contract, request_id, .. } = &self.metadata;
        let sealed = self.sealed.as_ref().map_or(0, |sealed| sealed.payload.len() + sealed.salt.len());
        sealed + self.commitment.0.len() + self.link.0.len() + actor.len() + contract.len() + request_id.len()
    }
}

/// Serialises the changes, the client's address and name, and its name for the request as JSON: the payload before it is
/// sealed.
pub fn payload(changes: &[Change], context: &ChangeContext) -> Vec<u8> {
    let changes = changes.iter().map(|change| {
        Value::Object(Object::from_iter([
            ("field".to_owned(), Value::from(change.field)),
            ("before".to_owned(), change.before.clone()),
            ("after".to_owned(), change.after.clone()),
        ]))
    });
    let mut payload = Object::from_iter([("changes".to_owned(), Value::Array(changes.collect()))]);
    for (name, value) in [
        ("source_address", &context.source_address),
        ("user_agent", &context.user_agent),
        ("client_request_id", &context.client_request_id),
    ] {
        if let Some(value) = value {
            payload.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    Value::Object(payload).to_text().into_bytes()
}

/// Commits to a payload without revealing it.
pub fn commit(salt: &[u8; 32], payload: &[u8]) -> Digest {
    Digest::of(&[salt, payload])
}

/// Computes the next link of the chain.
pub fn link(previous: Digest, metadata: &Metadata, commitment: Digest) -> Digest {
    let mut encoded = b"selfsame history 1".to_vec();
    encoded.extend(previous.0);
    encoded.extend(metadata.account_id.0.as_bytes());
    encoded.extend(metadata.sequence.to_be_bytes());
    encoded.extend(metadata.at.as_microsecond().to_be_bytes());
    // Each text is preceded by its length, so that no two lists of texts have the same encoding.
    for text in [&metadata.actor, &metadata.contract, &metadata.request_id] {
        encoded.extend((text.len() as u64).to_be_bytes());
        encoded.extend(text.as_bytes());
    }
    encoded.extend(commitment.0);
    Digest::of(&[&encoded])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        Metadata {
            account_id: AccountId(uuid::Uuid::nil()),
            sequence: 1,
            at: Timestamp::UNIX_EPOCH,
            actor: "owner".into(),
            contract: "system".into(),
            request_id: "r1".into(),
        }
    }

    #[test]
    fn every_part_of_an_entry_changes_the_link() {
        let commitment = commit(&[7; 32], b"{}");
        let base = link(Digest::START, &metadata(), commitment);
        let others = [
            link(Digest([1; 32]), &metadata(), commitment),
            link(Digest::START, &metadata(), commit(&[8; 32], b"{}")),
            link(Digest::START, &Metadata { sequence: 2, ..metadata() }, commitment),
            link(Digest::START, &Metadata { at: Timestamp::from_second(1).unwrap(), ..metadata() }, commitment),
            link(Digest::START, &Metadata { actor: "operator".into(), ..metadata() }, commitment),
            link(
                Digest::START,
                &Metadata { actor: "ownersys".into(), contract: "tem".into(), ..metadata() },
                commitment,
            ),
            link(Digest::START, &Metadata { request_id: "r2".into(), ..metadata() }, commitment),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
