//! How values are read.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Location, MASK, Secret};
use crate::bytes::ByteSize;

/// Longest value in bytes: no setting needs more.
const VALUE_LEN_MAX: usize = 4096;

/// Reads where objects are.
pub(super) fn location(url: &str) -> Result<Location, String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(Location::Folder(PathBuf::from(url)));
    };
    if rest.contains('@') {
        // Not shown: what is in front of the sign may be a password.
        return Err("must hold no credentials: set access_key_id and secret_access_key".into());
    }
    match scheme {
        "file" if rest.starts_with('/') => Ok(Location::Folder(PathBuf::from(rest))),
        "file" => Err(format!("{url:?}: a folder's URL has three slashes: file:///folder")),
        "memory" if rest.is_empty() => Ok(Location::Memory),
        "memory" => Err(format!("{url:?}: nothing may follow memory://")),
        "s3" => {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if bucket.is_empty() || !bucket.chars().all(legal) {
                return Err(format!("{url:?}: must be s3://bucket or s3://bucket/prefix"));
            }
            let prefix = prefix.trim_matches('/').to_owned();
            if prefix.split('/').any(|part| part == ".." || part == ".")
                || prefix.contains("//")
                || prefix.contains(['?', '#'])
            {
                return Err(format!("{url:?}: the prefix must be plain names between slashes"));
            }
            Ok(Location::S3 { bucket: bucket.to_owned(), prefix })
        }
        _ => Err(format!("{url:?}: must be a folder, file://, s3:// or memory://")),
    }
}

pub(super) fn text(value: &str) -> Result<String, String> {
    if value.len() > VALUE_LEN_MAX {
        return Err(format!("must be at most {VALUE_LEN_MAX} bytes, is {}", value.len()));
    }
    if value.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(value.to_owned())
}

pub(super) fn flag(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("must be true or false, is {value:?}")),
    }
}

pub(super) fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("must be one of {}, is {value:?}", names.join(", "))
    })
}

pub(super) fn name_of<T: Copy + PartialEq>(value: T, choices: &[(&str, T)]) -> Option<String> {
    choices.iter().find(|(_, choice)| *choice == value).map(|(name, _)| (*name).to_owned())
}

/// Never shows the value, not even in an error.
pub(super) fn secret(value: &str) -> Result<Option<Secret>, String> {
    if value == MASK {
        return Err("is the mask that `firn config` prints in place of the secret".into());
    }
    Ok(Some(Secret::new(text(value)?)))
}

pub(super) fn endpoint(value: &str) -> Result<String, String> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    match rest {
        Some(host) if host.contains('@') => Err("must hold no credentials".into()),
        Some(host) if !host.is_empty() => text(value),
        _ => Err(format!("must start with https:// or http://, is {value:?}")),
    }
}

pub(super) fn listen(value: &str, example: &str) -> Result<SocketAddr, String> {
    let why = || format!("must be an address and a port, such as {example}; is {value:?}");
    value.parse().map_err(|_| why())
}

pub(super) fn listen_or_none(value: &str, port: &str) -> Result<Option<SocketAddr>, String> {
    if value == "none" {
        return Ok(None);
    }
    let address = value.parse().map_err(|_| {
        format!("must be an address and a port, such as 127.0.0.1:{port} or [::]:{port}, or none; is {value:?}")
    });
    address.map(Some)
}

/// Addresses of servers that one setting may name.
const ADDRESSES_MAX: usize = 64;

pub(super) fn addresses(value: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text(value)?.split(',').map(|name| name.trim().to_owned()).collect();
    if names.len() > ADDRESSES_MAX {
        return Err(format!("must be at most {ADDRESSES_MAX} addresses, is {}", names.len()));
    }
    match names.iter().find(|name| !crate::rpc::peers::is_name(name)) {
        Some(name) => Err(format!("must be HOST:PORT, is {name:?}")),
        None => Ok(names),
    }
}

/// Members of a replicated journal: `1=HOST:PORT`, with commas between.
pub(super) fn members(value: &str) -> Result<BTreeMap<u64, String>, String> {
    let mut members = BTreeMap::new();
    for part in text(value)?.split(',') {
        let bad = || format!("must be NUMBER=HOST:PORT, is {:?}", part.trim());
        let (number, address) = part.trim().split_once('=').ok_or_else(bad)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(bad)?;
        if !crate::rpc::peers::is_name(address) {
            return Err(bad());
        }
        if members.insert(number, address.to_owned()).is_some() {
            return Err(format!("member {number} is named twice"));
        }
    }
    if members.len() > MEMBERS_MAX {
        return Err(format!("must be at most {MEMBERS_MAX} members, is {}", members.len()));
    }
    Ok(members)
}

pub(super) fn number<T: FromStr + PartialOrd + Display>(
    value: &str,
    min: T,
    max: T,
) -> Result<T, String> {
    let number = value.parse().ok().filter(|n| *n >= min && *n <= max);
    number.ok_or_else(|| format!("must be a number from {min} to {max}, is {value:?}"))
}

/// Members of a replicated journal.
const MEMBERS_MAX: usize = 15;

pub(super) fn at_least(size: ByteSize, min: ByteSize) -> Result<ByteSize, String> {
    if size < min { Err(format!("must be at least {min}, is {size}")) } else { Ok(size) }
}
