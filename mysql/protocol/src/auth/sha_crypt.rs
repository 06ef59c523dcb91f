//! The "SHA-crypt" password hash with SHA-256, as the Unix crypt function has
//! it, but with salts of any length: MySQL's have 20 bytes.

use super::caching_sha2::sha256;

/// Characters of a digest.
pub(super) const DIGEST_CHARS: usize = 43;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `bytes`, repeated to `len` bytes.
fn repeated(bytes: &[u8], len: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(len).collect()
}

/// The digest of `password` with `salt`, as text.
pub(super) fn sha256_crypt(password: &[u8], salt: &[u8], rounds: u32) -> [u8; DIGEST_CHARS] {
    let alternate = sha256(&[password, salt, password]);
    let stretched = repeated(&alternate, password.len());
    let mut start: Vec<&[u8]> = vec![password, salt, &stretched];
    let mut bits = password.len();
    while bits > 0 {
        start.push(if bits & 1 == 1 { &alternate } else { password });
        bits >>= 1;
    }
    let mut digest = sha256(&start);

    let p = repeated(&sha256(&vec![password; password.len()]), password.len());
    let s = repeated(&sha256(&vec![salt; 16 + usize::from(digest[0])]), salt.len());
    for round in 0..rounds {
        let odd = round % 2 == 1;
        let first: &[u8] = if odd { &p } else { &digest };
        let last: &[u8] = if odd { &digest } else { &p };
        let by_three: &[u8] = if round % 3 == 0 { &[] } else { &s };
        let by_seven: &[u8] = if round % 7 == 0 { &[] } else { &p };
        digest = sha256(&[first, by_three, by_seven, last]);
    }
    to_text(&digest)
}

/// Six bits a character, from the bytes in the hash's own order.
fn to_text(digest: &[u8; 32]) -> [u8; DIGEST_CHARS] {
    let mut out = [0; DIGEST_CHARS];
    let mut at = 0;
    let mut put = |mut group: u32, chars: usize| {
        for _ in 0..chars {
            out[at] = ALPHABET[group as usize & 63];
            group >>= 6;
            at += 1;
        }
    };
    let (mut a, mut b, mut c) = (0, 10, 20);
    for _ in 0..10 {
        let byte = |i: usize| u32::from(digest[i]);
        put(byte(a) << 16 | byte(b) << 8 | byte(c), 4);
        (a, b, c) = (c + 1, a + 1, b + 1);
    }
    put(u32::from(digest[31]) << 8 | u32::from(digest[30]), 3);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From crypt(3) of glibc: `$5$rounds=ROUNDS$SALT`.
    #[test]
    fn digests_are_those_of_crypt() {
        for (password, salt, rounds, expected) in [
            ("Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
            (
                "Hello world!",
                "saltstringsaltst",
                10000,
                "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
            ),
            ("a", "x", 1000, "SQwVBUy5LmuITCN/Pzolg3R9CfHva3WZZYnD1O10qB5"),
            (
                "we have a short salt string but not a short password, longer than thirty-two",
                "anotherlongsalts",
                1400,
                "5Opk7d5h0IJmotV0ei8TCIT0.jpEbk9WpzHkTo0/GQD",
            ),
        ] {
            let digest = sha256_crypt(password.as_bytes(), salt.as_bytes(), rounds);
            assert_eq!(str::from_utf8(&digest), Ok(expected));
        }
    }
}
