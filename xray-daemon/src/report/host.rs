//! The machine, as telemetry names it.
//!
//! Found once at start. An instance that does not say its name is no error: the service takes empty names.

use std::time::Duration;

use log::debug;

use crate::aws::Metadata;
use crate::config::Environment;

/// The machine as telemetry names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// `AWS_HOSTNAME`, else the instance's host name, else empty.
    ///
    /// At most 255 characters are sent.
    pub name: String,
    /// `AWS_INSTANCE_ID`, else the instance's id, else empty.
    ///
    /// At most 20 characters are sent.
    pub instance_id: String,
    /// `-a`, at most 500 characters.
    pub resource_arn: String,
}

impl Host {
    /// Asks the environment, then the instance's metadata, unless in local mode.
    pub async fn find(environment: &Environment, metadata: &Metadata, resource_arn: &str) -> Self {
        let name = find("hostname", "AWS_HOSTNAME", environment, metadata);
        let instance_id = find("instance-id", "AWS_INSTANCE_ID", environment, metadata);
        let (name, instance_id) = tokio::join!(name, instance_id);
        debug!("ARN of the AWS resource running the daemon: {resource_arn}");
        Self {
            name: shortened(&name, 255),
            instance_id: shortened(&instance_id, 20),
            resource_arn: shortened(resource_arn, 500),
        }
    }
}

async fn find(path: &str, variable: &str, environment: &Environment, metadata: &Metadata) -> String {
    if let Some(value) = environment.get(variable) {
        debug!("Fetch {path} {value} from environment variables");
        return value.to_owned();
    }
    if !metadata.is_asked() {
        debug!("No {path} set for telemetry records");
        return String::new();
    }
    match metadata.get(path, LIMIT).await {
        Ok(value) => {
            debug!("Using {value} {path} for telemetry records");
            value
        }
        Err(reason) => {
            debug!("Get {path} metadata failed: {reason}");
            String::new()
        }
    }
}

/// The longest that the metadata may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The service refuses a request with a longer value.
fn shortened(value: &str, characters: usize) -> String {
    value.chars().take(characters).collect()
}
