//! A client of S3: who we are, where it is, and how connections are made.
//!
//! Each runtime of the process has connections of its own. A connection is
//! driven by a task of the runtime that made it; were they shared, a read
//! that somebody waits for could depend on a runtime that is busy merging.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Builder, Config, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use firn_engine::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::runtime::{Handle, Id};
use url::Url;

use crate::S3Settings;

/// Time for a connection, with its handshake. Long enough for one lost packet.
const CONNECT_TIME: Duration = Duration::from_secs(4);

/// Servers close idle connections after some time; we are to be first.
const IDLE_TIME: Duration = Duration::from_secs(15);

/// Idle connections kept.
const IDLE_CONNECTIONS_MAX: usize = 128;

/// Runtimes with connections at most.
const CLIENTS_MAX: usize = 4;

fn bad(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadRequest, what)
}

/// Refuses what would send data or credentials in the clear by accident.
fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<()> {
    let parsed = Url::parse(endpoint).map_err(|e| bad(format!("endpoint of S3: {e}")))?;
    let host = parsed.host_str().unwrap_or_default();
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(bad(format!("endpoint of S3 at {host}: may not have credentials in it")));
    }
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if allow_http => Ok(()),
        "http" => Err(bad(format!(
            "endpoint of S3 at {host}: is not encrypted; use https:// or set allow_http"
        ))),
        other => Err(bad(format!("endpoint of S3 at {host}: is {other}, not https"))),
    }
}

/// Clients for one bucket's requests, one for each runtime that makes any.
#[derive(Debug)]
pub(super) struct Clients {
    config: Config,
    clients: Mutex<Vec<(Id, Client)>>,
}

impl Clients {
    /// Nothing is sent to S3 yet; roles and profiles are looked up.
    pub(super) async fn new(settings: &S3Settings) -> Result<Self> {
        Ok(Self { config: config(settings).await?, clients: Mutex::default() })
    }

    /// The client of the runtime that this is called in.
    pub(super) fn get(&self) -> Client {
        let here = Handle::current().id();
        let mut clients = self.clients.lock();
        if let Some((_, client)) = clients.iter().find(|(id, _)| *id == here) {
            return client.clone();
        }
        // Those of runtimes that ended are no use to anyone.
        if clients.len() >= CLIENTS_MAX {
            clients.remove(0);
        }
        let config = self.config.to_builder().http_client(http()).build();
        let client = Client::from_conf(config);
        clients.push((here, client.clone()));
        client
    }
}

fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .pool_idle_timeout(IDLE_TIME)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .build_https()
}

async fn config(settings: &S3Settings) -> Result<Config> {
    if let Some(endpoint) = &settings.endpoint {
        check_endpoint(endpoint, settings.allow_http)?;
    }
    let region = settings.region.clone().map(Region::new);
    let explicit = match (&settings.access_key_id, &settings.secret_access_key) {
        (Some(key), Some(secret)) => {
            let token = settings.session_token.clone();
            Some(Credentials::new(key, secret, token, None, "firn"))
        }
        (None, None) => None,
        _ => return Err(bad("access_key_id and secret_access_key go together")),
    };
    let mut builder = match explicit {
        Some(credentials) => Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials),
        None => {
            let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http());
            if let Some(region) = region.clone() {
                loader = loader.region(region);
            } else if settings.endpoint.is_some() {
                loader = loader.region(Region::from_static("us-east-1"));
            }
            let loaded = loader.load().await;
            if let Some(endpoint) = loaded.endpoint_url() {
                check_endpoint(endpoint, settings.allow_http)?;
            }
            if loaded.region().is_none() {
                return Err(bad("the region of S3 is not known; set region or AWS_REGION"));
            }
            Builder::from(&loaded)
        }
    };
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    if let Some(region) = region {
        builder = builder.region(region);
    } else if settings.endpoint.is_some() {
        builder = builder.region(Region::from_static("us-east-1"));
    } else if settings.access_key_id.is_some() {
        return Err(bad("the region of S3 is not known; set region"));
    }
    Ok(builder
        .force_path_style(settings.path_style)
        // Repeating, timing and noticing stalls is done where all stores have
        // it done: once, with the ids that make it safe.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIME).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endpoints_and_half_credentials_are_looked_at_first() {
        let with = |endpoint: &str, allow_http| S3Settings {
            endpoint: Some(endpoint.into()),
            allow_http,
            access_key_id: Some("k".into()),
            secret_access_key: Some("hunter2".into()),
            ..S3Settings::default()
        };
        assert!(config(&with("https://minio:9000", false)).await.is_ok());
        assert!(config(&with("http://minio:9000", true)).await.is_ok());
        for endpoint in ["http://minio:9000", "ftp://minio", "minio", "https://k:hunter2@minio"] {
            let e = config(&with(endpoint, false)).await.unwrap_err();
            assert_eq!(e.kind(), ErrorKind::BadRequest);
            assert!(!e.to_string().contains("hunter2"), "{e}");
        }
        let half = S3Settings { secret_access_key: None, ..with("https://minio", false) };
        let e = config(&half).await.unwrap_err();
        assert!(e.to_string().contains("go together"), "{e}");
        let lost = S3Settings { endpoint: None, ..with("", false) };
        let e = config(&lost).await.unwrap_err();
        assert!(e.to_string().contains("region"), "{e}");
    }
}
