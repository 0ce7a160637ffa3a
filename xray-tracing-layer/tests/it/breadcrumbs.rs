//! INFO and WARN events that are kept with their span.

use std::fmt;

use serde_json::{Value, json};
use tracing::{debug, error, info, info_span, warn};
use xray_tracing_layer::{Builder, default_filter};

use crate::support::{MemoryRig, Rig};

fn crumbs(document: &Value) -> Vec<&Value> {
    document["metadata"]["breadcrumbs"]
        .as_object()
        .map(|crumbs| crumbs.values().collect())
        .unwrap_or_default()
}

#[test]
fn events_stay_with_the_span_that_they_happen_in() {
    let rig = Rig::with(Builder::breadcrumbs);
    rig.run(|| {
        let _root = info_span!("root").entered();
        info!(items = 2, tenant = "blue", ratio = 0.5, done = false, "placed {}", 7);
        info_span!("child").in_scope(|| warn!(target: "store", error = %fmt::Error, "slow"));
        debug!("not kept");
        error!("an exception, and no breadcrumb");
    });
    let document = rig.document();
    let [crumb] = crumbs(&document)[..] else { panic!("{document}") };
    assert_eq!(crumb["level"], "INFO");
    assert_eq!(crumb["target"], module_path!());
    assert_eq!(crumb["message"], "placed 7");
    assert_eq!(crumb["fields"], json!({"items": 2, "tenant": "blue", "ratio": 0.5, "done": false}));
    let (time, start) = (crumb["time"].as_f64().unwrap(), document["start_time"].as_f64().unwrap());
    assert!(time >= start && time <= document["end_time"].as_f64().unwrap());
    let child = &document["subsegments"][0];
    let [crumb] = crumbs(child)[..] else { panic!("{child}") };
    assert_eq!(
        (&crumb["level"], &crumb["target"], &crumb["message"]),
        (&"WARN".into(), &"store".into(), &"slow".into())
    );
    assert!(crumb["fields"]["error"].is_string());
    assert!(child.get("cause").is_none() && child.get("error").is_none(), "a warning is no failure");
}

#[test]
fn without_the_word_nothing_is_kept_and_the_filter_enables_nothing_more() {
    let rig = Rig::new();
    rig.run(|| {
        let _root = info_span!("root").entered();
        info!("placed");
    });
    assert!(crumbs(&rig.document()).is_empty());
    // Nor where another filter lets events pass.
    use tracing_subscriber::prelude::*;
    let memory = crate::support::Memory::default();
    let builder = xray_tracing_layer::builder().emitter(memory.clone()).sampler(xray_sdk::sampling::Always);
    let layer = builder.without_filter().build::<tracing_subscriber::Registry>().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info_span!("root").in_scope(|| info!("placed"));
    });
    assert!(crumbs(&memory.parsed()[0]).is_empty());
}

#[test]
fn a_filter_of_ones_own_has_to_let_them_pass() {
    for (filter, kept) in [(default_filter(), 0), (default_filter().with_breadcrumbs(), 1)] {
        use tracing_subscriber::prelude::*;
        let memory = crate::support::Memory::default();
        let layer = xray_tracing_layer::builder()
            .emitter(memory.clone())
            .sampler(xray_sdk::sampling::Always)
            .breadcrumbs()
            .filter(filter)
            .build::<tracing_subscriber::Registry>()
            .unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            info_span!("root").in_scope(|| info!("placed"));
        });
        assert_eq!(crumbs(&memory.parsed()[0]).len(), kept);
    }
}

#[test]
fn the_latest_stay_within_number_and_bytes_and_the_others_are_counted() {
    let rig = MemoryRig::with(Builder::breadcrumbs);
    rig.run(|| {
        info_span!("many").in_scope(|| (0..1_000).for_each(|i| info!(i, "step")));
        info_span!("large").in_scope(|| {
            (0..100).for_each(|i| info!(i, text = "x".repeat(100_000), "{}", "y".repeat(100_000)));
        });
    });
    let documents = rig.documents();
    let many = crumbs(&documents[0]);
    assert_eq!(many.len(), 50);
    assert_eq!(many.last().unwrap()["fields"]["i"], 999);
    assert!(
        documents[0]["metadata"]["breadcrumbs"].get("1000").is_some(),
        "the number says how many there were"
    );
    let large = crumbs(&documents[1]);
    assert!(documents[1]["metadata"]["breadcrumbs"].to_string().len() <= 8_200);
    assert_eq!(large.last().unwrap()["fields"]["i"], 99);
    assert_eq!(large.last().unwrap()["cut"], true);
    let stats = rig.handle.stats();
    assert_eq!(stats.breadcrumbs_dropped, 950 + 100 - large.len() as u64);
    assert_eq!(stats.values_cut, 100);
}

