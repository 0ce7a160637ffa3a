//! The work of all three functions: five spans, one of them across an await.

use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
use tracing::{Instrument, info_span};

pub(crate) async fn order(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let span = info_span!("load", db.system = "postgresql", db.query.text = "select * from orders");
    async { tokio::task::yield_now().await }.instrument(span).await;
    info_span!("price").in_scope(|| info_span!("discount", percent = 7).in_scope(|| ()));
    info_span!("reserve", http.request.method = "POST", url.full = "http://stock.example/").in_scope(|| ());
    Ok(event.payload)
}
