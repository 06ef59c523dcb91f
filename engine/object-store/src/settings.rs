//! What S3 needs to know beside the URL.

use std::fmt;

/// Settings of S3 and what speaks like it. What is not set comes from the
/// environment, as usual for AWS: variables, profile files, container or machine role.
#[derive(Clone, Default)]
pub struct S3Settings {
    /// Another server than AWS, as `https://host:port`.
    pub endpoint: Option<String>,
    /// The region. With an endpoint, `us-east-1` if nothing says otherwise.
    pub region: Option<String>,
    /// Bucket names in the path instead of the host name: MinIO, Ceph, tests.
    pub path_style: bool,
    /// Allows an endpoint without encryption.
    pub allow_http: bool,
    /// The key; goes with the secret.
    pub access_key_id: Option<String>,
    /// The secret; goes with the key.
    pub secret_access_key: Option<String>,
    /// Of credentials that are only valid for a while.
    pub session_token: Option<String>,
}

/// Set or not is all that is said of credentials.
impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |secret: &Option<String>| secret.as_ref().map(|_| "********");
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("path_style", &self.path_style)
            .field("allow_http", &self.allow_http)
            .field("access_key_id", &masked(&self.access_key_id))
            .field("secret_access_key", &masked(&self.secret_access_key))
            .field("session_token", &masked(&self.session_token))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let settings = S3Settings {
            access_key_id: Some("AKIA123".into()),
            secret_access_key: Some("hunter2".into()),
            session_token: Some("token3".into()),
            ..S3Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(!["AKIA123", "hunter2", "token3"].iter().any(|s| shown.contains(s)), "{shown}");
    }
}
