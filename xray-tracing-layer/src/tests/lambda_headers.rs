//! An invocation's header: the segment that spans belong to, and the spans that are not recorded.

use tracing::{Span, info_span};

use super::{Rig, SAMPLED, lambda, names};
use crate::{XraySpanExt, current_trace_header};

#[test]
fn in_lambda_spans_are_parts_of_the_functions_own_segment() {
    let rig = lambda(SAMPLED);
    rig.run(|| {
        let _handler = info_span!("handler").entered();
        drop(info_span!("work"));
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["handler"]);
    assert_eq!(sent[0]["type"], "subsegment");
    assert_eq!(sent[0]["trace_id"], "1-66f1a2b3-0123456789abcdef01234567");
    assert_eq!(sent[0]["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(sent[0]["subsegments"][0]["name"], "work");
}

#[test]
fn the_runtimes_span_stands_for_the_functions_segment_and_is_not_sent() {
    // No variable: the header comes with the span, as it does when invocations run side by side.
    let rig = lambda("");
    rig.run(|| {
        let _invoke = info_span!("Lambda runtime invoke", requestId = "r", xrayTraceId = SAMPLED).entered();
        assert_eq!(current_trace_header().unwrap().to_string(), SAMPLED);
        let handler = info_span!("handler").entered();
        let header = current_trace_header().unwrap().to_string();
        assert!(header.starts_with("Root=1-66f1a2b3-0123456789abcdef01234567;Parent="), "{header}");
        assert!(
            header.ends_with(";Sampled=1;Lineage=a:1") && !header.contains("53995c3f42cd8ad8"),
            "{header}"
        );
        drop(handler);
        assert_eq!(names(&rig.sent()), ["handler"], "it left before the response is posted");
        drop(info_span!("second"));
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["second"]);
    assert_eq!(sent[0]["parent_id"], "53995c3f42cd8ad8");
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.emitted), (2, 2));
}

#[test]
fn a_facade_works_outside_lambda_too() {
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _invoke = info_span!("Lambda runtime invoke", xrayTraceId = SAMPLED).entered();
        drop(info_span!("handler"));
    });
    assert_eq!(rig.sent()[0]["parent_id"], "53995c3f42cd8ad8");
}

#[test]
fn in_lambda_nothing_is_recorded_without_a_whole_header_and_what_is_known_is_passed_on() {
    for (header, passed_on) in [
        ("Root=1-66f1a2b3-0123456789abcdef01234567", Some("Root=1-66f1a2b3-0123456789abcdef01234567")),
        (
            "Root=1-66f1a2b3-0123456789abcdef01234567;Lineage=a:1",
            Some("Root=1-66f1a2b3-0123456789abcdef01234567;Lineage=a:1"),
        ),
        (
            "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=1",
            Some("Root=1-66f1a2b3-0123456789abcdef01234567"),
        ),
        ("", None),
        ("junk", None),
    ] {
        let rig = lambda(header);
        rig.run(|| {
            let _init = info_span!("init").entered();
            let _work = info_span!("work").entered();
            assert_eq!(current_trace_header().map(|h| h.to_string()).as_deref(), passed_on, "{header}");
        });
        assert_eq!(rig.sent(), [0; 0], "{header}");
        assert_eq!(rig.handle.stats().closed, 0);
    }
}

#[test]
fn in_lambda_an_unsampled_invocation_sends_nothing_and_says_so_downstream() {
    let rig = lambda("Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0");
    rig.run(|| {
        let _handler = info_span!("handler").entered();
        let header = current_trace_header().unwrap().to_string();
        assert!(header.starts_with("Root=1-66f1a2b3-0123456789abcdef01234567;Parent="), "{header}");
        assert!(header.ends_with(";Sampled=0"), "{header}");
    });
    assert_eq!(rig.sent(), [0; 0]);
}

#[test]
fn a_user_named_in_lambda_is_kept_as_metadata() {
    let rig = lambda(SAMPLED);
    rig.run(|| {
        let _handler = info_span!("handler").entered();
        info_span!("work").in_scope(|| Span::current().set_user("u-17"));
    });
    assert_eq!(rig.sent()[0]["metadata"]["default"]["user.id"], "u-17");
}
