//! The endpoint of X-Ray or STS: from configuration, environment, or the region's partition.
//!
//! The suffixes are those of AWS's published partition table; `tests/it/aws.rs` holds the original's own cases.

use hyper::Uri;

use super::http::is_host;
use crate::config::Environment;

/// The base URL of a service: scheme and authority, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    source: &'static str,
}

/// The reason why there is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// Neither an endpoint nor a region is known.
    NoRegion,
    /// An endpoint that was configured is not a URL with the scheme `http` or `https`.
    Invalid {
        /// The value as it was configured.
        value: String,
        /// The place where the value was configured.
        source: &'static str,
    },
}

impl std::fmt::Display for EndpointError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRegion => f.write_str("unable to generate endpoint from region with empty value"),
            Self::Invalid { value, source } => write!(
                f,
                "unable to parse xray endpoint: `{value}` ({source}) is no URL; `https://host[:port]` and `http://host[:port]` are accepted"
            ),
        }
    }
}

impl std::error::Error for EndpointError {}

impl Endpoint {
    /// Resolves X-Ray's endpoint. The first that is set counts:
    ///
    /// | source | |
    /// |---|---|
    /// | the key `Endpoint` or the flag `--endpoint` | a bare host gets `https://` |
    /// | `AWS_ENDPOINT_URL_XRAY`, `AWS_ENDPOINT_URL` | unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true` |
    /// | the region | with `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` |
    ///
    /// # Errors
    ///
    /// If the value is no URL, or if there is no value and `region` is empty.
    pub fn resolve(
        configured: Option<&str>,
        region: &str,
        environment: &Environment,
    ) -> Result<Self, EndpointError> {
        if let Some(value) = configured.filter(|value| !value.is_empty()) {
            return Self::parse(value, "Endpoint");
        }
        if !is_true(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            for name in ["AWS_ENDPOINT_URL_XRAY", "AWS_ENDPOINT_URL"] {
                if let Some(value) = environment.get(name) {
                    return Self::parse(value, name);
                }
            }
        }
        let fips = is_true(environment, "AWS_USE_FIPS_ENDPOINT");
        let dual_stack = is_true(environment, "AWS_USE_DUALSTACK_ENDPOINT");
        Self::of_region("xray", region, fips, dual_stack)
    }

    /// The endpoint of a service in a region.
    ///
    /// # Errors
    ///
    /// If the region is empty, or holds characters that no host name can have.
    pub fn of_region(
        service: &str,
        region: &str,
        fips: bool,
        dual_stack: bool,
    ) -> Result<Self, EndpointError> {
        if region.is_empty() {
            return Err(EndpointError::NoRegion);
        }
        let partition = Partition::of(region);
        let fips = if fips { "-fips" } else { "" };
        let suffix = if dual_stack { partition.dual_stack_suffix } else { partition.suffix };
        Self::parse(&format!("https://{service}{fips}.{region}.{suffix}"), "region")
    }

    fn parse(value: &str, source: &'static str) -> Result<Self, EndpointError> {
        let invalid = || EndpointError::Invalid { value: value.to_owned(), source };
        let url = if value.contains("://") { value.to_owned() } else { format!("https://{value}") };
        let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| invalid())?;
        let plain = uri.path() == "/" || uri.path().is_empty();
        if !matches!(uri.scheme_str(), Some("http" | "https")) || !uri.host().is_some_and(is_host) || !plain {
            return Err(invalid());
        }
        Ok(Self { uri, source })
    }

    /// The scheme: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.uri.scheme_str().unwrap_or("https")
    }

    /// Host and port, as they go into the header `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// The source of the endpoint: `Endpoint`, the variable's name, or `region`.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Returns whether the endpoint follows from the region alone.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.source == "region"
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

/// Returns whether a variable holds `true`, in any case.
pub(super) fn is_true(environment: &Environment, name: &str) -> bool {
    environment.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// One of AWS's separate sets of regions.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The partition's id, as in ARNs.
    pub id: &'static str,
    /// The region whose STS is always switched on.
    pub primary_region: &'static str,
    prefixes: &'static [&'static str],
    suffix: &'static str,
    dual_stack_suffix: &'static str,
}

impl Partition {
    /// The partition of a region, by the region's prefix. Defaults to `aws`.
    #[must_use]
    pub fn of(region: &str) -> &'static Self {
        PARTITIONS
            .iter()
            .find(|partition| partition.prefixes.iter().any(|prefix| region.starts_with(prefix)))
            .unwrap_or(&COMMERCIAL)
    }
}

const COMMERCIAL: Partition = Partition {
    id: "aws",
    primary_region: "us-east-1",
    prefixes: &[],
    suffix: "amazonaws.com",
    dual_stack_suffix: "api.aws",
};

