//! The timer that sends what a function has recorded before Lambda kills it, and its cost.

use tracing::info_span;
use tracing::instrument::Instrument;

use super::*;

#[test]
fn a_function_that_is_about_to_be_killed_has_left_what_it_recorded() {
    use std::time::Duration;

    use lambda_runtime::LambdaEvent;
    use lambda_runtime::tower::{Layer, Service, service_fn};

    use crate::lambda::InvocationLayer;

    let rig = lambda(SAMPLED);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut context = lambda_runtime::Context::default();
    // Long past: the timer fires at once.
    context.deadline = 1_000;
    rig.run(|| {
        runtime.block_on(async {
            let work = service_fn(|_: LambdaEvent<()>| async {
                drop(info_span!("finished"));
                let stuck = std::future::pending::<Result<(), lambda_runtime::Error>>();
                stuck.instrument(info_span!("stuck")).await
            });
            let mut service =
                InvocationLayer::new().send_before_timeout(Duration::from_millis(300)).layer(work);
            let mut invocation = Box::pin(service.call(LambdaEvent::new((), context)));
            let mut sent = Vec::new();
            for _ in 0..6_000 {
                let _ = tokio::time::timeout(Duration::from_millis(10), &mut invocation).await;
                sent.extend(rig.sent());
                if sent.iter().any(|document| document["name"] == "finished") {
                    break;
                }
            }
            let of = |name: &str| sent.iter().find(|document| document["name"] == name).unwrap();
            assert!(of("finished").get("in_progress").is_none());
            for open in ["handler", "stuck"] {
                assert_eq!(of(open)["in_progress"], true, "{open}");
            }
            assert_eq!(of("finished")["parent_id"], of("handler")["id"]);
        });
    });
}

/// What an invocation costs with and without the timer, with nothing to do. Prints, and judges nothing:
///
/// ```text
/// cargo test --release -p xray-tracing-layer --features lambda --lib -- cost_of_the_timer --ignored --nocapture
/// ```
#[test]
#[ignore = "measures"]
fn cost_of_the_timer() {
    use std::time::{Duration, Instant};

    use lambda_runtime::LambdaEvent;
    use lambda_runtime::tower::{Layer, Service, service_fn};

    use crate::lambda::InvocationLayer;

    const INVOCATIONS: u32 = 2_000;
    const ROUNDS: usize = 51;
    let rig = lambda(SAMPLED);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut took = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (with_timer, took) in took.iter_mut().enumerate() {
            let layer = InvocationLayer::new();
            let layer = match with_timer {
                0 => layer,
                _ => layer.send_before_timeout(Duration::from_millis(300)),
            };
            let mut service =
                layer.layer(service_fn(async |_: LambdaEvent<()>| Ok::<_, lambda_runtime::Error>(())));
            let mut context = lambda_runtime::Context::default();
            context.deadline = u64::MAX / 2_000_000;
            let begin = Instant::now();
            rig.run(|| {
                runtime.block_on(async {
                    for _ in 0..INVOCATIONS {
                        service.call(LambdaEvent::new((), context.clone())).await.unwrap();
                    }
                });
            });
            if round > 0 {
                took.push(begin.elapsed() / INVOCATIONS);
            }
            rig.sent();
        }
    }
    for (name, mut took) in ["without", "with the timer"].into_iter().zip(took) {
        took.sort();
        println!(
            "{name:16} {:>8.0?} {:>8.0?} {:>8.0?}",
            took[ROUNDS / 10],
            took[ROUNDS / 2],
            took[ROUNDS * 9 / 10]
        );
    }
}
