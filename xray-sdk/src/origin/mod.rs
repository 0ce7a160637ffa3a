//! Detection of the platform: the segment's `origin`, the blocks about it, and the log groups beside it.
//!
//! One file for each place, each behind a feature (`plugin-ec2` and so on; `plugins` is all of them); `container`
//! and `imds` are what two of them share. Below them, `probe` is what they may look at (files, variables, endpoints) and
//! `detected` is what they say; above, [`Plugins`] asks them in a fixed order. The most specific place names the
//! origin (Beanstalk, then EKS, ECS, EC2, as in the official SDK for Java), and every place that applies adds its
//! block.
//!
//! Asking takes milliseconds where a place applies, and a metadata endpoint that isn't there costs a tenth of a
//! second at most. Call [`Plugins::detect`] where that does not matter; the layer has a thread for it.

mod detected;
mod probe;

#[cfg(feature = "plugin-beanstalk")]
mod beanstalk;
#[cfg(any(feature = "plugin-ecs", feature = "plugin-eks"))]
mod container;
#[cfg(feature = "plugin-ec2")]
mod imds;

#[cfg(feature = "plugin-ec2")]
mod ec2;
#[cfg(feature = "plugin-ecs")]
mod ecs;
#[cfg(feature = "plugin-eks")]
mod eks;
#[cfg(feature = "plugin-lambda")]
mod lambda;

mod plugins;

pub use detected::{DetectedOrigin, LogGroup};
pub use plugins::Plugins;

#[cfg(test)]
#[cfg(all(feature = "plugins", feature = "local"))]
mod tests;
