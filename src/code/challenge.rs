//! Proof key for code exchange (RFC 7636): a code that was requested with a challenge is valid only with its verifier.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The SHA-256 of a verifier (the method S256 of RFC 7636 §4.2): a secret that only the client which requested the code has.
#[derive(Clone, Copy)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads a challenge: 43 characters of base64url that encode 32 bytes, without padding; `None` for any other text.
    pub fn parse(text: &str) -> Option<CodeChallenge> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(CodeChallenge)
    }

    /// Computes the challenge of a verifier; `None` unless it is 43 to 128 unreserved characters (RFC 7636 §4.1).
    pub fn of_verifier(verifier: &str) -> Option<CodeChallenge> {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_valid = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
        let hash = is_valid.then(|| digest(&SHA256, verifier.as_bytes()))?;
        hash.as_ref().try_into().ok().map(CodeChallenge)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_challenge_of_a_verifier_is_that_of_the_standards_example() {
        let given = CodeChallenge::parse(CHALLENGE).unwrap();
        assert_eq!(CodeChallenge::of_verifier(VERIFIER).unwrap().as_bytes(), given.as_bytes());
        assert_ne!(CodeChallenge::of_verifier(&format!("{VERIFIER}~")).unwrap().as_bytes(), given.as_bytes());
    }

    #[test]
    fn a_challenge_is_43_characters_of_canonical_base64url() {
        let (shorter, longer) = (&CHALLENGE[..42], format!("{CHALLENGE}A"));
        let padded = format!("{CHALLENGE}=");
        let (other_alphabet, other_bits) = (CHALLENGE.replace('-', "+"), CHALLENGE.replace("cM", "cN"));
        for text in ["", shorter, &longer, &padded, &other_alphabet, &other_bits, &"\u{e9}".repeat(43)] {
            assert!(CodeChallenge::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        for verifier in ["a".repeat(43), "~".repeat(128), format!("{}-._~", "0".repeat(39))] {
            assert!(CodeChallenge::of_verifier(&verifier).is_some(), "{verifier}");
        }
        for verifier in ["a".repeat(42), "a".repeat(129), "+".repeat(43), "\u{e9}".repeat(43), String::new()] {
            assert!(CodeChallenge::of_verifier(&verifier).is_none(), "{verifier}");
        }
    }
}
