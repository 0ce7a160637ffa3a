//! The instance's metadata service, version 2 with a token, else version 1 (Amazon EC2 User Guide, "Use the Instance
//! Metadata Service"). All callers share one session, so an absent service costs one timeout.

use std::cell::OnceCell;
use std::time::Duration;

use super::probe::Probe;
use crate::http_client::{HttpClient, HttpError, Limits};

const ENDPOINT: &str = "169.254.169.254";
const TOKEN_PATH: &str = "/latest/api/token";

pub(super) struct Imds<'a> {
    at: &'a Probe,
    session: OnceCell<Option<Session>>,
}

struct Session {
    http: HttpClient,
    base: String,
    /// With version 2.
    token: Option<String>,
}

impl<'a> Imds<'a> {
    pub(super) const fn new(at: &'a Probe) -> Self {
        Self { at, session: OnceCell::new() }
    }

    /// Returns the service's value at a path.
    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        let session = self.session.get_or_init(|| Session::begin(self.at)).as_ref()?;
        let header = session.token.as_deref().map(|token| ("X-aws-ec2-metadata-token", token));
        session.http.get(&format!("{}{path}", session.base), header).ok()
    }

    /// Returns a tag of the instance, if its metadata include tags.
    #[cfg(feature = "plugin-eks")]
    pub(super) fn tag(&self, name: &str) -> Option<String> {
        let value = self.read(&format!("/latest/meta-data/tags/instance/{name}"))?;
        String::from_utf8(value).ok()
    }
}

impl Session {
    fn begin(at: &Probe) -> Option<Self> {
        let disabled = at.variable("AWS_EC2_METADATA_DISABLED");
        if disabled.is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
            return None;
        }
        let (http, base) = (HttpClient::new(LIMITS), base(at));
        let ttl = ("X-aws-ec2-metadata-token-ttl-seconds", "60");
        let token = match http.put(&format!("{base}{TOKEN_PATH}"), ttl) {
            Ok(token) => String::from_utf8(token).ok(),
            // Nothing listens there: asking again would cost the same time for the same answer.
            Err(HttpError::Absent(_)) => return None,
            // The service is there and knows no tokens, or sends them no further than to the instance itself, which a
            // container behind one more hop sees as silence.
            Err(HttpError::Status(_) | HttpError::Failed(_)) => None,
        };
        Some(Self { http, base, token })
    }
}

/// The endpoint that a variable names: `host`, `host:port`, or a whole URL as the AWS SDKs spell it.
fn base(at: &Probe) -> String {
    let named =
        ["IMDS_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT"].into_iter().find_map(|name| at.variable(name));
    let endpoint = named.unwrap_or_else(|| ENDPOINT.to_owned());
    let endpoint = endpoint.trim().trim_end_matches('/');
    if endpoint.contains("://") { endpoint.to_owned() } else { format!("http://{endpoint}") }
}

/// Limits of a request. Where there is no such service, packets go nowhere, and the limit on connecting is how long
/// that takes to notice. A service that is there answers within a few milliseconds.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(80), total: Duration::from_millis(300), body: 64 << 10 };
