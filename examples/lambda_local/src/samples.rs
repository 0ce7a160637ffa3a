//! Events of AWS's services, built in by name, in the shapes of the Lambda Developer Guide's chapters on each service.
//!
//! Ids, times and addresses are made up. The command takes a name in place of an event.

/// Every built-in event: its name, what sends it, and its JSON.
pub const SAMPLES: [Sample; 7] = [
    sample("api-gateway", "an HTTP API or a function URL", include_str!("../samples/api-gateway.json")),
    sample("api-gateway-rest", "a REST API", include_str!("../samples/api-gateway-rest.json")),
    sample("alb", "an Application Load Balancer", include_str!("../samples/alb.json")),
    sample("sqs", "a queue: two messages, one with a trace header", include_str!("../samples/sqs.json")),
    sample("sns", "a topic: one notification", include_str!("../samples/sns.json")),
    sample("eventbridge", "an event bus", include_str!("../samples/eventbridge.json")),
    sample("s3", "a bucket: one object was created", include_str!("../samples/s3.json")),
];

/// A built-in event.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The name by which the command knows it.
    pub name: &'static str,
    /// What sends such an event.
    pub sender: &'static str,
    /// The event, indented.
    pub json: &'static str,
}

/// The built-in event of this name.
#[must_use]
pub fn find(name: &str) -> Option<Sample> {
    SAMPLES.into_iter().find(|sample| sample.name == name)
}

const fn sample(name: &'static str, sender: &'static str, json: &'static str) -> Sample {
    Sample { name, sender, json }
}
