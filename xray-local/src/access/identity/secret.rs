//! Ids, keys and tokens from the system's source of randomness.
//!
//! The forms are those of IAM, so that clients which look at prefixes (`AKIA`, `ASIA`) see what they expect.

/// Letters of ids: those of base 32.
const ID: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Letters of secrets and tokens: those of base 64.
const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The system has no randomness to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoEntropy;

/// An id as IAM forms them: a prefix that says what it is of (`AKIA`, `ASIA`, `AIDA`, `AROA`), and 16 letters.
pub(super) fn id(prefix: &str) -> Result<String, NoEntropy> {
    Ok(format!("{prefix}{}", letters(ID, 16)?))
}

/// The secret of an access key: 40 letters.
pub(super) fn secret() -> Result<String, NoEntropy> {
    letters(SECRET, 40)
}

/// A session token.
pub(super) fn token() -> Result<String, NoEntropy> {
    letters(SECRET, 160)
}

/// Both alphabets have a power of two of letters, so each is as likely as any other.
fn letters(alphabet: &[u8], count: usize) -> Result<String, NoEntropy> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes.into_iter().map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()])).collect())
}
