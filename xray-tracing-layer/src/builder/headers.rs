//! The builder's settings about headers of HTTP: which are recorded, and which are passed on.

use std::sync::atomic::Ordering::Relaxed;

use crate::builder::error::BuildError;
use crate::builder::settings::Builder;
use crate::fields::sanitize::secret_key::Secret;
use crate::layer::headers::IS_ANY_RECORDED;
use crate::settings::config::Annotate;
use crate::settings::headers::{HeaderForm, HeaderSettings, NamedHeaders, RecordedHeader};

impl<F> Builder<F> {
    /// Records request headers, of served requests and of outgoing ones, as metadata `http.request.header.<name>`.
    ///
    /// [`annotate`](Self::annotate) with that name makes an annotation of it. Values of more than 1,000 bytes are cut.
    /// Hosts and URLs lose users, passwords and queries. One whose form is not understood is left out, and counted in
    /// [`Stats::headers_dropped`](crate::Stats::headers_dropped).
    /// Names of headers that carry secrets, such as `authorization`, `cookie` and `x-api-key`, are an error of
    /// [`build`](Self::build). Defaults to no header. For the layers and middlewares of [`http`](crate::guide::http).
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder()
    ///     .record_request_headers(["x-tenant", "accept-language"])
    ///     .annotate(["http.request.header.x-tenant"]);
    /// ```
    pub fn record_request_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.headers.request.extend(names.into_iter().map(Into::into));
        self
    }

    /// Records response headers as [`record_request_headers`](Self::record_request_headers) does requests', as metadata
    /// `http.response.header.<name>`.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().record_response_headers(["x-cache", "retry-after"]);
    /// ```
    pub fn record_response_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.headers.response.extend(names.into_iter().map(Into::into));
        self
    }

    /// Makes annotations of these keys of a served request's W3C baggage (the header `baggage`).
    ///
    /// Keys that name a secret, such as `token`, and those that baggage cannot have, such as `a b`, are an error of
    /// [`build`](Self::build). Defaults to no key.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().annotate_baggage(["tenant", "experiment"]);
    /// ```
    pub fn annotate_baggage<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.settings.headers.baggage.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Ends received baggage here: calls to other services do not pass it on.
    ///
    /// By default the headers `baggage` and `tracestate` of a served request are added to the requests that are made
    /// while it is served, unless these have their own.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().drop_baggage();
    /// ```
    pub fn drop_baggage(mut self) -> Self {
        self.settings.headers.drops_baggage = true;
        self
    }
}

/// Checks the names of headers and baggage.
pub(super) fn check(named: &NamedHeaders) -> Result<(), BuildError> {
    for name in named.request.iter().chain(&named.response) {
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(BuildError::HeaderName(name.clone()));
        }
        if is_secret(name) {
            return Err(BuildError::SecretHeader(name.clone()));
        }
    }
    for key in &named.baggage {
        if key.is_empty() || !key.bytes().all(is_token) {
            return Err(BuildError::BaggageKey(key.clone()));
        }
        if is_secret(key) {
            return Err(BuildError::SecretBaggage(key.clone()));
        }
    }
    Ok(())
}

/// Freezes the settings.
pub(super) fn freeze(named: NamedHeaders, annotate: &Annotate) -> HeaderSettings {
    let recorded = |names: Vec<String>, prefix: &str| {
        let header = |name: String| {
            let name = name.to_ascii_lowercase();
            let field = format!("{prefix}{name}");
            let is_annotation = annotate.names(&field) || annotate.all();
            RecordedHeader { form: HeaderForm::of(&name), name, field, is_annotation }
        };
        names.into_iter().map(header).collect()
    };
    IS_ANY_RECORDED.fetch_or(!named.request.is_empty() || !named.response.is_empty(), Relaxed);
    HeaderSettings {
        request: recorded(named.request, "http.request.header."),
        response: recorded(named.response, "http.response.header."),
        baggage: named.baggage,
        drops_baggage: named.drops_baggage,
    }
}

/// Returns whether a header, or a key of baggage, carries a secret by its name.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    Secret::of(name.as_bytes()).is_some()
        || name.split(['-', '_', '.']).any(|word| {
            let word = word.trim_end_matches(|end: char| end.is_ascii_digit());
            SECRET_WORDS.contains(&word)
                || word.strip_suffix('s').is_some_and(|word| SECRET_WORDS.contains(&word))
        })
        || SECRET_HEADERS.contains(&name.as_str())
}

/// Words that make any header's name one of a secret.
const SECRET_WORDS: &[&str] = &[
    "auth",
    "authentication",
    "authenticate",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "oidc",
    "password",
    "pin",
    "secret",
    "session",
    "sessionid",
    "sid",
    "signature",
    "token",
];

/// Headers that carry a secret, or data that was signed for one receiver, under another name.
const SECRET_HEADERS: &[&str] = &["dpop", "x-forwarded-client-cert", "sec-websocket-key"];

/// Returns whether a byte may be part of a header's name (RFC 9110, 5.6.2: `token`), or of a key of baggage (W3C Baggage,
/// 3.2.1.2: the same).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_carry_secrets_are_known_by_their_names() {
        for name in [
            "authorization",
            "Proxy-Authorization",
            "cookie",
            "set-cookie",
            "x-api-key",
            "X-API-KEY",
            "x-amz-security-token",
            "x-auth-token",
            "x-csrf-token",
            "www-authenticate",
            "x-amzn-oidc-data",
            "x-goog-iap-jwt-assertion",
            "x-hub-signature-256",
            "x-session-id",
            "dpop",
            "api_key",
            "x-tokens",
            "cookies",
            "cookie2",
            "sessionid",
            "x-csrf",
            "x-pin",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "x-tenant",
            "accept-language",
            "content-type",
            "x-cache",
            "retry-after",
            "author",
            "x-key",
            "x-shipping",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
