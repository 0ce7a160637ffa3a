//! Puts the room together: settings in, a signed client and what else is known of the surroundings out.
//!
//! The only place that knows in which order the parts come about: trust, proxy, region, endpoint, credentials. Called
//! once by `run`, and by tests with credentials of their own.

use std::path::PathBuf;
use std::sync::Arc;

use hyper::http::HeaderValue;
use log::{debug, info, warn};

use super::clock::Clock;
use super::credentials::{CredentialStore, Search, configuration, http_client};
use super::endpoint::{Endpoint, EndpointError};
use super::http::{Limits, Proxy, ProxyError, Transport, Trust, TrustError};
use super::metadata::Metadata;
use super::region::{NoRegion, Region};
use super::signed::SignedClient;
use crate::config::{Config, Environment};

/// The part of the configuration about AWS.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `-n` or `Region`.
    pub region: Option<String>,
    /// `--endpoint` or `Endpoint`.
    pub endpoint: Option<String>,
    /// `-p` or `ProxyAddress`.
    pub proxy: Option<String>,
    /// `-r` or `RoleARN`.
    pub role: Option<String>,
    /// `-o` or `LocalMode`: no metadata of the instance is asked for region and host name.
    pub local_mode: bool,
    /// `NoVerifySSL`.
    pub no_verify_ssl: bool,
    /// Time limits.
    pub limits: Limits,
    /// The environment.
    pub environment: Environment,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            region: config.region.clone(),
            endpoint: config.endpoint.clone(),
            proxy: config.proxy_address.clone(),
            role: config.role_arn.clone(),
            local_mode: config.local_mode,
            no_verify_ssl: config.no_verify_ssl,
            limits: Limits::default(),
            environment: config.environment.clone(),
        }
    }
}

/// The reason why the daemon can't start.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// No region is known.
    Region(NoRegion),
    /// The endpoint is no URL.
    Endpoint(EndpointError),
    /// The proxy's address is no URL.
    Proxy(ProxyError),
    /// There is no TLS client to be had.
    Trust(TrustError),
}

impl std::fmt::Display for SetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Region(error) => error.fmt(f),
            Self::Endpoint(error) => error.fmt(f),
            Self::Proxy(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetupError {}

/// The parts of AWS that the other rooms use.
#[derive(Clone)]
#[non_exhaustive]
pub struct Aws {
    /// Uploads, telemetry and the relay.
    pub client: SignedClient,
    /// The region, and where it was found.
    pub region: Region,
    /// The instance's metadata, for the telemetry's host name.
    pub metadata: Metadata,
}

impl Aws {
    /// Finds region and endpoint, and makes the client.
    ///
    /// Credentials are searched for with the first call.
    ///
    /// # Errors
    ///
    /// If there is no region, or a setting can't be used: the cases in which the original ends with status 1.
    pub async fn set_up(settings: &Settings) -> Result<Self, SetupError> {
        let environment = &settings.environment;
        let bundle = environment.get("AWS_CA_BUNDLE").map(PathBuf::from);
        let machine_or_bundle = bundle.map_or(Trust::Machine, Trust::Bundle);
        let trust = if settings.no_verify_ssl { Trust::Anything } else { machine_or_bundle.clone() };
        let proxy = Proxy::new(settings.proxy.as_deref(), environment).map_err(SetupError::Proxy)?;
        debug!("Using proxy address: {}", proxy.address().unwrap_or_default());
        let http = http_client(&machine_or_bundle, &proxy);
        let config = configuration(&http, None);
        let metadata = Metadata::new(settings.local_mode, environment, &config);
        let region =
            Region::find(settings.region.as_deref(), settings.local_mode, environment, &metadata, &config)
                .await
                .map_err(SetupError::Region)?;
        info!("Using region: {}", region.name);
        let endpoint = Endpoint::resolve(settings.endpoint.as_deref(), &region.name, environment)
            .map_err(SetupError::Endpoint)?;
        info!("Using endpoint: {endpoint} (from {})", endpoint.source());
        let clock = Arc::new(Clock::default());
        let role = settings.role.clone().filter(|role| !role.is_empty());
        let search = Search { http, region: region.name.clone(), role };
        let credentials = Arc::new(CredentialStore::new(search, Arc::clone(&clock)));
        let (transport, warning) =
            Transport::new(&trust, proxy, settings.limits).map_err(SetupError::Trust)?;
        if let Some(warning) = warning {
            warn!("{warning}");
        }
        let client =
            SignedClient::new(transport, credentials, clock, endpoint, &region.name, user_agent(environment));
        Ok(Self { client, region, metadata })
    }

    /// Sets up with credentials that are given, for tests and for embedding.
    ///
    /// # Errors
    ///
    /// As [`Aws::set_up`].
    pub async fn with_credentials(
        settings: &Settings,
        credentials: aws_credential_types::Credentials,
    ) -> Result<Self, SetupError> {
        let mut aws = Self::set_up(settings).await?;
        let store = CredentialStore::fixed(credentials, Arc::clone(aws.client.clock()));
        aws.client.replace_credentials(Arc::new(store));
        Ok(aws)
    }
}

/// Returns the user agent in the original's form:
fn user_agent(environment: &Environment) -> HeaderValue {
    let place = environment.get("AWS_EXECUTION_ENV").unwrap_or("UNKNOWN");
    let system = std::env::consts::OS;
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let value = format!(
        "xray-agent/xray-daemon/{}-rust exec-env/{place} OS/{system}-{architecture}",
        env!("CARGO_PKG_VERSION")
    );
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("xray-agent/xray-daemon"))
}