#[test]
fn secrets_are_left_out_as_in_error_events() {
    let rig = MemoryRig::with(|b| {
        b.breadcrumbs().redact(|field, value| match field {
            "card" => "***".into(),
            _ => value.into(),
        })
    });
    rig.run(|| {
        info_span!("root").in_scope(|| {
            info!(
                password = "Xq7SECRET",
                card = "4111SECRET",
                url.full = "https://bob:Xq7SECRET@h/p?token=SECRET",
                db.query.text = "SELECT * FROM t WHERE a = 'SECRET'",
                note = "Authorization: Bearer SECRET",
                "connecting to postgres://u:SECRET@h/db"
            );
        });
    });
    let documents = rig.documents_as_sent();
    assert!(!documents[0].contains("SECRET"), "{}", documents[0]);
    let crumb = crumbs(&rig.documents()[0])[0].clone();
    assert_eq!(crumb["fields"]["card"], "***");
    assert_eq!(crumb["fields"]["url.full"], "https://h/p");
    assert!(crumb["fields"].get("password").is_none());
}

#[test]
fn an_event_whose_values_open_spans_themselves_is_kept() {
    struct Busy;
    impl fmt::Debug for Busy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            info_span!("inside").in_scope(|| info!("inside"));
            info!("beside");
            f.write_str("busy")
        }
    }
    let rig = MemoryRig::with(Builder::breadcrumbs);
    rig.run(|| info_span!("root").in_scope(|| info!(value = ?Busy, "outside")));
    let documents = rig.documents();
    let [crumb] = crumbs(&documents[0])[..] else { panic!("{documents:?}") };
    // A subscriber of one thread sees nothing of what happens inside of a callback.
    assert_eq!((&crumb["message"], &crumb["fields"]["value"]), (&"outside".into(), &"busy".into()));
}

#[test]
fn records_of_the_log_crate_have_their_own_target() {
    use tracing_log::log;
    let rig = MemoryRig::with(Builder::breadcrumbs);
    rig.run(|| {
        info_span!("root").in_scope(|| {
            for target in ["store::pool", "hyper::client::pool"] {
                let mut record = log::Record::builder();
                let record = record.args(format_args!("pool is full")).level(log::Level::Warn).target(target);
                tracing_log::format_trace(&record.build()).unwrap();
            }
        });
    });
    let documents = rig.documents();
    let [crumb] = crumbs(&documents[0])[..] else { panic!("{documents:?}") };
    assert_eq!((&crumb["target"], &crumb["message"]), (&"store::pool".into(), &"pool is full".into()));
    assert!(crumb.get("fields").is_none(), "{crumb}");
}

#[test]
fn fields_stay_whole_within_their_bound_and_what_has_no_room_is_left_out() {
    let rig = MemoryRig::with(Builder::breadcrumbs);
    rig.run(|| {
        let text = "x".repeat(980);
        info_span!("root").in_scope(|| info!(text, number = 123_456_789, last = 7, "placed"));
    });
    let documents = rig.documents();
    let crumb = crumbs(&documents[0])[0];
    assert_eq!(crumb["fields"], json!({"text": "x".repeat(980), "last": 7}));
    assert_eq!(crumb["cut"], true);
}

#[test]
fn an_error_among_the_fields_of_a_warning_is_kept_with_its_message() {
    let rig = MemoryRig::with(Builder::breadcrumbs);
    rig.run(|| {
        let error = std::io::Error::other("refused");
        info_span!("root").in_scope(|| warn!(cause = &error as &dyn std::error::Error, "retried"));
    });
    let documents = rig.documents();
    assert_eq!(crumbs(&documents[0])[0]["fields"], json!({"cause": "refused"}));
}
