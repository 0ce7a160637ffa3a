//! [`DetectedOrigin`]: what detection found, and how it is written into a segment.

use std::collections::BTreeMap;

use serde_core::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::document::internal::Preamble;

/// The platform on which a process runs, as far as it was detected. Defaults to nothing known.
///
/// ```
/// use xray_sdk::origin::DetectedOrigin;
///
/// let unknown = DetectedOrigin::default();
/// assert_eq!((unknown.origin(), unknown.log_groups().len()), (None, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DetectedOrigin {
    pub(super) origin: Option<&'static str>,
    pub(super) blocks: Vec<(&'static str, BTreeMap<&'static str, Value>)>,
    pub(super) log_groups: Vec<LogGroup>,
    pub(super) resource_arn: Option<String>,
}

/// A CloudWatch log group that holds the process's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogGroup {
    /// The log group's name.
    pub name: String,
    /// The log group's ARN, if known.
    pub arn: Option<String>,
}

impl DetectedOrigin {
    /// Returns the segment's `origin`: `AWS::ECS::Container`, for instance. Sampling rules call it the service type.
    #[must_use]
    pub fn origin(&self) -> Option<&'static str> {
        self.origin
    }

    /// Returns the ARN of the resource that runs the process, a container for instance. Sampling rules may match it.
    #[must_use]
    pub fn resource_arn(&self) -> Option<&str> {
        self.resource_arn.as_deref()
    }

    /// Returns the log groups, without duplicates.
    #[must_use]
    pub fn log_groups(&self) -> &[LogGroup] {
        &self.log_groups
    }

    /// Adds everything to what all segments of the process have in common.
    #[doc(hidden)]
    #[must_use]
    pub fn apply(&self, mut preamble: Preamble) -> Preamble {
        if let Some(origin) = self.origin {
            preamble = preamble.with("origin", &origin);
        }
        for (key, block) in &self.blocks {
            preamble = preamble.with_aws(key, block);
        }
        if !self.log_groups.is_empty() {
            preamble = preamble.with_log_groups(&self.log_groups);
        }
        preamble
    }

    /// Adds a platform's name, unless a more specific one is known, and its block, unless that is empty.
    #[cfg_attr(not(feature = "plugins"), allow(dead_code, reason = "without a platform nothing is added"))]
    pub(super) fn add(
        &mut self,
        origin: &'static str,
        key: &'static str,
        members: impl IntoIterator<Item = (&'static str, Option<Value>)>,
    ) {
        self.origin.get_or_insert(origin);
        let known = members.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let block: BTreeMap<_, _> = known.collect();
        if !block.is_empty() {
            self.blocks.push((key, block));
        }
    }

    pub(super) fn add_log_group(&mut self, name: impl Into<String>, arn: Option<String>) {
        let name = name.into();
        match self.log_groups.iter_mut().find(|known| known.name == name) {
            _ if name.is_empty() => {}
            Some(known) => known.arn = known.arn.take().or(arn),
            None => self.log_groups.push(LogGroup { name, arn }),
        }
    }
}

impl Serialize for LogGroup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("log_group", &self.name)?;
        if let Some(arn) = &self.arn {
            map.serialize_entry("arn", arn)?;
        }
        map.end()
    }
}
