//! The check itself: scope, time, and the signature that the request should have.
//!
//! The three parts of a check are separate functions, since the caller looks the key up between reading a signature and
//! checking it.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use http::HeaderMap;
use subtle::ConstantTimeEq as _;

use super::authorization::{is_of_signature, pairs};
use super::{Form, Received, SignatureError, Signed, instant};

/// Longest distance of the client's clock from this one. Source: "Signature expired … - 15 min." of AWS's messages.
pub const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// Scope that a signature needs.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The region, `None` where any will do.
    pub region: Option<&'a str>,
    /// The signing name of the service.
    pub service: &'a str,
    /// The time.
    pub now: SystemTime,
}

impl Signed {
    /// Checks region, service, date and age.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`] with AWS's words for what is wrong.
    pub fn check_scope(&self, expected: &Expected<'_>) -> Result<(), SignatureError> {
        let credential = &self.credential;
        if expected.region.is_some_and(|region| region != credential.region) {
            return invalid("Credential should be scoped to a valid region. ");
        }
        if credential.service != expected.service {
            return invalid(format!(
                "Credential should be scoped to correct service: '{}'. ",
                expected.service
            ));
        }
        if !self.date.starts_with(&credential.date) || credential.date.len() != 8 {
            return invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{}', from '{}'.",
                credential.date,
                self.date.get(..8).unwrap_or_default(),
                self.date
            ));
        }
        let minutes = MAX_SKEW.as_secs() / 60;
        let (signed, now) = (&self.date, instant::format(expected.now));
        let good_for = match self.form {
            Form::Header => MAX_SKEW,
            Form::Presigned(expires) => expires,
        };
        if self.at + good_for < expected.now {
            let limit = instant::format(expected.now - good_for);
            return invalid(format!(
                "Signature expired: {signed} is now earlier than {limit} ({now} - {} min.)",
                good_for.as_secs() / 60
            ));
        }
        if self.at > expected.now + MAX_SKEW {
            let limit = instant::format(expected.now + MAX_SKEW);
            return invalid(format!(
                "Signature not yet current: {signed} is still later than {limit} ({now} + {minutes} min.)"
            ));
        }
        Ok(())
    }

    /// Signs the request again with this secret, and compares.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`] if the signature is another one, or covers too little.
    pub fn verify(&self, request: &Received<'_>, secret: &str) -> Result<(), SignatureError> {
        let names: Vec<&str> = self.signed_headers.split(';').collect();
        if !names.contains(&"host") {
            return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
        }
        if names.contains(&"authorization") {
            return Err(SignatureError::mismatch());
        }
        let headers = signed_values(request.headers, &names).ok_or_else(SignatureError::mismatch)?;
        let token = match self.form {
            Form::Header if !names.contains(&"x-amz-security-token") => None,
            _ => self.token.clone(),
        };
        let signed =
            self.sign_again(request, &headers, secret, token).ok_or_else(SignatureError::mismatch)?;
        if bool::from(signed.as_bytes().ct_eq(self.written().as_bytes())) {
            return Ok(());
        }
        Err(SignatureError::mismatch())
    }

    /// The request's own signature, in the form in which the signer writes it.
    fn written(&self) -> String {
        let Self { credential, signed_headers, signature, .. } = self;
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request, SignedHeaders={signed_headers}, Signature={signature}",
            credential.key, credential.date, credential.region, credential.service
        )
    }

    /// `None` for what the signer does not sign.
    fn sign_again(
        &self,
        request: &Received<'_>,
        headers: &[(&str, &str)],
        secret: &str,
        token: Option<String>,
    ) -> Option<String> {
        let credential = &self.credential;
        let identity: Identity =
            Credentials::new(credential.key.clone(), secret.to_owned(), token, None, "xray-local").into();
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        let mut query = request.uri.query().unwrap_or_default().to_owned();
        if let Form::Presigned(expires) = self.form {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(expires);
            let rest = pairs(&query).ok()?.into_iter().filter(|(name, _)| !is_of_signature(name));
            query = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&credential.region)
            .name(&credential.service)
            .time(self.at)
            .settings(settings)
            .build()
            .ok()?
            .into();
        // The signer takes the host from the headers; the one in the URL is for its parser alone.
        let uri = format!(
            "http://localhost{}{}{query}",
            request.uri.path(),
            if query.is_empty() { "" } else { "?" }
        );
        let body = SignableBody::Bytes(request.body);
        let signable =
            SignableRequest::new(request.method.as_str(), uri, headers.iter().copied(), body).ok()?;
        let (instructions, signature) = sign(signable, &params).ok()?.into_parts();
        match self.form {
            Form::Header => instructions
                .headers()
                .find(|(name, _)| *name == "authorization")
                .map(|(_, value)| value.to_owned()),
            Form::Presigned(_) => {
                let signed_headers = instructions
                    .params()
                    .iter()
                    .find(|(name, _)| *name == "X-Amz-SignedHeaders")?
                    .1
                    .to_string();
                Some(Self { signed_headers, signature, ..self.clone() }.written())
            }
        }
    }
}

/// The headers that were signed. `None` if one does not exist or is not printable ASCII.
///
/// One that is listed twice is signed once by the signer, whose list of headers then differs from the request's.
fn signed_values<'a>(headers: &'a HeaderMap, names: &[&'a str]) -> Option<Vec<(&'a str, &'a str)>> {
    let mut values = Vec::with_capacity(names.len());
    for name in names {
        if !headers.contains_key(*name) {
            return None;
        }
        // The signer adds these two itself.
        if matches!(*name, "x-amz-date" | "x-amz-security-token") {
            continue;
        }
        for value in headers.get_all(*name) {
            values.push((*name, value.to_str().ok()?));
        }
    }
    Some(values)
}

fn invalid<T>(message: impl Into<String>) -> Result<T, SignatureError> {
    Err(SignatureError::Invalid(message.into()))
}
