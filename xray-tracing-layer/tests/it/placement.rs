use tracing::{error, info_span};

use crate::support::Rig;

#[test]
fn smoke() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!(
            "GET /orders/{id}",
            http.request.method = "GET",
            url.full = "http://shop.example/orders/7?token=x",
            http.response.status_code = tracing::field::Empty
        );
        let _in = root.enter();
        {
            let _child = info_span!("load", order = 7, kind = "big", annotation.tenant = "blue").entered();
            error!(code = 5, "no luck");
        }
        info_span!(
            "query",
            db.system = "postgresql",
            db.query.text = "select 1",
            otel.kind = "client",
            server.address = "db.example",
            db.namespace = "orders"
        )
        .in_scope(|| ());
        root.record("http.response.status_code", 503);
    });
    let received = rig.received();
    for d in received.documents() {
        println!("{}", d.text());
    }
    println!("{}", rig.picture());
    for t in rig.received().traces() {
        println!("{}", xray_sdk::local::Waterfall::new(&t));
    }
    println!("{:?}", rig.handle.stats());
}
