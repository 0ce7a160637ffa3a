//! The search for credentials: the providers of `aws-config`, then the role of `-r`.
//!
//! One search is one walk through the places; keeping and renewing what was found is the store's. Names of the places are
//! those that the log shows.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::region::Region;
use log::{debug, error, info};

use super::provider::configuration;
use crate::aws::endpoint::{Endpoint, Partition};
use crate::aws::metadata::describe;

/// Everything that a search needs.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Search {
    pub(in crate::aws) http: SharedHttpClient,
    pub(in crate::aws) region: String,
    pub(in crate::aws) role: Option<String>,
}

/// Credentials, and where they came from.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) credentials: Credentials,
    pub(super) source: &'static str,
}

impl Search {
    /// Goes through the places once. The error is a sentence for the log.
    pub(super) async fn run(&self) -> Result<Found, String> {
        let source = Source::default();
        let base = self.base(&source);
        let Some(role) = &self.role else {
            let credentials = base.provide_credentials().await.map_err(|err| describe(&err))?;
            return Ok(Found { credentials, source: source.get() });
        };
        let base = Arc::new(base);
        let credentials = match self.assume(role, &self.region, Arc::clone(&base)).await {
            Err(reason) if reason.contains("RegionDisabledException") => {
                let primary = Partition::of(&self.region).primary_region;
                error!("Region : {} - {reason}", self.region);
                info!(
                    "Credentials for provided RoleARN will be fetched from STS primary region endpoint instead of regional endpoint."
                );
                self.assume(role, primary, base).await?
            }
            result => result?,
        };
        Ok(Found { credentials, source: source.as_role() })
    }

    /// The order is that of the original, with a web identity token ahead of the profile.
    fn base(&self, source: &Source) -> CredentialsProviderChain {
        let config = configuration(&self.http, Some(&self.region));
        let web_identity = || WebIdentityTokenCredentialsProvider::builder().configure(&config).build();
        let profile = ProfileFileCredentialsProvider::builder().configure(&config).build();
        let container = EcsCredentialsProvider::builder().configure(&config).build();
        let instance = ImdsCredentialsProvider::builder().configure(&config).build();
        let named =
            |name, provider: Box<dyn ProvideCredentials>| Named { name, provider, source: source.clone() };
        CredentialsProviderChain::first_try(
            "environment",
            named(SOURCES[0], Box::new(EnvironmentVariableCredentialsProvider::new())),
        )
        .or_else("web identity token", named(SOURCES[1], Box::new(web_identity())))
        .or_else("profile", named(SOURCES[2], Box::new(profile)))
        .or_else("container", named(SOURCES[3], Box::new(container)))
        .or_else("instance", named(SOURCES[4], Box::new(instance)))
    }

    async fn assume(
        &self,
        role: &str,
        region: &str,
        base: Arc<CredentialsProviderChain>,
    ) -> Result<Credentials, String> {
        if let Ok(endpoint) = Endpoint::of_region("sts", region, false, false) {
            debug!("Using STS regional endpoint: {endpoint}");
        }
        let region = Region::new(region.to_owned());
        let settings = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .sleep_impl(TokioSleep::new())
            .region(region.clone())
            .credentials_provider(Shared(base))
            .load()
            .await;
        let provider = AssumeRoleProvider::builder(role)
            .session_name(SESSION)
            .region(region)
            .configure(&settings)
            .build()
            .await;
        provider
            .provide_credentials()
            .await
            .map_err(|err| format!("cannot assume {role}: {}", describe(&err)))
    }
}

/// The session's name when a role is assumed, the original's.
const SESSION: &str = "xray-daemon";

/// The sources of credentials, in the order of the search.
pub(super) const SOURCES: [&str; 5] = [
    "environment variables",
    "web identity token",
    "profile",
    "container credentials endpoint",
    "instance role",
];

/// The provider of the chain that had credentials.
#[derive(Debug, Clone, Default)]
struct Source(Arc<Mutex<Option<&'static str>>>);

impl Source {
    fn set(&self, name: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
    }

    fn get(&self) -> &'static str {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or("unknown")
    }

    fn as_role(&self) -> &'static str {
        let base = self.get();
        let place = SOURCES.iter().position(|source| *source == base);
        place.and_then(|place| ROLE_SOURCES.get(place)).copied().unwrap_or("assumed role")
    }
}

const ROLE_SOURCES: [&str; 5] = [
    "role assumed with environment variables",
    "role assumed with a web identity token",
    "role assumed with a profile",
    "role assumed with the container credentials endpoint",
    "role assumed with the instance role",
];

/// A provider that leaves its name when it has credentials.
#[derive(Debug)]
struct Named {
    name: &'static str,
    provider: Box<dyn ProvideCredentials>,
    source: Source,
}

impl ProvideCredentials for Named {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let credentials = self.provider.provide_credentials().await?;
            self.source.set(self.name);
            Ok(credentials)
        })
    }
}

/// A chain that two attempts share.
#[derive(Debug)]
struct Shared(Arc<CredentialsProviderChain>);

impl ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.provide_credentials()
    }
}
