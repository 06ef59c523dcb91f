//! Bodies of requests: read whole, every checksum verified.

use bytes::Bytes;
use futures::StreamExt;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, StreamingBlob};
use s3s::header as names;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders};

/// What a request says about its body.
#[derive(Default)]
pub(crate) struct Claims {
    pub(crate) content_md5: Option<String>,
    pub(crate) checksum: Checksum,
    pub(crate) algorithm: Option<String>,
    pub(crate) trailers: Option<TrailingHeaders>,
}

/// A body, and what was computed of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) md5: [u8; 16],
    pub(crate) checksum: Checksum,
}

fn bad(what: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::BadDigest, what)
}

/// Reads a body and verifies all that its request claims of it.
pub(crate) async fn read(blob: Option<StreamingBlob>, claims: Claims) -> S3Result<Body> {
    let mut whole = Vec::new();
    if let Some(mut stream) = blob {
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| {
                // Of a wrong length, or not what was signed.
                let what = format!("the body cannot be read: {e}");
                S3Error::with_message(S3ErrorCode::InvalidRequest, what)
            })?;
            whole.extend_from_slice(&chunk);
        }
    }
    let claimed = with_trailers(claims.checksum, claims.trailers.as_ref());
    let algorithm = claims.algorithm.unwrap_or_default().to_ascii_uppercase();
    let wants = |name: &str, claim: &Option<String>| claim.is_some() || algorithm == name;
    let mut hasher = ChecksumHasher {
        crc32: wants("CRC32", &claimed.checksum_crc32).then(Crc32::new),
        crc32c: wants("CRC32C", &claimed.checksum_crc32c).then(Crc32c::new),
        crc64nvme: wants("CRC64NVME", &claimed.checksum_crc64nvme).then(Crc64Nvme::new),
        sha1: wants("SHA1", &claimed.checksum_sha1).then(Sha1::new),
        sha256: wants("SHA256", &claimed.checksum_sha256).then(Sha256::new),
    };
    hasher.update(&whole);
    let computed = hasher.finalize();
    let pairs = [
        (&claimed.checksum_crc32, &computed.checksum_crc32),
        (&claimed.checksum_crc32c, &computed.checksum_crc32c),
        (&claimed.checksum_crc64nvme, &computed.checksum_crc64nvme),
        (&claimed.checksum_sha1, &computed.checksum_sha1),
        (&claimed.checksum_sha256, &computed.checksum_sha256),
    ];
    if pairs.iter().any(|(claimed, computed)| claimed.is_some() && claimed != computed) {
        return Err(bad("the checksum you sent does not match the body"));
    }
    let md5: [u8; 16] = Md5::checksum(&whole);
    if claims.content_md5.is_some_and(|claimed| claimed != base64(&md5)) {
        return Err(bad("the Content-MD5 you sent does not match the body"));
    }
    Ok(Body { bytes: whole.into(), md5, checksum: computed })
}

/// Checksums that come after the body count as those before it.
fn with_trailers(mut claimed: Checksum, trailers: Option<&TrailingHeaders>) -> Checksum {
    let Some(headers) = trailers.and_then(TrailingHeaders::take) else { return claimed };
    let get = |name: &hyper::http::HeaderName| {
        headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
    };
    claimed.checksum_crc32 = claimed.checksum_crc32.or(get(&names::X_AMZ_CHECKSUM_CRC32));
    claimed.checksum_crc32c = claimed.checksum_crc32c.or(get(&names::X_AMZ_CHECKSUM_CRC32C));
    claimed.checksum_crc64nvme =
        claimed.checksum_crc64nvme.or(get(&names::X_AMZ_CHECKSUM_CRC64NVME));
    claimed.checksum_sha1 = claimed.checksum_sha1.or(get(&names::X_AMZ_CHECKSUM_SHA1));
    claimed.checksum_sha256 = claimed.checksum_sha256.or(get(&names::X_AMZ_CHECKSUM_SHA256));
    claimed
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut padded = [0; 3];
        padded[..three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for digit in 0..4 {
            if digit <= three.len() {
                let index = (bits >> (18 - 6 * digit)) & 63;
                text.push(char::from(DIGITS[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_standard() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
