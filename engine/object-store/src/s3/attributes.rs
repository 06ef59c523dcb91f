//! Attributes as headers. The SDK's requests have the same methods but no
//! common trait, hence macros.

/// Sets the attributes of a PUT or of an upload.
macro_rules! apply {
    ($request:expr, $attributes:expr, $path:expr) => {{
        let mut request = $request;
        for (attribute, value) in $attributes {
            let value = value.to_string();
            request = match attribute {
                object_store::Attribute::CacheControl => request.cache_control(value),
                object_store::Attribute::ContentDisposition => request.content_disposition(value),
                object_store::Attribute::ContentEncoding => request.content_encoding(value),
                object_store::Attribute::ContentLanguage => request.content_language(value),
                object_store::Attribute::ContentType => request.content_type(value),
                object_store::Attribute::StorageClass => {
                    request.storage_class(value.as_str().into())
                }
                object_store::Attribute::Metadata(key) => request.metadata(key.as_ref(), value),
                other => {
                    let what = format!("attribute {other:?} cannot be kept");
                    return Err(firn_engine::object::StoreError::new(
                        firn_engine::object::Cause::NotSupported,
                        what,
                    )
                    .at("S3", $path));
                }
            };
        }
        request
    }};
}

/// The attributes in an answer to GET or HEAD.
macro_rules! read {
    ($found:expr) => {{
        use object_store::Attribute;
        let found = &$found;
        let mut attributes = object_store::Attributes::new();
        for (attribute, value) in [
            (Attribute::CacheControl, found.cache_control()),
            (Attribute::ContentDisposition, found.content_disposition()),
            (Attribute::ContentEncoding, found.content_encoding()),
            (Attribute::ContentLanguage, found.content_language()),
            (Attribute::ContentType, found.content_type()),
            (Attribute::StorageClass, found.storage_class().map(|class| class.as_str())),
        ] {
            if let Some(value) = value {
                attributes.insert(attribute, value.to_owned().into());
            }
        }
        for (key, value) in found.metadata().into_iter().flatten() {
            attributes.insert(Attribute::Metadata(key.clone().into()), value.clone().into());
        }
        attributes
    }};
}

pub(super) use {apply, read};
