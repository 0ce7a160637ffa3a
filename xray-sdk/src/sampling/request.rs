//! What is known about a trace when it begins. Filled by the layer and by integrations, read by samplers.

/// The beginning of a trace, as far as sampling rules can ask about it.
///
/// Whatever is not known is `None`; rules take that for a match, as the official SDKs do.
///
/// ```
/// # use xray_sdk::sampling::SamplingRequest;
/// let request = SamplingRequest::new("shop").with_method("GET").with_path("/cart?item=7");
/// assert_eq!(request.path(), Some("/cart"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SamplingRequest<'a> {
    service: Option<&'a str>,
    host: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    service_type: Option<&'a str>,
    epoch_seconds: Option<u32>,
}

impl<'a> SamplingRequest<'a> {
    /// A trace that begins in a service of this name. `default()` has no name.
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

    /// Sets the URL's path. A query that follows it is cut off: rules are written for paths.
    #[must_use]
    pub fn with_path(self, path: &'a str) -> Self {
        Self { path: path.split('?').next(), ..self }
    }

    /// Sets what runs the service, in X-Ray's words for a segment's origin: `AWS::ECS::Container`, for instance.
    #[must_use]
    pub fn with_service_type(self, service_type: &'a str) -> Self {
        Self { service_type: Some(service_type), ..self }
    }

    /// Sets the time, in seconds since 1970, for callers that know it already. Samplers that were not told
    /// read the wall clock if they need to.
    #[must_use]
    pub fn with_epoch_seconds(self, epoch_seconds: u32) -> Self {
        Self { epoch_seconds: Some(epoch_seconds), ..self }
    }

    /// Name of the service.
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

    /// What runs the service.
    #[must_use]
    pub fn service_type(&self) -> Option<&'a str> {
        self.service_type
    }

    /// The time, in seconds since 1970.
    #[must_use]
    pub fn epoch_seconds(&self) -> Option<u32> {
        self.epoch_seconds
    }
}
