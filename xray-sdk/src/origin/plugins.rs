//! [`Plugins`]: the platforms in their order, and what detection looks at.

use std::path::PathBuf;

use super::DetectedOrigin;
use super::probe::Probe;

/// Detects the AWS platform that runs this process: Beanstalk, EKS, ECS, EC2 or Lambda.
///
/// Each platform is a feature, and `plugins` is all of them.
///
/// ```
/// let detected = xray_sdk::origin::Plugins::new().detect();
/// println!("{:?}", detected.origin());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    probe: Probe,
}

impl Plugins {
    /// Creates a detection of all platforms that are compiled in, on this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads files below `root` instead of `/`, for tests and for processes that see their host's files elsewhere.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.probe.set_root(root.into());
        self
    }

    /// Uses `variables` instead of the process's environment.
    #[must_use]
    pub fn with_variables<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.probe.set_variables(variables.collect());
        self
    }

    /// Detects where the process runs.
    ///
    /// Detection reads files and asks metadata endpoints, so it may take a tenth of a second. Don't call it where a
    /// request waits.
    #[must_use]
    pub fn detect(&self) -> DetectedOrigin {
        let mut found = DetectedOrigin::default();
        let at = &self.probe;
        if let Some(group) = at.variable("AWS_LOG_GROUP") {
            found.add_log_group(group, None);
        }
        #[cfg(feature = "plugin-lambda")]
        if super::lambda::detect(at, &mut found) {
            // None of the others is there, and asking for them would delay the first invocation.
            return found;
        }
        #[cfg(feature = "plugin-ec2")]
        let imds = super::imds::Imds::new(at);
        #[cfg(feature = "plugin-beanstalk")]
        super::beanstalk::detect(at, &mut found);
        #[cfg(feature = "plugin-eks")]
        super::eks::detect(
            at,
            // A tag of the node's.
            #[cfg(feature = "plugin-ec2")]
            || imds.tag("eks:cluster-name"),
            #[cfg(not(feature = "plugin-ec2"))]
            || None,
            &mut found,
        );
        #[cfg(feature = "plugin-ecs")]
        super::ecs::detect(at, &mut found);
        #[cfg(feature = "plugin-ec2")]
        super::ec2::detect(at, &imds, &mut found);
        found
    }
}
