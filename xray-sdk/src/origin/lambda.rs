//! Lambda: known by its variables, without asking anyone. The function's segment is the platform's own, so what is
//! found here matters to sampling rules and to documents made by hand.

use super::DetectedOrigin;
use super::probe::Probe;

/// Returns whether the process is a Lambda function, and so on no other platform.
pub(super) fn detect(at: &Probe, found: &mut DetectedOrigin) -> bool {
    if at.variable("LAMBDA_TASK_ROOT").is_none() {
        return false;
    }
    found.add("AWS::Lambda::Function", "", []);
    if let Some(group) = at.variable("AWS_LAMBDA_LOG_GROUP_NAME") {
        found.add_log_group(group, None);
    }
    true
}
