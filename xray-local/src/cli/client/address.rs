//! Addresses of X-Rays: `http://` ones, and with feature `aws` `https://` ones and AWS's own.

use crate::cli::failure::Failure;

/// An endpoint, read from `--endpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Address {
    /// `http://HOST:PORT`.
    Plain(Url),
    /// `https://HOST`.
    #[cfg(feature = "aws")]
    Secure(Url),
    /// The word `aws`: the endpoint of the region.
    #[cfg(feature = "aws")]
    Region,
}

/// Scheme and authority, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Url {
    pub(super) text: String,
    pub(super) host: String,
}

impl Url {
    fn of(scheme: &str, host: &str) -> Option<Self> {
        let is_authority =
            !host.is_empty() && host.parse::<http::uri::Authority>().is_ok() && !host.contains('@');
        is_authority.then(|| Self { text: format!("{scheme}{host}"), host: host.to_owned() })
    }
}

impl Address {
    /// Reads the value of `--endpoint`.
    ///
    /// # Errors
    /// The endpoint is of no form that this build accepts.
    pub(in crate::cli) fn parse(text: &str) -> Result<Self, Failure> {
        let trimmed = text.trim_end_matches('/');
        if let Some(host) = trimmed.strip_prefix("http://") {
            return Url::of("http://", host).map(Self::Plain).ok_or_else(|| unusable(text));
        }
        #[cfg(feature = "aws")]
        if let Some(host) = trimmed.strip_prefix("https://") {
            return Url::of("https://", host).map(Self::Secure).ok_or_else(|| unusable(text));
        }
        #[cfg(feature = "aws")]
        if trimmed == "aws" {
            return Ok(Self::Region);
        }
        Err(unusable(text))
    }

    /// The address of an X-Ray that may be written to: nothing that is kept here is sent to AWS.
    ///
    /// # Errors
    /// The endpoint is no `http://` address.
    pub(in crate::cli) fn to_write(text: &str) -> Result<Self, Failure> {
        match Self::parse(text)? {
            plain @ Self::Plain(_) => Ok(plain),
            #[cfg(feature = "aws")]
            Self::Secure(_) | Self::Region => Err(Failure::usage(format!(
                "\"{text}\" is for commands that read; this one takes http://HOST:PORT only, since nothing is written to AWS"
            ))),
        }
    }
}

fn unusable(text: &str) -> Failure {
    let accepted = if cfg!(feature = "aws") {
        "write http://HOST:PORT, https://HOST, or aws"
    } else {
        "write http://HOST:PORT (this build speaks no TLS; `cargo install --path xray-local --features aws` does)"
    };
    Failure::usage(format!("\"{text}\" can't be used as endpoint; {accepted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_without_a_path() {
        let plain = |text| match Address::parse(text) {
            Ok(Address::Plain(url)) => (url.text, url.host),
            other => panic!("{text}: {other:?}"),
        };
        for text in ["http://127.0.0.1:2001", "http://127.0.0.1:2001/"] {
            assert_eq!(plain(text), ("http://127.0.0.1:2001".to_owned(), "127.0.0.1:2001".to_owned()));
        }
        assert_eq!(plain("http://[::1]:2001").1, "[::1]:2001");
        for text in [
            "",
            "http://",
            "127.0.0.1:2001",
            "ftp://host",
            "http://a/b",
            "http://a b",
            "http://key@host",
            "AWS",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
            assert!(Address::to_write(text).is_err(), "{text}");
        }
    }

    #[cfg(not(feature = "aws"))]
    #[test]
    fn without_the_feature_the_error_names_it() {
        for text in ["https://xray.us-east-1.amazonaws.com", "aws"] {
            let said = Address::parse(text).unwrap_err().to_string();
            assert!(said.contains("--features aws"), "{said}");
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn what_is_read_over_tls_is_never_written_to() {
        assert_eq!(Address::parse("aws").unwrap(), Address::Region);
        assert!(matches!(
            Address::parse("https://xray.us-east-1.amazonaws.com/").unwrap(),
            Address::Secure(_)
        ));
        for text in ["https://xray.us-east-1.amazonaws.com", "https://127.0.0.1:2001", "aws"] {
            let said = Address::to_write(text).unwrap_err().to_string();
            assert!(said.contains("nothing is written to AWS"), "{said}");
        }
    }
}
