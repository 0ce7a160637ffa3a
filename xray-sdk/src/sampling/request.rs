//! [`SamplingRequest`]: the facts about a trace that begins.
//!
//! Filled by the layer and by integrations, read by samplers.

use std::borrow::Cow;
use std::fmt;

/// Further attributes of a trace that begins, for a rule's conditions on attributes.
pub trait Attributes: fmt::Debug {
    /// Returns the value of an attribute, as a string.
    fn attribute(&self, key: &str) -> Option<Cow<'_, str>>;
}

/// The beginning of a trace, as far as sampling rules can ask about it.
///
/// An unknown property is `None`, which matches every condition, as in the SDKs for Go and Node.js. There are two
/// exceptions: conditions on attributes and on the resource, and conditions of [`LocalRule`](super::LocalRule)s on the
/// path.
///
/// ```
/// # use xray_sdk::sampling::SamplingRequest;
/// let request = SamplingRequest::new("shop").with_method("GET").with_path("/cart?item=7");
/// assert_eq!(request.path(), Some("/cart"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SamplingRequest<'a> {
    service: Option<&'a str>,
    host: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    service_type: Option<&'a str>,
    resource_arn: Option<&'a str>,
    attributes: Option<&'a dyn Attributes>,
    epoch_seconds: Option<u32>,
}

impl<'a> SamplingRequest<'a> {
    /// Describes a trace that begins in a service of this name. `default()` has no name.
    #[must_use]
    pub fn new(service: &'a str) -> Self {
        Self { service: Some(service), ..Self::default() }
    }

    /// Sets the HTTP request's `Host`.
    #[must_use]
    pub fn with_host(self, host: &'a str) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Sets the HTTP method.
    #[must_use]
    pub fn with_method(self, method: &'a str) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Sets the URL's path. A query behind it is removed: rules match paths.
    #[must_use]
    pub fn with_path(self, path: &'a str) -> Self {
        Self { path: path.split('?').next(), ..self }
    }

    /// Sets the type of the resource that runs the service, as a segment's origin: `AWS::ECS::Container`, for instance.
    #[must_use]
    pub fn with_service_type(self, service_type: &'a str) -> Self {
        Self { service_type: Some(service_type), ..self }
    }

    /// Sets the ARN of the AWS resource that runs this code.
    #[must_use]
    pub fn with_resource_arn(self, resource_arn: &'a str) -> Self {
        Self { resource_arn: Some(resource_arn), ..self }
    }

    /// Sets the source of attributes that rules may match.
    #[must_use]
    pub fn with_attributes(self, attributes: &'a dyn Attributes) -> Self {
        Self { attributes: Some(attributes), ..self }
    }

    /// Sets the time, in seconds since 1970. Defaults to the wall clock, read by samplers that need it.
    #[must_use]
    pub fn with_epoch_seconds(self, epoch_seconds: u32) -> Self {
        Self { epoch_seconds: Some(epoch_seconds), ..self }
    }

    /// Returns the name of the service.
    #[must_use]
    pub fn service(&self) -> Option<&'a str> {
        self.service
    }

    /// The HTTP request's `Host`.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        self.host
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> Option<&'a str> {
        self.method
    }

    /// The URL's path, without a query.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        self.path
    }

    /// Returns the type of the resource that runs the service.
    #[must_use]
    pub fn service_type(&self) -> Option<&'a str> {
        self.service_type
    }

    /// Returns the ARN of the AWS resource that runs this code.
    #[must_use]
    pub fn resource_arn(&self) -> Option<&'a str> {
        self.resource_arn
    }

    /// Returns the value of an attribute.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<Cow<'a, str>> {
        self.attributes?.attribute(key)
    }

    /// Returns the time, in seconds since 1970.
    #[must_use]
    pub fn epoch_seconds(&self) -> Option<u32> {
        self.epoch_seconds
    }
}
