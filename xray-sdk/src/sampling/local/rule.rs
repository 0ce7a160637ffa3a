//! [`LocalRule`]: for which requests, and how many of them.

use crate::sampling::SamplingRequest;
use crate::sampling::wildcard::Pattern;

/// One local rule: which requests it is for, how many of them are certain each second, and which share of the
/// others is drawn.
///
/// Conditions are patterns: `*` is any run of characters, `?` is one, case does not matter. Those that are not set
/// match everything, and so does a request of which the property isn't known.
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
    /// A rule for everything: `fixed_target` traces a second, then a share from 0 to 1 of the others.
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

    /// Says what the rule is for. Errors mention it.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Restricts the rule to services of such names. Files have no word for it.
    #[must_use]
    pub fn service(self, pattern: &str) -> Self {
        Self { service: Pattern::new(pattern), ..self }
    }

    /// Restricts the rule to requests with such a `Host`.
    #[must_use]
    pub fn host(self, pattern: &str) -> Self {
        Self { host: Pattern::new(pattern), ..self }
    }

    /// Restricts the rule to such HTTP methods.
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
            && self.path.matches_if_known(request.path())
            && self.host.matches_if_known(request.host())
            && self.service.matches_if_known(request.service())
    }
}
