//! The region that traces go to, looked for in the original's order.
//!
//! Flag or file, `AWS_REGION`, then the ECS metadata file and EC2's metadata; in local mode the profile. Log lines are
//! the original's. `aws-config`'s own order is another one, and is not used.

use std::time::Duration;

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use log::{debug, error};
use serde_json::Value;

use super::endpoint::is_true;
use super::metadata::Metadata;
use crate::config::Environment;

/// A region, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The region's name, like `eu-west-1`.
    pub name: String,
    /// The source of the name.
    pub source: RegionSource,
}

/// The source of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegionSource {
    /// `-n` or the key `Region`.
    Configuration,
    /// `AWS_REGION`.
    Environment,
    /// The file that the ECS agent writes.
    EcsMetadata,
    /// The instance's metadata.
    Ec2Metadata,
    /// In local mode: `AWS_DEFAULT_REGION`, or the profile's region.
    Profile,
}

impl RegionSource {
    /// The words of the log line `Fetch region … from …`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "commandline/config file",
            Self::Environment => "environment variables",
            Self::EcsMetadata => "ECS metadata file",
            Self::Ec2Metadata => "ec2 metadata",
            Self::Profile => "config",
        }
    }
}

/// No region is known, which ends the daemon at start, as in the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRegion;

impl std::fmt::Display for NoRegion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "Cannot fetch region variable from config file, environment variables, ecs metadata, or ec2 metadata. \
             Use local-mode to use the local config region.",
        )
    }
}

impl std::error::Error for NoRegion {}

impl Region {
    /// Looks for the region. The first place that has one counts:
    ///
    /// | place | |
    /// |---|---|
    /// | `configured` | the flag `-n`, then the key `Region` |
    /// | `AWS_REGION` | |
    /// | ECS metadata file | not in local mode |
    /// | EC2 metadata | not in local mode |
    /// | `AWS_DEFAULT_REGION`, then the profile | in local mode |
    ///
    /// # Errors
    ///
    /// [`NoRegion`] if no place has one.
    pub async fn find(
        configured: Option<&str>,
        local_mode: bool,
        environment: &Environment,
        metadata: &Metadata,
        provider: &ProviderConfig,
    ) -> Result<Self, NoRegion> {
        let found = if let Some(name) = configured.filter(|name| !name.is_empty()) {
            Some((name.to_owned(), RegionSource::Configuration))
        } else if let Some(name) = environment.get("AWS_REGION") {
            Some((name.to_owned(), RegionSource::Environment))
        } else if local_mode {
            of_profile(environment, provider).await.map(|name| (name, RegionSource::Profile))
        } else if let Some(name) = of_ecs(environment) {
            Some((name, RegionSource::EcsMetadata))
        } else {
            of_ec2(metadata).await.map(|name| (name, RegionSource::Ec2Metadata))
        };
        let (name, source) = found.ok_or(NoRegion)?;
        debug!("Fetch region {name} from {}", source.as_str());
        Ok(Self { name, source })
    }
}

async fn of_profile(environment: &Environment, provider: &ProviderConfig) -> Option<String> {
    if let Some(name) = environment.get("AWS_DEFAULT_REGION") {
        return Some(name.to_owned());
    }
    let profile = ProfileFileRegionProvider::builder().configure(provider).build();
    Some(profile.region().await?.as_ref().to_owned())
}

/// The region in the task's ARN, in the file that the ECS agent writes if it is asked to.
fn of_ecs(environment: &Environment) -> Option<String> {
    if !is_true(environment, "ECS_ENABLE_CONTAINER_METADATA") {
        return None;
    }
    let path = environment.get("ECS_CONTAINER_METADATA_FILE").unwrap_or_default();
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(err) => {
            error!("Unable to open ECS metadata file: `{path}`: {err}");
            return None;
        }
    };
    let region = serde_json::from_slice::<Value>(&content)
        .map_err(|err| err.to_string())
        .and_then(|file| region_of_arn(&file["TaskARN"]).ok_or_else(|| "no region in `TaskARN`".to_owned()));
    region.map_err(|reason| error!("Unable to read ECS metadata file contents: `{path}`: {reason}")).ok()
}

fn region_of_arn(arn: &Value) -> Option<String> {
    let region = arn.as_str()?.split(':').nth(3)?;
    (!region.is_empty()).then(|| region.to_owned())
}

async fn of_ec2(metadata: &Metadata) -> Option<String> {
    match metadata.get("placement/region", REGION_LIMIT).await {
        Ok(region) => Some(region),
        Err(reason) => {
            error!("Unable to fetch region from EC2 metadata: {reason}");
            None
        }
    }
}

/// The longest that the start waits for the instance's metadata.
const REGION_LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(enabled: &str, path: &str) -> Environment {
        [("ECS_ENABLE_CONTAINER_METADATA", enabled), ("ECS_CONTAINER_METADATA_FILE", path)]
            .into_iter()
            .collect()
    }

    fn ecs(content: &str) -> Option<String> {
        let path =
            std::env::temp_dir().join(format!("xray-daemon-ecs-{}-{}", std::process::id(), content.len()));
        std::fs::write(&path, content).unwrap();
        let region = of_ecs(&environment("TRUE", path.to_str().unwrap()));
        std::fs::remove_file(&path).unwrap();
        region
    }

    #[test]
    fn the_task_arn_names_the_region() {
        let arn = "arn:aws:ecs:us-east-1:012345678910:task/default/2b88376d";
        assert_eq!(
            ecs(&format!(r#"{{"Cluster":"default","TaskARN":"{arn}"}}"#)).as_deref(),
            Some("us-east-1")
        );
    }

    #[test]
    fn broken_metadata_gives_no_region() {
        for content in
            ["][foobar})(", "{}", r#"{"TaskARN":7}"#, r#"{"TaskARN":"arn:aws"}"#, r#"{"TaskARN":"a:b:c::d"}"#]
        {
            assert_eq!(ecs(content), None, "{content}");
        }
        assert_eq!(of_ecs(&environment("true", "foobar")), None);
        assert_eq!(of_ecs(&Environment::default()), None);
    }
}
