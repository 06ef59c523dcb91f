//! AES_ENCRYPT and AES_DECRYPT, in blocks without an initialization vector.

use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

use super::{Function, arg, fits_packet};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Result, Site};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("aes_encrypt", (2, 6), encrypted_type, aes_encrypt, "Bytes encrypted by AES")
        .nullable(),
    Function::new("aes_decrypt", (2, 6), decrypted_type, aes_decrypt, "Bytes decrypted by AES")
        .nullable(),
];

/// Bytes of a block.
const BLOCK_BYTES: usize = 16;
/// The variable that names the key's size and the mode.
const MODE_VARIABLE: &str = "block_encryption_mode";

fn encrypted_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let block = BLOCK_BYTES as u64;
    Ok(site.binary(block * (site.byte_length(0) / block + 1)))
}

fn decrypted_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    Ok(site.binary(site.characters(0)))
}

/// Bytes of a key, by the session's mode.
fn key_bytes(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<usize> {
    if call.len() > 3 {
        return Err(SqlError::not_supported_yet("a key derivation for AES"));
    }
    let mode = cx.session.system_variable(MODE_VARIABLE);
    let mode = mode.as_ref().and_then(|(value, _)| value.as_bytes()).unwrap_or(b"aes-128-ecb");
    match mode {
        b"aes-128-ecb" => Ok(16),
        b"aes-192-ecb" => Ok(24),
        b"aes-256-ecb" => Ok(32),
        other => {
            let what = format!("block_encryption_mode = {}", String::from_utf8_lossy(other));
            Err(SqlError::not_supported_yet(&what))
        }
    }
}

/// The bytes of a key of any length, folded onto each other.
fn folded(key: &[u8], length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    for piece in key.chunks(length.max(1)) {
        for (slot, byte) in out.iter_mut().zip(piece) {
            *slot ^= byte;
        }
    }
    out
}

/// The first argument and the key; `None` if one of them is NULL.
fn operands(
    call: &Call<'_>,
    name: &str,
    encrypting: bool,
    cx: &mut Cx<'_>,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let length = key_bytes(call, cx)?;
    let (text, key) = (call.text(0, cx)?, call.text(1, cx)?);
    if call.len() == 3 {
        cx.warn(SqlError::new(code::WARN_OPTION_IGNORED, &["IV".into()]));
    }
    let (Some(text), Some(key)) = (text, key) else { return Ok(None) };
    if encrypting && key.len() > length {
        cx.warn(SqlError::new(code::WARN_AES_KEY_SIZE, &[(length as u64).into()]));
    }
    if !fits_packet((text.len() + BLOCK_BYTES) as u64, name, cx) {
        return Ok(None);
    }
    Ok(Some((text.into_owned(), folded(&key, length))))
}

fn encrypt_with<C: BlockCipherEncrypt + KeyInit>(key: &[u8], bytes: &mut [u8]) -> Option<()> {
    let cipher = C::new_from_slice(key).ok()?;
    for chunk in bytes.chunks_exact_mut(BLOCK_BYTES) {
        let mut block = Block::<C>::try_from(&*chunk).ok()?;
        cipher.encrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    Some(())
}

fn decrypt_with<C: BlockCipherDecrypt + KeyInit>(key: &[u8], bytes: &mut [u8]) -> Option<()> {
    let cipher = C::new_from_slice(key).ok()?;
    for chunk in bytes.chunks_exact_mut(BLOCK_BYTES) {
        let mut block = Block::<C>::try_from(&*chunk).ok()?;
        cipher.decrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    Some(())
}

fn aes_encrypt(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let (mut bytes, key) = arg!(operands(call, "aes_encrypt", true, cx));
    // As many bytes as are missing, each of that number.
    let padding = BLOCK_BYTES - bytes.len() % BLOCK_BYTES;
    bytes.resize(bytes.len() + padding, padding as u8);
    let done = match key.len() {
        16 => encrypt_with::<Aes128>(&key, &mut bytes),
        24 => encrypt_with::<Aes192>(&key, &mut bytes),
        _ => encrypt_with::<Aes256>(&key, &mut bytes),
    };
    Ok(done.map_or(Value::Null, |()| Value::from(bytes)))
}

fn aes_decrypt(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let (mut bytes, key) = arg!(operands(call, "aes_decrypt", false, cx));
    if bytes.is_empty() || bytes.len() % BLOCK_BYTES != 0 {
        return Ok(Value::Null);
    }
    let done = match key.len() {
        16 => decrypt_with::<Aes128>(&key, &mut bytes),
        24 => decrypt_with::<Aes192>(&key, &mut bytes),
        _ => decrypt_with::<Aes256>(&key, &mut bytes),
    };
    let padding = bytes.last().map_or(0, |last| usize::from(*last));
    let good = (1..=BLOCK_BYTES).contains(&padding)
        && bytes.iter().rev().take(padding).all(|byte| usize::from(*byte) == padding);
    if done.is_none() || !good {
        return Ok(Value::Null);
    }
    bytes.truncate(bytes.len() - padding);
    Ok(Value::from(bytes))
}