static PARTITIONS: &[Partition] = &[
    Partition {
        id: "aws-cn",
        primary_region: "cn-north-1",
        prefixes: &["cn-"],
        suffix: "amazonaws.com.cn",
        dual_stack_suffix: "api.amazonwebservices.com.cn",
    },
    Partition {
        id: "aws-us-gov",
        primary_region: "us-gov-west-1",
        prefixes: &["us-gov-"],
        suffix: "amazonaws.com",
        dual_stack_suffix: "api.aws",
    },
    Partition {
        id: "aws-iso",
        primary_region: "us-iso-east-1",
        prefixes: &["us-iso-"],
        suffix: "c2s.ic.gov",
        dual_stack_suffix: "api.aws.ic.gov",
    },
    Partition {
        id: "aws-iso-b",
        primary_region: "us-isob-east-1",
        prefixes: &["us-isob-"],
        suffix: "sc2s.sgov.gov",
        dual_stack_suffix: "api.aws.scloud",
    },
    Partition {
        id: "aws-iso-e",
        primary_region: "eu-isoe-west-1",
        prefixes: &["eu-isoe-"],
        suffix: "cloud.adc-e.uk",
        dual_stack_suffix: "api.cloud-aws.adc-e.uk",
    },
    Partition {
        id: "aws-iso-f",
        primary_region: "us-isof-south-1",
        prefixes: &["us-isof-"],
        suffix: "csp.hci.ic.gov",
        dual_stack_suffix: "api.aws.hci.ic.gov",
    },
    Partition {
        id: "aws-eusc",
        primary_region: "eusc-de-east-1",
        prefixes: &["eusc-"],
        suffix: "amazonaws.eu",
        dual_stack_suffix: "api.amazonwebservices.eu",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(region: &str, fips: bool, dual_stack: bool) -> String {
        Endpoint::of_region("xray", region, fips, dual_stack).unwrap().to_string()
    }

    #[test]
    fn each_partition_has_its_suffix() {
        let cases = [
            ("us-west-1", "https://xray.us-west-1.amazonaws.com"),
            ("cn-northwest-1", "https://xray.cn-northwest-1.amazonaws.com.cn"),
            ("cn-north-1", "https://xray.cn-north-1.amazonaws.com.cn"),
            ("us-gov-east-1", "https://xray.us-gov-east-1.amazonaws.com"),
            ("us-gov-west-1", "https://xray.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", "https://xray.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://xray.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", "https://xray.eu-isoe-west-1.cloud.adc-e.uk"),
            ("us-isof-south-1", "https://xray.us-isof-south-1.csp.hci.ic.gov"),
            ("eusc-de-east-1", "https://xray.eusc-de-east-1.amazonaws.eu"),
        ];
        for (region, endpoint) in cases {
            assert_eq!(of(region, false, false), endpoint);
        }
    }

    #[test]
    fn sts_is_regional_and_has_a_primary_region_in_each_partition() {
        for (region, endpoint, primary) in [
            ("us-east-1", "https://sts.us-east-1.amazonaws.com", "us-east-1"),
            ("cn-northwest-1", "https://sts.cn-northwest-1.amazonaws.com.cn", "cn-north-1"),
            ("us-gov-east-1", "https://sts.us-gov-east-1.amazonaws.com", "us-gov-west-1"),
        ] {
            assert_eq!(Endpoint::of_region("sts", region, false, false).unwrap().to_string(), endpoint);
            assert_eq!(Partition::of(region).primary_region, primary);
        }
        let ids = ["us-east-1", "cn-north-1", "us-gov-east-1", "us-iso-east-1"]
            .map(|region| Partition::of(region).id);
        assert_eq!(ids, ["aws", "aws-cn", "aws-us-gov", "aws-iso"]);
    }

    #[test]
    fn fips_and_dual_stack_change_the_name() {
        assert_eq!(of("us-east-1", true, false), "https://xray-fips.us-east-1.amazonaws.com");
        assert_eq!(of("us-east-1", false, true), "https://xray.us-east-1.api.aws");
        assert_eq!(of("us-east-1", true, true), "https://xray-fips.us-east-1.api.aws");
        assert_eq!(of("cn-north-1", false, true), "https://xray.cn-north-1.api.amazonwebservices.com.cn");
    }

    #[test]
    fn configured_endpoint_overrides_environment_and_region() {
        let local = ("AWS_ENDPOINT_URL_XRAY", "http://127.0.0.1:2001");
        let environment = [local].into_iter().collect();
        let resolve = |configured, environment: &Environment| {
            Endpoint::resolve(configured, "us-west-1", environment).map(|endpoint| endpoint.to_string())
        };
        assert_eq!(resolve(Some("xray.example.com"), &environment).unwrap(), "https://xray.example.com");
        assert_eq!(resolve(None, &environment).unwrap(), "http://127.0.0.1:2001");
        let ignoring = [local, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True")].into_iter().collect();
        assert_eq!(resolve(None, &ignoring).unwrap(), "https://xray.us-west-1.amazonaws.com");
    }

    #[test]
    fn what_is_no_url_is_refused_with_its_source() {
        for value in
            ["ftp://host", "https://", "https://host/path", "https://a b", "https://[1", "https://%41"]
        {
            let error = Endpoint::resolve(Some(value), "us-east-1", &Environment::default()).unwrap_err();
            assert!(error.to_string().contains(value), "{error}");
        }
        assert_eq!(Endpoint::resolve(None, "", &Environment::default()), Err(EndpointError::NoRegion));
    }
}
