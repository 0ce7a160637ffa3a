//! Signs requests with SigV4, by the crate that AWS itself keeps.
//!
//! A pure function of request, credentials and time. Headers that proxies change on the way stay out of the signature.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use hyper::http::{HeaderValue, header, request};

use crate::aws::call::CallError;

/// A signer: credentials, service, region and time.
pub(in crate::aws) struct Signer<'a> {
    pub(in crate::aws) credentials: &'a Credentials,
    pub(in crate::aws) service: &'a str,
    pub(in crate::aws) region: &'a str,
    pub(in crate::aws) time: SystemTime,
}

impl Signer<'_> {
    /// Adds `Authorization`, `X-Amz-Date` and, with temporary credentials, `X-Amz-Security-Token`.
    ///
    /// Signed are `Host`, `Content-Type` and the headers `X-Amz-…` and `X-Amzn-…`: what a proxy on the way adds or
    /// changes of the others can't break the signature.
    pub(in crate::aws) fn sign(&self, parts: &mut request::Parts, body: &[u8]) -> Result<(), CallError> {
        let failed =
            |error: &dyn std::fmt::Display| CallError::Other(format!("cannot sign the request: {error}"));
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(&error))?
            .into();
        let headers: Vec<(&str, &str)> = parts
            .headers
            .iter()
            .filter(|(name, _)| is_signed(name.as_str()))
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let uri = parts.uri.to_string();
        let request =
            SignableRequest::new(parts.method.as_str(), uri, headers.into_iter(), SignableBody::Bytes(body))
                .map_err(|error| failed(&error))?;
        let (instructions, _) = sign(request, &parameters).map_err(|error| failed(&error))?.into_parts();
        let (added, _) = instructions.into_parts();
        for header in added {
            let mut value = HeaderValue::from_str(header.value()).map_err(|error| failed(&error))?;
            value.set_sensitive(header.sensitive());
            parts.headers.insert(header.name(), value);
        }
        Ok(())
    }
}

fn is_signed(name: &str) -> bool {
    name == header::HOST.as_str()
        || name == header::CONTENT_TYPE.as_str()
        || (name.starts_with("x-amz") && name != "x-amzn-trace-id")
}
