//! [`LocalRule`]: for which requests, and how many of them.

use crate::sampling::SamplingRequest;
use crate::sampling::wildcard::Pattern;

/// A local rule: the requests that it matches, how many of them are recorded each second, and which share of the rest.
///
/// Conditions are patterns: `*` is any run of characters, `?` is one character, and case does not matter. A condition
/// that is not set, or is `*`, matches everything.
///
/// | unknown property | matches a condition on it |
/// |---|---|
/// | path | no: a job without a path is no health check. In the SDKs for Go and Node.js it matches |
/// | host, method, service | yes, as in both of them |
///
/// ```
/// use xray_sdk::sampling::{LocalRule, LocalRules};
///
/// let health = LocalRule::new(0, 0.0).path("/health*").description("no health checks");
/// let rules = LocalRules::new([health], LocalRule::new(1, 0.05))?;
/// # Ok::<(), xray_sdk::sampling::RulesError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LocalRule {
    pub(super) description: Option<Box<str>>,
    service: Pattern,
    host: Pattern,
    method: Pattern,
    path: Pattern,
    pub(super) fixed_target: u32,
    pub(super) rate: f64,
}

impl LocalRule {
    /// Creates a rule that matches everything: `fixed_target` traces a second, then a share from 0 to 1 of the rest.
    #[must_use]
    pub fn new(fixed_target: u32, rate: f64) -> Self {
        let any = || Pattern::new("*");
        Self {
            description: None,
            service: any(),
            host: any(),
            method: any(),
            path: any(),
            fixed_target,
            rate,
        }
    }

    /// Sets what the rule is for. Error messages contain it.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Restricts the rule to services whose name matches. Rule files have no such condition.
    #[must_use]
    pub fn service(self, pattern: &str) -> Self {
        Self { service: Pattern::new(pattern), ..self }
    }

    /// Restricts the rule to requests whose `Host` matches.
    #[must_use]
    pub fn host(self, pattern: &str) -> Self {
        Self { host: Pattern::new(pattern), ..self }
    }

    /// Restricts the rule to requests whose HTTP method matches.
    #[must_use]
    pub fn method(self, pattern: &str) -> Self {
        Self { method: Pattern::new(pattern), ..self }
    }

    /// Restricts the rule to such paths, without a query.
    #[must_use]
    pub fn path(self, pattern: &str) -> Self {
        Self { path: Pattern::new(pattern), ..self }
    }

    pub(super) fn matches(&self, request: &SamplingRequest<'_>) -> bool {
        self.method.matches_if_known(request.method())
            && (self.path.is_any() || request.path().is_some_and(|path| self.path.matches(path)))
            && self.host.matches_if_known(request.host())
            && self.service.matches_if_known(request.service())
    }
}
