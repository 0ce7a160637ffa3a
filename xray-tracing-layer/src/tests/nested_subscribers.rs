//! A thread that works under two subscribers in turn. Their registries number spans alike.

use tracing::info_span;
use xray_sdk::sampling::{Always, Never};

use super::{Rig, names};

fn rigs() -> (Rig, Rig) {
    (Rig::new(|b| b.sampler(Always)), Rig::new(|b| b.sampler(Never)))
}

#[test]
fn an_unsampled_root_of_another_subscriber_hides_no_span() {
    let (recording, other) = rigs();
    other.run(|| {
        let _root = info_span!("unsampled").entered();
        recording.run(|| info_span!("root").in_scope(|| drop(info_span!("child"))));
    });
    let sent = recording.sent();
    assert_eq!((sent.len(), &sent[0]["subsegments"][0]["name"]), (1, &"child".into()));
}

#[test]
fn a_span_that_another_subscriber_opens_is_not_taken_for_one_with_the_same_number() {
    let (recording, other) = rigs();
    recording.run(|| {
        let root = info_span!("root");
        let _outer = info_span!(parent: None, "outer").entered();
        let unsampled = other.run(|| info_span!("unsampled"));
        assert_eq!(root.id(), unsampled.id());
        root.in_scope(|| drop(info_span!("child")));
    });
    let sent = recording.sent();
    assert_eq!(names(&sent), ["shop", "shop"]);
    assert!(sent.iter().any(|root| root["subsegments"][0]["name"] == "child"), "{sent:?}");
}

#[test]
fn a_span_that_another_subscriber_exits_is_not_taken_for_one_with_the_same_number() {
    let (recording, other) = rigs();
    recording.run(|| {
        let root = info_span!("root").entered();
        other.run(|| {
            let unsampled = info_span!("unsampled").entered();
            assert_eq!(root.id(), unsampled.id());
        });
        drop(info_span!("child"));
    });
    let sent = recording.sent();
    assert_eq!((sent.len(), &sent[0]["subsegments"][0]["name"]), (1, &"child".into()));
}
