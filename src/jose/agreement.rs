use aws_lc_rs::agreement::{UnparsedPublicKey, agree};
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};

use super::key::{AgreementKey, PublicKey};

/// The input of the key derivation besides the agreed secret (RFC 7518 §4.6.2).
pub(super) struct Context<'a> {
    /// The algorithm that the key is for.
    pub(super) algorithm: &'a str,
    pub(super) party_u: &'a [u8],
    pub(super) party_v: &'a [u8],
}

/// Agrees on a secret and derives a key of `LENGTH` bytes from it; `None` if the other key is for another curve, not on
/// it, or of small order.
pub(super) fn derive<const LENGTH: usize>(
    ours: &AgreementKey,
    theirs: &PublicKey,
    context: &Context<'_>,
) -> Option<[u8; LENGTH]> {
    if ours.curve != theirs.curve {
        return None;
    }
    let theirs = UnparsedPublicKey::new(ours.curve.agreement(), theirs.point.as_slice());
    agree(&ours.private, theirs, (), |secret| concat_kdf(secret, context)).ok()
}

/// The Concat KDF (NIST SP 800-56A §5.8.1) with SHA-256, with its input in the order of RFC 7518 §4.6.2.
fn concat_kdf<const LENGTH: usize>(secret: &[u8], context: &Context<'_>) -> Result<[u8; LENGTH], ()> {
    let mut info = Vec::new();
    for part in [context.algorithm.as_bytes(), context.party_u, context.party_v] {
        info.extend(u32::try_from(part.len()).map_err(drop)?.to_be_bytes());
        info.extend(part);
    }
    info.extend(u32::try_from(LENGTH * 8).map_err(drop)?.to_be_bytes());
    let digest = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(())?;
    let mut key = [0; LENGTH];
    sskdf_digest(digest, secret, &info, &mut key).map_err(drop)?;
    Ok(key)
}
