//! The jobs that the main table shows, and how each is set up.

use std::net::SocketAddr;

use super::contender::Setting;
use super::jobs::Job;

/// A column: a job, and what its cost is given per.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// As the issue and the tables call it.
    pub name: &'static str,
    /// In words.
    pub title: &'static str,
    pub(crate) job: Job,
    /// The cost is given per this part of the job.
    pub(crate) units: u32,
    sampled: bool,
    beside: bool,
}

impl Column {
    pub(crate) fn setting(&self, daemon: SocketAddr) -> Setting {
        Setting { sampled: self.sampled, beside: self.beside, ..Setting::to(daemon) }
    }
}

/// The jobs that the table shows.
pub const COLUMNS: [Column; 7] = [
    Column {
        name: "A",
        title: "a request of five spans",
        job: Job::Request,
        units: 1,
        sampled: true,
        beside: false,
    },
    Column { name: "B", title: "one child", job: Job::Children(50), units: 50, sampled: true, beside: false },
    Column {
        name: "C",
        title: "a root with 100 children",
        job: Job::Children(100),
        units: 1,
        sampled: true,
        beside: false,
    },
    Column {
        name: "K",
        title: "one of 100 children with an annotation, an integer, a float and a flag",
        job: Job::Kinds(100),
        units: 100,
        sampled: true,
        beside: false,
    },
    Column {
        name: "W",
        title: "one of 400 of those",
        job: Job::Kinds(400),
        units: 400,
        sampled: true,
        beside: false,
    },
    Column {
        name: "E",
        title: "a request, not sampled",
        job: Job::Request,
        units: 1,
        sampled: false,
        beside: false,
    },
    Column {
        name: "F",
        title: "one child that the layer's filter rejects, another layer beside",
        job: Job::Rejected(50),
        units: 50,
        sampled: true,
        beside: true,
    },
];
