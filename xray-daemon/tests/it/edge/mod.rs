//! What the tests of the daemon's edges share: a scripted X-Ray, certificates, and processes of the tests' own.

pub(crate) mod child;
pub(crate) mod daemon;
pub(crate) mod endpoint;
pub(crate) mod law;
pub(crate) mod relay;
pub(crate) mod tls;
pub(crate) mod xray;

use std::time::Duration;

use aws_credential_types::Credentials;
use xray_daemon::aws::{Aws, Limits, Settings};
use xray_daemon::config::Environment;

/// Settings for an endpoint, with a short time limit for those tests that wait for it.
pub(crate) fn settings(endpoint: &str) -> Settings {
    Settings {
        region: Some("eu-central-1".into()),
        endpoint: Some(endpoint.into()),
        local_mode: true,
        limits: Limits { attempt: Duration::from_secs(30), ..Limits::default() },
        ..Settings::default()
    }
}

pub(crate) fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().copied().collect()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", Some("token".into()), None, "test")
}

/// The keys that [`daemon::command`] gives a process.
pub(crate) fn daemons_credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

/// A client of an endpoint, signing with [`credentials`].
pub(crate) async fn aws(settings: &Settings) -> Aws {
    Aws::with_credentials(settings, credentials()).await.unwrap()
}
