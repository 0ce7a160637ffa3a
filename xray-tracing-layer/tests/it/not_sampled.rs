//! Traces that are not there because something decided against them: each reason has a diagnostic of its own.

use tracing::info_span;
use xray_sdk::sampling::{KeepSlowAndFailed, Never, ParentOnly};
use xray_tracing_layer::{Diagnostic, DropRule, NotSampledBy, XraySpanExt};

use crate::diagnoses::assert_sentence;
use crate::support::MemoryRig;

#[test]
fn traces_that_are_not_sampled_are_reported_with_the_sampler() {
    let rig = MemoryRig::with(|builder| builder.sampler(Never));
    rig.run(|| {
        (0..3).for_each(|_| drop(info_span!("root")));
        info_span!("kept").force_sampling(true);
    });
    let found = rig.handle.diagnostics();
    let [Diagnostic::NotSampled { traces: 3, of: 4, by: NotSampledBy::Sampler { name } }] = &found[..] else {
        panic!("{found:?}")
    };
    assert!(name.ends_with("::Never"), "{name}");
    assert_sentence(&found[0], &["3 of 4", "Never", "Builder::sampler"]);
}

#[test]
fn traces_that_something_else_than_the_sampler_decided_against_are_reported_with_the_reason() {
    const NOT_SAMPLED: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0";
    let only = |rig: &MemoryRig, work: &dyn Fn()| {
        rig.run(work);
        let mut found = rig.handle.diagnostics();
        let (last, none) = (found.pop().expect("a diagnostic"), found);
        assert_eq!(none, []);
        last
    };
    let by = |by| Diagnostic::NotSampled { traces: 1, of: 1, by };

    let rule = |rule: DropRule| MemoryRig::with(|b| b.drop_span(rule));
    for rig in [rule("root".into()), rule(DropRule::name("root").with_children())] {
        let found = only(&rig, &|| drop(info_span!("root")));
        assert_eq!(found, by(NotSampledBy::LeftOut));
        assert_sentence(&found, &["1 of 1", "left out", "Builder::drop_span"]);
    }
    let rig = MemoryRig::with(|b| {
        b.on_close(|span| {
            span.drop_span();
        })
    });
    assert_eq!(only(&rig, &|| drop(info_span!("root"))), by(NotSampledBy::LeftOut));

    let by_field = || drop(info_span!("root", xray.sampled = false));
    let by_method = || info_span!("root").force_sampling(false);
    for work in [&by_field as &dyn Fn(), &by_method] {
        let found = only(&MemoryRig::new(), work);
        assert_eq!(found, by(NotSampledBy::Program));
        assert_sentence(&found, &["1 of 1", "the program", "xray.sampled"]);
    }

    let by_field = || drop(info_span!("root", xray.trace_header = NOT_SAMPLED));
    let by_method = || info_span!("root").set_trace_header(&NOT_SAMPLED.parse().unwrap());
    for work in [&by_field as &dyn Fn(), &by_method] {
        let found = only(&MemoryRig::new(), work);
        assert_eq!(found, by(NotSampledBy::Caller));
        assert_sentence(&found, &["1 of 1", "a caller's header", "Sampled=0"]);
    }

    let full = MemoryRig::with(|b| b.sampler(KeepSlowAndFailed::new(Never).max_open_traces(0)));
    let found = only(&full, &|| drop(info_span!("root")));
    assert_eq!(found, by(NotSampledBy::TailFull { max: 0 }));
    assert_sentence(&found, &["1 of 1", "tail decision", "max_open_traces"]);

    // What waited, and was not kept, is what the sampler decided.
    let waited = MemoryRig::with(|b| b.sampler(KeepSlowAndFailed::new(Never)));
    let found = only(&waited, &|| drop(info_span!("root")));
    assert!(matches!(&found, Diagnostic::NotSampled { by: NotSampledBy::Sampler { .. }, .. }), "{found:?}");
    let open = MemoryRig::with(|b| b.sampler(ParentOnly));
    let found = only(&open, &|| drop(info_span!("root")));
    assert_sentence(&found, &["1 of 1", "ParentOnly"]);
}

#[test]
fn each_reason_has_a_diagnostic_of_its_own_and_their_sum_is_what_is_missing() {
    let rig = MemoryRig::with(|b| b.sampler(Never).drop_span("health"));
    rig.run(|| {
        drop(info_span!("health"));
        (0..2).for_each(|_| drop(info_span!("root")));
        (0..3).for_each(|_| drop(info_span!("root", xray.sampled = false)));
        drop(info_span!("kept", xray.sampled = true));
    });
    let found = rig.handle.diagnostics();
    let traces = found.iter().map(|found| match found {
        Diagnostic::NotSampled { traces, of: 7, .. } => *traces,
        other => panic!("{other:?}"),
    });
    assert_eq!(traces.collect::<Vec<_>>(), [2, 3, 1]);
}
