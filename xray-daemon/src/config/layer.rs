//! Settings as one source has them: each is there or not.
//!
//! The flags are a layer, the file is another. `table` says which member belongs to which flag and key, `resolve`
//! lays one over the other.

/// The settings of one source. Members are in the order of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) resource_arn: Option<String>,
    pub(super) local_mode: Option<bool>,
    pub(super) buffer_memory_mb: Option<i64>,
    pub(super) region: Option<String>,
    pub(super) udp_address: Option<String>,
    pub(super) tcp_address: Option<String>,
    pub(super) role_arn: Option<String>,
    pub(super) log_path: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) proxy_address: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) concurrency: Option<i64>,
    pub(super) no_verify_ssl: Option<bool>,
    pub(super) log_rotation: Option<bool>,
    pub(super) spool_path: Option<String>,
    pub(super) spool_max_mb: Option<i64>,
    pub(super) spool_max_age_days: Option<i64>,
    pub(super) receive_buffer_kb: Option<i64>,
    pub(super) max_age_seconds: Option<i64>,
    pub(super) shutdown_seconds: Option<i64>,
    pub(super) admin: Option<String>,
    pub(super) health_socket: Option<String>,
    pub(super) caller_identity: Option<bool>,
    pub(super) allow_paths: Option<Vec<String>>,
    pub(super) allow_hosts: Option<Vec<String>>,
    pub(super) relay_timeout_seconds: Option<i64>,
    pub(super) relay_max_body_kb: Option<i64>,
}

/// A member of a layer, by its type.
pub(super) enum Slot<'a> {
    Text(&'a mut Option<String>),
    Number(&'a mut Option<i64>),
    Switch(&'a mut Option<bool>),
    List(&'a mut Option<Vec<String>>),
}

impl Slot<'_> {
    /// The value as a person reads it, if there is one.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::Text(value) => (**value).clone(),
            Self::Number(value) => value.map(|value| value.to_string()),
            Self::Switch(value) => value.map(|value| value.to_string()),
            Self::List(value) => value.as_ref().map(|values| values.join(", ")),
        }
    }
}
