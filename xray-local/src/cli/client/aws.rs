//! Calls over TLS, signed with what AWS's credentials chain finds: environment, profile, SSO, process, container, instance.
//!
//! Roots are the system's, or those of `AWS_CA_BUNDLE`; a proxy is that of `HTTPS_PROXY`. Nothing is written through here.

use std::cell::RefCell;
use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::shared::IntoShared as _;
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region;
use http_body_util::{BodyExt as _, Limited};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::runtime::Runtime;

use super::address::Url;
use super::answer::{ANSWER, Answer, PATIENCE};
use super::sign::Signer;

/// An endpoint behind TLS, and who calls it.
#[derive(Debug)]
pub(super) struct Aws {
    runtime: Runtime,
    connector: SharedHttpConnector,
    config: SdkConfig,
    region: String,
    url: Url,
    /// Credentials that the chain found, until shortly before their end.
    credentials: RefCell<Option<Credentials>>,
}

/// Longest time for a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// Credentials are looked for again this long before they expire.
const MARGIN: Duration = Duration::from_secs(60);

impl Aws {
    /// Prepares calls to `url`, or to the endpoint of the region.
    ///
    /// # Errors
    /// A sentence: there is no region, or the root certificates can't be read.
    pub(super) fn new(url: Option<Url>, region: Option<&str>) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|err| err.to_string())?;
        let tls = trusted()?;
        let connector = move |settings: &HttpConnectorSettings| -> SharedHttpConnector {
            Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(tls.clone())
                .proxy_config(ProxyConfig::from_env())
                .connector_settings(settings.clone())
                .sleep_impl(TokioSleep::new())
                .build()
                .into_shared()
        };
        let settings =
            HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(PATIENCE).build();
        let calls = connector(&settings);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .sleep_impl(TokioSleep::new())
            .http_client(http_client_fn(move |settings, _| connector(settings)));
        let named = region.map(str::to_owned).or_else(|| url.as_ref().and_then(region_of));
        if let Some(region) = named {
            loader = loader.region(Region::new(region));
        }
        let config = runtime.block_on(loader.load());
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty()).ok_or(
            "no region is known; name one with --region, AWS_REGION or `region` in the profile's configuration",
        )?;
        let url = match url {
            Some(url) => url,
            None => endpoint_of(&region)?,
        };
        Ok(Self { runtime, connector: calls, config, region, url, credentials: RefCell::default() })
    }

    /// # Errors
    /// A sentence: there are no credentials, or no response.
    pub(super) fn post(&self, path: &str, body: &str) -> Result<Answer, String> {
        self.runtime.block_on(async {
            let url = format!("{}{path}", self.url.text);
            let signer = Signer::new(self.credentials().await?, &self.region);
            let mut request = http::Request::post(&url)
                .header("host", &self.url.host)
                .header("content-type", "application/json");
            for (name, value) in signer.headers(&url, &self.url.host, body.as_bytes())? {
                request = request.header(name, value);
            }
            let request = request.body(SdkBody::from(body)).map_err(|err| err.to_string())?;
            let request = HttpRequest::try_from(request).map_err(|err| err.to_string())?;
            let response = self.connector.call(request).await.map_err(|err| self.unreachable(&err))?;
            let status = response.status().as_u16();
            let kind = response.headers().get("x-amzn-errortype").map(str::to_owned);
            let limit = usize::try_from(ANSWER).unwrap_or(usize::MAX);
            let body = Limited::new(response.into_body(), limit).collect().await;
            let bytes = body.map_err(|err| self.unreachable(&*err))?.to_bytes().to_vec();
            Ok(Answer { status, kind, bytes })
        })
    }

    fn unreachable(&self, err: &(dyn Error + 'static)) -> String {
        format!("no answer from {}: {}", self.url.text, causes(err))
    }

    async fn credentials(&self) -> Result<Credentials, String> {
        let known = self.credentials.borrow().clone();
        if let Some(known) = known.filter(is_good) {
            return Ok(known);
        }
        let none = "no AWS credentials";
        let chain = self.config.credentials_provider().ok_or(none)?;
        let found = chain.provide_credentials().await.map_err(|err| format!("{none}: {}", causes(&err)))?;
        *self.credentials.borrow_mut() = Some(found.clone());
        Ok(found)
    }
}

fn is_good(credentials: &Credentials) -> bool {
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(crate::model::now().0.unsigned_abs());
    credentials.expiry().is_none_or(|end| end > now + MARGIN)
}

/// The certificates that a server's has to lead to: of `AWS_CA_BUNDLE` if it is set, else of the system.
#[expect(clippy::disallowed_methods, reason = "the variable by which every AWS client is given a bundle")]
fn trusted() -> Result<TlsContext, String> {
    let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
    let mut roots = TrustStore::default();
    if let Some(path) = bundle {
        let failed = |why: &dyn std::fmt::Display| format!("AWS_CA_BUNDLE {}: {why}", path.display());
        let pem = std::fs::read(&path).map_err(|err| failed(&err))?;
        // The connector takes for granted that the certificates are good.
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            store.add(certificate.map_err(|err| failed(&err))?).map_err(|err| failed(&err))?;
        }
        if store.is_empty() {
            return Err(failed(&"no certificate in it; PEM is accepted"));
        }
        roots = TrustStore::empty().with_pem_certificate(pem);
    }
    TlsContext::builder().with_trust_store(roots).build().map_err(|err| err.to_string())
}

/// The region in the name of one of AWS's own hosts: `xray.eu-west-1.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let (_, rest) = url.host.split_once('.')?;
    let (region, suffix) = rest.split_once('.')?;
    let known = ["amazonaws.com", "amazonaws.com.cn", "api.aws"].contains(&suffix);
    known.then(|| region.to_owned())
}

/// The endpoint of a region. Other partitions than AWS's public ones have to be named by their address.
fn endpoint_of(region: &str) -> Result<Url, String> {
    let is_plain =
        region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_private = ["us-iso", "eu-iso", "eusc-"].iter().any(|prefix| region.starts_with(prefix));
    if !is_plain || is_private {
        return Err(format!(
            "the endpoint of region \"{region}\" is not known; write --endpoint https://HOST"
        ));
    }
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let host = format!("xray.{region}.{suffix}");
    Ok(Url { text: format!("https://{host}"), host })
}

/// An error and its causes in one line.
fn causes(err: &(dyn Error + 'static)) -> String {
    let mut parts = vec![err.to_string()];
    let mut next = err.source();
    while let Some(err) = next {
        let part = err.to_string();
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
        next = err.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_its_endpoint_and_an_endpoint_its_region() {
        for (region, host) in [
            ("us-east-1", "xray.us-east-1.amazonaws.com"),
            ("us-gov-west-1", "xray.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "xray.cn-north-1.amazonaws.com.cn"),
        ] {
            let url = endpoint_of(region).unwrap();
            assert_eq!((url.text.as_str(), url.host.as_str()), (&*format!("https://{host}"), host));
            assert_eq!(region_of(&url).as_deref(), Some(region));
        }
        for region in ["", "eu/west", "us-iso-east-1", "eusc-de-east-1", "US-EAST-1"] {
            assert!(region.is_empty() || endpoint_of(region).is_err(), "{region}");
        }
        for host in ["localhost:2001", "xray.example.com", "127.0.0.1", "amazonaws.com"] {
            let url = Url { text: format!("https://{host}"), host: host.to_owned() };
            assert_eq!(region_of(&url), None, "{host}");
        }
    }
}
