//! An object's attributes, in one extended attribute of its file, so that they
//! appear and vanish with it.

use std::fs::File;
use std::io;

use firn_engine::object::{Cause, StoreError};
use object_store::{Attribute, Attributes};
use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};
use rustix::io::Errno;

const NAME: &str = "user.firn.attributes";

/// As S3 limits them; file systems take somewhat more.
const BYTES_MAX: usize = 2048;

/// Whether this file system keeps extended attributes.
pub(super) fn probe(file: &File) -> io::Result<bool> {
    match fsetxattr(file, NAME, b"", XattrFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

fn name(attribute: &Attribute) -> Option<String> {
    Some(match attribute {
        Attribute::ContentDisposition => "content-disposition".into(),
        Attribute::ContentEncoding => "content-encoding".into(),
        Attribute::ContentLanguage => "content-language".into(),
        Attribute::ContentType => "content-type".into(),
        Attribute::CacheControl => "cache-control".into(),
        Attribute::StorageClass => "storage-class".into(),
        Attribute::Metadata(key) => format!("x-{key}"),
        _ => return None,
    })
}

fn parse(name: &str) -> Option<Attribute> {
    Some(match name {
        "content-disposition" => Attribute::ContentDisposition,
        "content-encoding" => Attribute::ContentEncoding,
        "content-language" => Attribute::ContentLanguage,
        "content-type" => Attribute::ContentType,
        "cache-control" => Attribute::CacheControl,
        "storage-class" => Attribute::StorageClass,
        _ => Attribute::Metadata(name.strip_prefix("x-")?.to_owned().into()),
    })
}

/// `name NUL value NUL` for each, by name.
fn encode(attributes: &Attributes) -> Result<String, StoreError> {
    let refused = |what: &str| StoreError::new(Cause::BadRequest, what);
    let mut lines = Vec::new();
    for (attribute, value) in attributes {
        let Some(name) = name(attribute) else {
            let what = format!("attribute {attribute:?} cannot be kept");
            return Err(StoreError::new(Cause::NotSupported, what));
        };
        if name.contains('\0') || value.contains('\0') {
            return Err(refused("an attribute has a zero byte"));
        }
        lines.push(format!("{name}\0{}\0", &**value));
    }
    lines.sort_unstable();
    let encoded = lines.concat();
    if encoded.len() > BYTES_MAX {
        return Err(refused("attributes are longer than 2048 bytes"));
    }
    Ok(encoded)
}

pub(super) fn check(attributes: &Attributes) -> Result<(), StoreError> {
    encode(attributes).map(drop)
}

pub(super) fn set(file: &File, attributes: &Attributes) -> io::Result<()> {
    if attributes.is_empty() {
        return Ok(());
    }
    let encoded = encode(attributes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(fsetxattr(file, NAME, encoded.as_bytes(), XattrFlags::empty())?)
}

pub(super) fn get(file: &File) -> io::Result<Attributes> {
    let mut buffer = [0; BYTES_MAX];
    let len = match fgetxattr(file, NAME, &mut buffer) {
        Ok(len) => len,
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Attributes::new()),
        Err(e) => return Err(e.into()),
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its attributes are damaged");
    let text = str::from_utf8(&buffer[..len]).map_err(|_| damaged())?;
    let mut fields = text.split_terminator('\0');
    let mut attributes = Attributes::new();
    while let Some(name) = fields.next() {
        let value = fields.next().ok_or_else(damaged)?;
        let attribute = parse(name).ok_or_else(damaged)?;
        attributes.insert(attribute, value.to_owned().into());
    }
    Ok(attributes)
}
