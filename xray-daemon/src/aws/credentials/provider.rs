//! The parts that the clients of `aws-config` share: HTTP client, region, time limits.
//!
//! Made anew for each search for credentials, so that a file or variable that came late is seen. The client is the one of
//! `aws-smithy-http-client`, with the daemon's own trust and proxy.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::shared::IntoShared;
use aws_types::region::Region;

use crate::aws::http::{Proxy, Trust};

/// The HTTP client through which credentials are fetched: STS, SSO, containers, instances.
///
/// `NoVerifySSL` and `Endpoint` have no effect here, as in the original.
pub(in crate::aws) fn http_client(trust: &Trust, proxy: &Proxy) -> SharedHttpClient {
    let mut roots = TrustStore::default();
    if let Trust::Bundle(path) = trust
        && let Some(pem) = read(path)
    {
        roots = TrustStore::empty().with_pem_certificate(pem);
    }
    let tls = TlsContext::builder().with_trust_store(roots).build().unwrap_or_default();
    let proxy = proxy.for_credentials();
    // A connector has the root certificates parsed, and a pool: one is kept for each pair of time limits.
    let connectors: Mutex<HashMap<Limits, SharedHttpConnector>> = Mutex::default();
    http_client_fn(move |settings, _components| {
        let connector = || {
            Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(tls.clone())
                .proxy_config(proxy.clone())
                .connector_settings(settings.clone())
                .sleep_impl(TokioSleep::new())
                .build()
                .into_shared()
        };
        let limits = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.entry(limits).or_insert_with(connector).clone()
    })
}

type Limits = (Option<Duration>, Option<Duration>);

/// The configuration for providers of credentials and regions.
///
/// Profiles are read again by each new configuration.
pub(in crate::aws) fn configuration(client: &SharedHttpClient, region: Option<&str>) -> ProviderConfig {
    let limits = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .build();
    ProviderConfig::without_region()
        .with_region(region.map(|name| Region::new(name.to_owned())))
        .with_http_client(client.clone())
        .with_sleep_impl(TokioSleep::new())
        .with_retry_config(RetryConfig::standard().with_max_attempts(2))
        .with_timeout_config(limits)
        .with_behavior_version(Some(BehaviorVersion::latest()))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}
