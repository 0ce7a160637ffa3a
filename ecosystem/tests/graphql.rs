//! `async-graphql`, with the layer's extension, within a request as a server would have it.

use async_graphql::{EmptySubscription, Object, Request, Response, Schema, SimpleObject};
use ecosystem::{Rig, find, flags, picture};
use serde_json::{Value, json};
use tracing::{Instrument, info_span};
use xray_tracing_layer::XrayGraphqlExtension;

struct Query;

#[derive(SimpleObject)]
#[graphql(complex)]
struct Order {
    id: u32,
}

#[async_graphql::ComplexObject]
impl Order {
    async fn total(&self) -> Result<u32, std::io::Error> {
        info_span!("price").in_scope(|| match self.id {
            7 => Ok(42),
            _ => Err(std::io::Error::other("no price; tried postgres://u:hunter2@db.example/prices")),
        })
    }
}

#[Object]
impl Query {
    async fn orders(&self) -> Vec<Order> {
        vec![Order { id: 7 }, Order { id: 8 }]
    }

    async fn order(&self, id: u32) -> Order {
        Order { id }
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn cancel(&self, id: u32) -> bool {
        id == 7
    }
}

/// Executes requests one after the other within a segment. Returns its subsegments.
async fn run(requests: impl IntoIterator<Item = Request>) -> (Vec<Response>, Vec<Value>, String) {
    let rig = Rig::new();
    let schema = Schema::build(Query, Mutation, EmptySubscription).extension(XrayGraphqlExtension).finish();
    let responses = async {
        let mut responses = Vec::new();
        for request in requests {
            responses.push(schema.execute(request).await);
        }
        responses
    }
    .instrument(info_span!("POST /graphql"))
    .await;
    let trace = rig.trace_of(1 + responses.len());
    let operations = find(&trace, "shop").children().map(|operation| operation.json().clone()).collect();
    (responses, operations, picture(&trace))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_is_a_subsegment_of_its_type_and_name() {
    let two = "query One { order(id: 7) { total } } mutation Two { cancel(id: 7) }";
    let (responses, operations, picture) = run([
        Request::new("query Order { order(id: 7) { id total } }"),
        Request::new("{ order(id: 7) { id } }"),
        Request::new(two).operation_name("Two"),
        Request::new(two).operation_name("One"),
    ])
    .await;
    assert!(responses.iter().all(Response::is_ok), "{responses:?}");
    assert_eq!(
        format!("\n{picture}"),
        "
◆ shop
├─ query Order  graphql.operation.name=Order  graphql.operation.type=query
│  └─ price
├─ query  graphql.operation.type=query
├─ mutation Two  graphql.operation.name=Two  graphql.operation.type=mutation
└─ query One  graphql.operation.name=One  graphql.operation.type=query
   └─ price
"
    );
    assert_eq!(
        operations[0]["annotations"],
        json!({"graphql.operation.type": "query", "graphql.operation.name": "Order"})
    );
    assert!(operations.iter().all(|operation| flags(operation).is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_a_resolver_is_a_fault_with_its_path_although_the_status_is_200() {
    let (responses, operations, _) = run([Request::new("query Orders { orders { total } }")]).await;
    assert!(responses[0].is_err());
    assert_eq!(flags(&operations[0]), ["fault"]);
    let exceptions = operations[0]["cause"]["exceptions"].as_array().unwrap();
    assert_eq!(exceptions.len(), 1, "{exceptions:?}");
    let message = exceptions[0]["message"].as_str().unwrap();
    assert!(message.starts_with("orders.1.total: no price"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_the_schema_does_not_allow_is_an_error_of_the_caller() {
    let (responses, operations, _) = run([
        Request::new("query Wrong { nothing }"),
        Request::new("query Broken { order(id: \"hunter2\" }"),
        Request::new("query One { order(id: 7) { id } }").operation_name("Another"),
    ])
    .await;
    assert!(responses.iter().all(Response::is_err));
    let names: Vec<_> = operations.iter().map(|operation| operation["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["query Wrong", "graphql", "graphql"]);
    assert!(operations.iter().all(|operation| flags(operation) == ["error"]), "{operations:#?}");
    let message = |at: usize| operations[at]["cause"]["exceptions"][0]["message"].as_str().unwrap();
    assert!(message(0).contains("Unknown field \"nothing\""), "{}", message(0));
    assert!(message(2).contains("Another"), "{}", message(2));
    assert!(message(1).starts_with("the document can't be read at line 1, column "), "{}", message(1));
    assert!(!Value::from(operations.clone()).to_string().contains("hunter2"), "{operations:#?}");
}
