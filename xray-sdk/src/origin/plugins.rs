//! The places in their order, and the user's say about what they look at.

use std::path::PathBuf;

use super::DetectedOrigin;
use super::probe::Probe;

/// Asks all places that are compiled in where this process runs.
///
/// ```
/// let finding = xray_sdk::origin::Plugins::new().detect();
/// println!("{:?}", finding.origin());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    probe: Probe,
}

impl Plugins {
    /// All places that are compiled in, on this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for files below `root` instead of `/`: for tests, and for a process that sees its host's files
    /// elsewhere.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.probe.set_root(root.into());
        self
    }

    /// Takes these for the environment's variables, instead of the process's own.
    #[must_use]
    pub fn with_variables<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.probe.set_variables(variables.collect());
        self
    }

    /// Finds out. It reads files and asks metadata endpoints, so not on a path that somebody waits on.
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
