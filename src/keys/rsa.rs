//! DER encoding of RSA public keys of 2048 bits with the exponent 65537, the only ones that this installation
//! generates.

/// The bytes before and after the modulus in an RSAPublicKey (RFC 8017 §A.1.1).
const PUBLIC_KEY: (&[u8], &[u8]) =
    (&[0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00], &[0x02, 0x03, 0x01, 0x00, 0x01]);
/// The bytes before an RSAPublicKey in its SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8017 §A.1).
const SUBJECT_PUBLIC_KEY_INFO: &[u8] = &[
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    0x03, 0x82, 0x01, 0x0f, 0x00,
];
/// Length of the modulus in bytes.
const MODULUS: usize = 256;

/// The exponent as encoded in a JWK (RFC 7518 §6.3.1.2).
pub const EXPONENT: &str = "AQAB";

/// Returns the modulus of an RSAPublicKey; `None` for a key of another size or exponent.
pub fn modulus(public_key: &[u8]) -> Option<&[u8]> {
    let modulus = public_key.strip_prefix(PUBLIC_KEY.0)?.strip_suffix(PUBLIC_KEY.1)?;
    (modulus.len() == MODULUS).then_some(modulus)
}

/// Returns the modulus of a SubjectPublicKeyInfo; `None` for a key of another kind, size or exponent.
pub fn modulus_of_spki(spki: &[u8]) -> Option<&[u8]> {
    modulus(spki.strip_prefix(SUBJECT_PUBLIC_KEY_INFO)?)
}

/// Returns the SubjectPublicKeyInfo of a 2048-bit modulus; `None` for another size.
pub fn spki(modulus: &[u8]) -> Option<Vec<u8>> {
    let parts = [SUBJECT_PUBLIC_KEY_INFO, PUBLIC_KEY.0, modulus, PUBLIC_KEY.1];
    (modulus.len() == MODULUS).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;

    #[test]
    fn both_forms_of_a_key_have_the_same_modulus_and_convert_back() {
        let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let from_public_key = modulus(pair.public_key().as_ref()).unwrap();
        let x509: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        assert_eq!(modulus_of_spki(x509.as_ref()), Some(from_public_key));
        assert_eq!(spki(from_public_key).as_deref(), Some(x509.as_ref()));
    }

    #[test]
    fn a_key_of_another_size_is_refused() {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa3072).unwrap().public_key();
        let x509: PublicKeyX509Der<'_> = key.as_der().unwrap();
        assert_eq!(modulus_of_spki(x509.as_ref()), None);
        assert_eq!(spki(&[1; 255]), None);
    }
}
