//! Fields of a span that closes: each is shown and removed by its name, wherever it is in the document.

use std::sync::{Arc, Mutex};

use tracing::info_span;

use super::Rig;

type Shown = Arc<Mutex<Vec<String>>>;

#[test]
fn a_field_is_shown_and_removed_by_the_name_under_which_it_was_recorded() {
    macro_rules! fields {
        ($($name:literal = $value:literal),* $(,)?) => {
            [$(($name, $value, (|| info_span!("call", otel.kind = "client", $name = $value)) as fn() -> _)),*]
        };
    }
    for (name, value, span) in fields![
        "client.address" = "203.0.113.77",
        "network.peer.address" = "203.0.113.77",
        "http.client_ip" = "203.0.113.77",
        "error.type" = "type-of-kent",
        "exception.type" = "type-of-kent",
        "error.message" = "message-of-kent",
        "exception.message" = "message-of-kent",
        "otel.status_description" = "description-of-kent",
        "rpc.method" = "method-of-kent",
        "db.system" = "cockroachdb",
        "db.name" = "orders-of-kent",
        "db.connection_string" = "kent-host:5432",
        "peer.service" = "service-of-kent",
        "xray.name" = "name-of-kent",
        "otel.name" = "name-of-kent",
        "url.full" = "http://kent.example/a",
        "url.path" = "/path-of-kent",
        "url.query" = "of=kent",
        "server.address" = "kent.example",
        "server.port" = "8123",
        "rpc.service" = "service-of-kent",
        "rpc.system" = "rpc-of-kent",
        "http.request.method" = "METHOD-OF-KENT",
        "user_agent.original" = "agent-of-kent",
        "tenant" = "tenant-of-kent",
        "annotation.tenant" = "tenant-of-kent",
        "metadata.tenant" = "tenant-of-kent",
    ] {
        let shown = Shown::default();
        let rig = Rig::new(|b| {
            let shown = Arc::clone(&shown);
            b.keep_url_query().on_close(move |span| {
                if !span.is_segment() {
                    let before = span.field(name).map(|value| value.to_string());
                    let (was, is_still) = (span.remove_field(name), span.remove_field(name));
                    shown.lock().unwrap().push(format!("{before:?} {was} {is_still}"));
                }
            })
        });
        rig.run(|| info_span!("root").in_scope(|| drop(span())));
        assert_eq!(*shown.lock().unwrap(), [format!("{:?} true false", Some(value))], "{name}");
        let sent = rig.sent()[0]["subsegments"][0].to_string();
        assert!(!sent.contains(value), "{name}: {sent}");
    }
}

#[test]
fn a_segments_user_and_client_are_shown_and_removed() {
    let shown = Shown::default();
    let rig = Rig::new(|b| {
        let shown = Arc::clone(&shown);
        b.on_close(move |span| {
            let fields = ["enduser.id", "client.address"]
                .map(|name| (span.field(name).is_some(), span.remove_field(name)));
            shown.lock().unwrap().push(format!("{fields:?}"));
        })
    });
    rig.run(|| drop(info_span!("root", enduser.id = "ann", client.address = "203.0.113.77")));
    assert_eq!(*shown.lock().unwrap(), ["[(true, true), (true, true)]"]);
    let sent = rig.sent()[0].to_string();
    assert!(!sent.contains("ann") && !sent.contains("203.0.113.77"), "{sent}");
}

#[test]
fn log_groups_are_shown_and_removed() {
    let shown = Shown::default();
    let rig = Rig::new(|b| {
        let shown = Arc::clone(&shown);
        b.on_close(move |span| {
            let name = "aws.log.group.names";
            let before = span.field(name).is_some_and(|groups| groups.contains("/kent"));
            shown.lock().unwrap().push(format!(
                "{before} {} {}",
                span.remove_field(name),
                span.remove_field(name)
            ));
        })
    });
    rig.run(|| drop(info_span!("root", aws.log.group.names = "/kent")));
    assert_eq!(*shown.lock().unwrap(), ["true true false"]);
    let sent = rig.sent()[0].to_string();
    assert!(!sent.contains("/kent"), "{sent}");
}
