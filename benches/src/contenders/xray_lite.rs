//! xray-lite, which makes subsegments below a Lambda function's segment, each on its own: a root, fields, events
//! and nesting it does not have. Of each job, xray-lite does what it can, which is less.

use std::net::SocketAddr;

use xray_lite::{Context, CustomNamespace, DaemonClient, RemoteNamespace, SubsegmentContext};

use crate::workload::contender::{Built, Setting, World};
use crate::workload::jobs::{Job, URL};

/// The variable that it takes the trace from, and a trace.
pub(crate) const LAMBDA_HEADER: (&str, &str) =
    ("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");

pub(super) fn sending(setting: Setting) -> Built {
    // xray-lite sends what is not sampled, and never sees a span that no layer wants.
    if !setting.sampled || setting.beside {
        return Ok(None);
    }
    Ok(context(setting.daemon).map(|context| Box::new(XrayLite(context)) as Box<dyn World>))
}

fn context(daemon: SocketAddr) -> Option<SubsegmentContext<DaemonClient>> {
    SubsegmentContext::from_lambda_env(DaemonClient::new(daemon).ok()?).ok()
}

struct XrayLite(SubsegmentContext<DaemonClient>);

impl World for XrayLite {
    #[inline(never)]
    fn run(&self, job: Job, times: u32) {
        for _ in 0..times {
            let mut root = self.0.enter_subsegment(RemoteNamespace::new("GET /orders", "GET", URL));
            match job {
                Job::Request => self.children(4),
                Job::Children(count) | Job::Kinds(count) | Job::Rejected(count) => self.children(count),
                Job::Chain(depth) => self.descend(depth),
                // In the gate alone, where no rival is.
                Job::Late(_) | Job::Polled(_) | Job::Exchange => {}
            }
            if let Some(namespace) = root.namespace_mut() {
                namespace.response_status(200);
            }
        }
    }
}

impl XrayLite {
    fn children(&self, count: u32) {
        for _ in 0..count {
            let _in_child = self.0.enter_subsegment(CustomNamespace::new("load"));
        }
    }

    fn descend(&self, left: u32) {
        if left > 0 {
            let _in_child = self.0.enter_subsegment(CustomNamespace::new("load"));
            self.descend(left - 1);
        }
    }
}
