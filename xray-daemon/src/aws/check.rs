//! The part of `config check` about AWS: region, endpoint, credentials, caller.
//!
//! Shared by `config check`, which prints the findings, and by the start, which logs who the caller is. Only asks: nothing
//! here changes credentials, region or endpoint.

use log::info;

use super::endpoint::Endpoint;
use super::setup::Aws;

/// The findings of [`Aws::check`], as lines for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Findings {
    /// One finding a line.
    pub lines: Vec<String>,
    /// `true` if credentials were found, and AWS knows them if it was asked.
    pub is_good: bool,
}

impl Aws {
    /// Searches for credentials, and asks STS whose they are.
    ///
    /// With a configured endpoint STS is not asked, so that nothing goes to AWS that is meant for another place.
    pub async fn check(&self) -> Findings {
        let mut lines = vec![
            format!("region: {} (from {})", self.region.name, self.region.source.as_str()),
            format!("endpoint: {} (from {})", self.client.endpoint(), self.client.endpoint().source()),
        ];
        if let Err(error) = self.client.credentials().get().await {
            lines.push(format!("credentials: {error}"));
            return Findings { lines, is_good: false };
        }
        let status = self.client.credentials().status();
        let source = status.source.unwrap_or("unknown");
        lines.push(format!("credentials: {} (from {source})", status.access_key_id.unwrap_or_default()));
        if !self.client.endpoint().is_default() {
            return Findings { lines, is_good: true };
        }
        let (line, is_good) = match self.identity().await {
            Ok(arn) => (format!("identity: {arn}"), true),
            Err(reason) => (format!("identity: unknown, {reason}"), false),
        };
        lines.push(line);
        Findings { lines, is_good }
    }

    /// Searches for credentials and logs whose they are.
    ///
    /// So a wrong role shows at start and not with the first trace. STS is asked if `asks_sts`, and only when the
    /// endpoint is AWS's own.
    pub async fn introduce(&self, asks_sts: bool) {
        // A failure is logged where the credentials are.
        if self.client.credentials().get().await.is_err() || !asks_sts || !self.client.endpoint().is_default()
        {
            return;
        }
        match self.identity().await {
            Ok(arn) => info!("Calls are made as {arn}"),
            Err(reason) => info!("Whose credentials these are is unknown: {reason}"),
        }
    }

    async fn identity(&self) -> Result<String, String> {
        let endpoint =
            Endpoint::of_region("sts", &self.region.name, false, false).map_err(|err| err.to_string())?;
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        let answer =
            self.client.post_form(&endpoint, "sts", form).await.map_err(|error| error.to_string())?;
        let body = String::from_utf8_lossy(&answer.body);
        if answer.status.is_success() {
            return element(&body, "Arn").map(str::to_owned).ok_or_else(|| "STS names no ARN".to_owned());
        }
        let code = element(&body, "Code").unwrap_or("no code");
        let message = element(&body, "Message").unwrap_or_default();
        Err(format!("STS answers {}: {code} {message}", answer.status.as_u16()))
    }
}

/// The content of the first element of a name.
///
/// STS answers with one small document, whose elements have no attributes.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn the_arn_is_found_in_the_answer_of_sts() {
        let xml = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::1:assumed-role/x/y</Arn>\
                   <UserId>u</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>";
        assert_eq!(element(xml, "Arn"), Some("arn:aws:sts::1:assumed-role/x/y"));
        assert_eq!(element(xml, "Code"), None);
    }
}
