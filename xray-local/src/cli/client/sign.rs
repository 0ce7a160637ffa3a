//! Signs requests, with the keys of the environment or with others.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;

use crate::model::now;

/// Keys, and the region that signatures name.
#[derive(Debug)]
pub(super) struct Signer {
    identity: Identity,
    region: String,
}

impl Signer {
    #[cfg(feature = "aws")]
    pub(super) fn new(credentials: Credentials, region: &str) -> Self {
        Self { identity: credentials.into(), region: region.to_owned() }
    }

    /// Keys from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, if the first two are set.
    #[expect(clippy::disallowed_methods, reason = "the one place of the command line that reads keys")]
    pub(super) fn from_environment(region: &str) -> Option<Self> {
        let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (key, secret) = (read("AWS_ACCESS_KEY_ID")?, read("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(key, secret, read("AWS_SESSION_TOKEN"), None, "environment");
        Some(Self { identity: credentials.into(), region: region.to_owned() })
    }

    /// The headers that sign a `POST` of this body to this address.
    pub(super) fn headers(
        &self,
        url: &str,
        host: &str,
        body: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let time = UNIX_EPOCH + Duration::from_micros(now().0.unsigned_abs());
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("xray")
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|err| err.to_string())?
            .into();
        let headers = [("host", host), ("content-type", "application/json")].into_iter();
        let request = SignableRequest::new("POST", url, headers, SignableBody::Bytes(body))
            .map_err(|err| err.to_string())?;
        let (instructions, _) = sign(request, &params).map_err(|err| err.to_string())?.into_parts();
        let (headers, _) = instructions.into_parts();
        Ok(headers.into_iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }
}
