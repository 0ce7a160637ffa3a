//! A run of the command with a program: every event invoked, every response printed, every trace drawn.
//!
//! A function whose process is gone is started again for the next event, as Lambda does.

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use lambda_local::{Error, Lambda, Outcome, Tracing};
use serde_json::{Value, json};
use xray_sdk::local::Waterfall;

use crate::arguments::Arguments;
use crate::failure;

/// Invokes the program with all events, one after another or several at once.
pub(crate) fn run(program: &Path, arguments: &Arguments) -> ExitCode {
    let events = if arguments.events.is_empty() { vec![json!({})] } else { arguments.events.clone() };
    let events: Vec<Value> = (0..arguments.repeat).flat_map(|_| events.iter().cloned()).collect();
    let settings = arguments.settings();
    if settings.concurrency > 1 {
        return match Lambda::start(program, &settings) {
            Ok(lambda) => side_by_side(&lambda, arguments.tracing(), events, settings.concurrency),
            Err(err) => failure(&err),
        };
    }
    let (mut lambda, mut status) = (None, ExitCode::SUCCESS);
    for event in events {
        let running = match lambda.take().map_or_else(|| Lambda::start(program, &settings), Ok) {
            Ok(running) => running,
            Err(err) => return failure(&err),
        };
        match invoke(&running, arguments.tracing(), event) {
            Ok(failed) => {
                if failed {
                    status = ExitCode::FAILURE;
                }
                lambda = Some(running);
            }
            Err(err @ (Error::Ended(..) | Error::TimedOut(_))) => {
                draw(&running, own_documents(arguments.tracing()));
                status = failure(&err);
            }
            // The next event would fare no better.
            Err(err) => return failure(&err),
        }
    }
    status
}

/// Invokes a function, prints its response and draws its trace. Returns whether the function failed.
pub(crate) fn invoke(lambda: &Lambda, tracing: Tracing, event: Value) -> Result<bool, Error> {
    lambda.collector().clear();
    let outcome = lambda.invoke(tracing, event)?;
    print_response(&outcome);
    let plural = if outcome.documents.len() == 1 { " was" } else { "s were" };
    println!("{} document{plural} sent before the response was posted.", outcome.documents.len());
    lambda.thaw()?;
    thread::sleep(AFTERWARDS);
    let late = lambda.late_documents(&outcome.trace_id);
    draw(lambda, own_documents(tracing) + outcome.documents.len() + late.len());
    Ok(outcome.failed)
}

/// Invokes a function from several threads, and draws all traces at the end.
fn side_by_side(lambda: &Lambda, tracing: Tracing, events: Vec<Value>, concurrency: usize) -> ExitCode {
    let count = events.len();
    let (events, outcomes) = (Mutex::new(VecDeque::from(events)), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..concurrency.min(count) {
            scope.spawn(|| {
                while let Some(event) = { lock(&events).pop_front() } {
                    let outcome = lambda.invoke(tracing, event);
                    lock(&outcomes).push(outcome);
                }
            });
        }
    });
    thread::sleep(AFTERWARDS);
    let (mut status, mut documents) = (ExitCode::SUCCESS, 0);
    for outcome in lock(&outcomes).iter() {
        match outcome {
            Ok(outcome) => {
                print_response(outcome);
                documents += outcome.documents.len() + lambda.late_documents(&outcome.trace_id).len();
                documents += own_documents(tracing);
                if outcome.failed {
                    status = ExitCode::FAILURE;
                }
            }
            Err(err) => status = failure(err),
        }
    }
    draw(lambda, documents);
    status
}

/// The number of segments that Lambda itself sends for an invocation.
fn own_documents(tracing: Tracing) -> usize {
    if tracing == Tracing::Active { 2 } else { 0 }
}

fn print_response(outcome: &Outcome) {
    let what = if outcome.failed { "Error" } else { "Response" };
    let how = if outcome.streamed { ", streamed" } else { "" };
    // Zero bytes part a streamed response's head from its body.
    let body = String::from_utf8_lossy(&outcome.body).replace('\0', "");
    println!("{what} after {:.1} ms{how}: {body}", outcome.elapsed.as_secs_f64() * 1e3);
}

fn draw(lambda: &Lambda, documents: usize) {
    lambda.collector().wait_for_documents(documents, PATIENCE);
    for trace in lambda.collector().received().traces() {
        print!("{}", Waterfall::for_stdout(&trace));
    }
    for problem in lambda.problems() {
        println!("problem: {problem}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long tasks that a handler left behind may run on before the trace is drawn.
const AFTERWARDS: Duration = Duration::from_millis(50);

/// How long a document may take from socket to picture.
const PATIENCE: Duration = Duration::from_secs(10);
