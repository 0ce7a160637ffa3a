//! Elastic Beanstalk: a file that the platform writes when X-Ray is switched on. Its members are those of the
//! block (X-Ray Developer Guide, segment documents: `elastic_beanstalk`).

use serde_json::Value;

use super::DetectedOrigin;
use super::probe::Probe;

const FILE: &str = "/var/elasticbeanstalk/xray/environment.conf";

pub(super) fn detect(at: &Probe, found: &mut DetectedOrigin) {
    let Some(Value::Object(file)) = at.read(FILE).and_then(|text| serde_json::from_str(&text).ok()) else {
        return;
    };
    let text = |key| file.get(key).filter(|value| value.is_string()).cloned();
    // The block's is a number; the file's has been a string as well.
    let deployment = file.get("deployment_id").and_then(|id| match id {
        Value::String(digits) => digits.parse::<u64>().ok().map(Value::from),
        id => id.is_number().then(|| id.clone()),
    });
    found.add(
        "AWS::ElasticBeanstalk::Environment",
        "elastic_beanstalk",
        [
            ("environment_name", text("environment_name")),
            ("version_label", text("version_label")),
            ("deployment_id", deployment),
        ],
    );
}
