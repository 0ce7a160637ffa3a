//! Calls over plain HTTP, signed with the keys of the environment if it has any.

use std::time::Duration;

use ureq::Agent;

use super::address::Url;
use super::answer::{ANSWER, Answer, PATIENCE};
use super::sign::Signer;

/// An `http://` endpoint, and keys if there are any.
#[derive(Debug)]
pub(super) struct Plain {
    agent: Agent,
    url: Url,
    signer: Option<Signer>,
}

/// Longest time for a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// The region in signatures, unless one is named. Defaults to that of the server.
const REGION: &str = "us-east-1";

impl Plain {
    pub(super) fn new(url: Url, region: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .proxy(None);
        Self { agent: config.build().into(), url, signer: Signer::from_environment(region.unwrap_or(REGION)) }
    }

    /// # Errors
    /// A sentence: there is no response.
    pub(super) fn post(&self, path: &str, body: &str) -> Result<Answer, String> {
        let url = format!("{}{path}", self.url.text);
        let mut post = self.agent.post(&url).header("content-type", "application/json");
        if let Some(signer) = &self.signer {
            for (name, value) in signer.headers(&url, &self.url.host, body.as_bytes())? {
                post = post.header(name, value);
            }
        }
        let mut response = post.send(body).map_err(|err| self.unreachable(&err))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER).read_to_vec();
        let bytes = body.map_err(|err| self.unreachable(&err))?;
        let kind = response.headers().get("x-amzn-errortype").and_then(|kind| kind.to_str().ok());
        Ok(Answer { status, kind: kind.map(str::to_owned), bytes })
    }

    fn unreachable(&self, err: &ureq::Error) -> String {
        let url = &self.url.text;
        format!(
            "no answer from {url}: {err}; start an X-Ray there with `xray-local`, or name another with --endpoint"
        )
    }
}
