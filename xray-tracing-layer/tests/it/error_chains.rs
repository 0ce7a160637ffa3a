//! Chains of errors that are long, large or endless: cut at their bounds, and whole up to there.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use tracing::{error, info_span};
use xray_tracing_layer::XraySpanExt;

use crate::support::{Rig, document_of};

#[test]
fn a_long_chain_of_errors_ends_at_its_bound() {
    let document = document_of(|| info_span!("root").record_error(&Chain(64)));
    assert_eq!(document["cause"]["exceptions"].as_array().unwrap().len(), 32);
}

#[test]
fn an_error_chain_without_an_end_is_cut() {
    let document = document_of(|| info_span!("root").record_error(&Ring));
    assert_eq!(document["cause"]["exceptions"].as_array().unwrap().len(), 32);
}

#[test]
fn a_chain_that_no_longer_fits_names_no_exception_that_is_missing() {
    let document = document_of(|| {
        let root = info_span!("root");
        root.record_error(&Chain(31));
        root.record_error(&Chain(3));
    });
    assert_eq!(document["cause"]["exceptions"].as_array().unwrap().len(), 32);
}

#[test]
fn sixty_four_exceptions_of_events_become_thirty_two() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        for i in 0..64 {
            error!(i, "failed");
        }
    });
    let document = rig.document();
    assert_eq!(document["cause"]["exceptions"].as_array().unwrap().len(), 32);
    assert_eq!(rig.handle.stats().values_dropped, 32);
}

#[test]
fn a_chain_of_long_messages_stays_within_the_bound_and_whole() {
    struct Long(u32);
    impl fmt::Debug for Long {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Long")
        }
    }
    impl fmt::Display for Long {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&"m".repeat(100_000))
        }
    }
    impl Error for Long {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            const NEXT: [Long; 8] = [Long(0), Long(0), Long(1), Long(2), Long(3), Long(4), Long(5), Long(6)];
            const ALL: &[Long; 8] = &NEXT;
            (self.0 > 0).then(|| &ALL[self.0 as usize] as _)
        }
    }
    let document = document_of(|| info_span!("root").record_error(&Long(7)));
    assert!(document["cause"]["exceptions"].as_array().unwrap().len() >= 3);
}

/// An error with so many sources behind it, itself included.
#[derive(Debug)]
pub(crate) struct Chain(pub(crate) usize);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to go", self.0)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        static SHORTER: std::sync::LazyLock<BTreeMap<usize, Chain>> =
            std::sync::LazyLock::new(|| (1..64).map(|n| (n, Chain(n))).collect());
        SHORTER.get(&(self.0 - 1)).map(|next| next as _)
    }
}

/// An error that is its own source.
#[derive(Debug)]
struct Ring;

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round")
    }
}

impl Error for Ring {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Self)
    }
}
