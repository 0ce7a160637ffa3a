//! Our middleware in a reqwest client, alone and beside one that retries.

use std::time::Duration;

use ecosystem::picture;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use serde_json::json;
use tracing::Instrument;
use xray_tracing_layer::XrayMiddleware;

use super::{
    STATUSES, Server, assert_order_was_got, assert_told, assert_unsampled, exceptions, flags, nowhere,
    only_call, rig, shopping,
};

fn client() -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build()
}

fn retries() -> RetryTransientMiddleware<ExponentialBackoff> {
    let (least, most) = (Duration::from_millis(1), Duration::from_millis(2));
    let policy = ExponentialBackoff::builder().retry_bounds(least, most).build_with_max_retries(2);
    RetryTransientMiddleware::new_with_policy(policy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_named_by_its_host_and_names_itself_to_the_server() {
    let (rig, server) = (rig(), Server::start().await);
    let response =
        client().get(server.url("/orders/7?token=secret")).send().instrument(shopping()).await.unwrap();
    assert_eq!(response.url().as_str(), server.url("/orders/7?token=secret"), "it is reqwest's own answer");
    assert_eq!(response.text().await.unwrap(), "an order");
    assert_order_was_got(&rig, &server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_sets_its_flags() {
    let server = Server::start().await;
    for (path, expected) in STATUSES {
        let rig = rig();
        client().get(server.url(path)).send().instrument(shopping()).await.unwrap();
        assert_eq!(flags(only_call(&rig.trace_of(2)).json()), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_a_fault_that_does_not_tell_the_query() {
    let rig = rig();
    let url = format!("http://{}/orders", nowhere());
    let err = client().get(format!("{url}?token=secret")).send().instrument(shopping()).await.unwrap_err();
    assert!(err.is_connect() && err.to_string().contains("secret"), "the caller gets it as it is");
    let trace = rig.trace_of(2);
    let call = only_call(&trace).json();
    assert_eq!(flags(call), ["fault"]);
    let chain = exceptions(call);
    assert_eq!(chain[0].1, format!("error sending request for url ({url})"));
    assert_eq!(chain.last().unwrap().0, "ConnectionRefused", "{chain:?}");
    assert!(!call.to_string().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_of_reqwests_is_a_fault_that_says_so() {
    let (rig, server) = (rig(), Server::start().await);
    let patience = Duration::from_millis(100);
    let request = client().get(server.url("/never")).timeout(patience);
    assert!(request.send().instrument(shopping()).await.unwrap_err().is_timeout());
    let trace = rig.trace_of(2);
    let call = only_call(&trace);
    assert_eq!(flags(call.json()), ["fault"]);
    assert_eq!(exceptions(call.json()).last().unwrap(), &("TimedOut", "operation timed out"));
    assert_told(&server, &trace, &call);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_on_its_way_is_not_lost() {
    let (rig, server) = (rig(), Server::start().await);
    let call = async {
        tokio::select! {
            _ = client().get(server.url("/never")).send() => unreachable!(),
            () = server.arrived.notified() => {}
        }
    };
    call.instrument(shopping()).await;
    let trace = rig.trace_of(2);
    let call = only_call(&trace).json();
    assert_eq!(flags(call), ["error"]);
    assert_eq!(exceptions(call), [("Cancelled", "dropped before the answer")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_part_of_the_call_and_its_last_answer_counts() {
    let (rig, server) = (rig(), Server::start().await);
    client().get(server.url("/moved")).send().instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_eq!(picture(&trace), "◆ shop\n└─ 127.0.0.1 [remote]  200 ok\n");
    let call = only_call(&trace);
    assert_eq!(call.json()["http"]["request"]["url"], server.url("/moved"));
    let told: Vec<_> = server.headers().iter().map(|header| header.parent().unwrap().to_string()).collect();
    assert_eq!(told, [call.id(), call.id()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_the_builder_names_are_recorded_on_both_sides() {
    let (rig, server) = (rig(), Server::start().await);
    let no_redirect = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let client = ClientBuilder::new(no_redirect).with(XrayMiddleware::new()).build();
    let request = client
        .get(server.url("/moved"))
        .header("x-tenant", "blue")
        .header("x-other", "not asked for")
        .header("referer", "https://bob:hunter2@shop.example/cart?token=hunter2");
    request.send().instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    let call = only_call(&trace);
    assert_eq!(call.json()["annotations"], json!({"http.request.header.x_tenant": "blue"}));
    let metadata = call.json()["metadata"]["default"].as_object().unwrap();
    assert_eq!(metadata["http.request.header.referer"], "https://shop.example/cart");
    assert_eq!(metadata["http.response.header.location"], "/");
    assert_eq!(metadata.len(), 2, "{metadata:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_behind_a_middleware_that_retries_is_a_subsegment() {
    let (rig, server) = (rig(), Server::start().await);
    let client =
        ClientBuilder::new(reqwest::Client::new()).with(retries()).with(XrayMiddleware::new()).build();
    client.get(server.url("/third")).send().instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(4);
    assert_eq!(
        picture(&trace),
        "◆ shop\n├─ 127.0.0.1 [remote]  503 fault\n├─ 127.0.0.1 [remote]  503 fault\n└─ 127.0.0.1 [remote]  200 ok\n"
    );
    let ids: Vec<_> = trace.roots().next().unwrap().children().map(|call| call.id().to_owned()).collect();
    let told: Vec<_> = server.headers().iter().map(|header| header.parent().unwrap().to_string()).collect();
    assert_eq!(told, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_one_that_retries_all_attempts_are_one_that_does_not_tell_the_query_either() {
    let rig = rig();
    let client =
        ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).with(retries()).build();
    let url = format!("http://{}/orders", nowhere());
    client.get(format!("{url}?token=secret")).send().instrument(shopping()).await.unwrap_err();
    let trace = rig.trace_of(2);
    let call = only_call(&trace).json();
    let chain = exceptions(call);
    assert_eq!(chain[0].1, "Request failed after 2 retries");
    assert!(chain.iter().any(|(_, message)| message.contains(&format!("({url})"))), "{chain:?}");
    assert_eq!(chain.last().unwrap().0, "ConnectionRefused", "{chain:?}");
    assert!(!call.to_string().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_trace_that_is_not_sampled_the_server_is_told_so() {
    let (rig, server) = (rig(), Server::start().await);
    assert_unsampled(&rig, &server, async {
        drop(client().get(server.url("/")).send().await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_by_hand_gives_way_to_the_calls_own() {
    let (rig, server) = (rig(), Server::start().await);
    let request =
        client().get(server.url("/")).header("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793");
    request.send().instrument(shopping()).await.unwrap();
    let trace = rig.trace_of(2);
    assert_told(&server, &trace, &only_call(&trace));
}
