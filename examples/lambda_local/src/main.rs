//! Shows one connected trace of a Lambda function, with no AWS account: `cargo run --bin lambda_local`.
//!
//! Without arguments it invokes the function in `function.rs`. `lambda_local PROGRAM EVENT` invokes one of yours,
//! built for this machine. Below the emulator, the same program is started again, as the function.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

mod function;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use lambda_local::{Lambda, Settings, Tracing};
use serde_json::json;
use xray_sdk::local::Waterfall;

#[expect(clippy::disallowed_methods, reason = "a program may ask how it was started")]
fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        let form = std::env::var("FUNCTION_FORM").ok();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(function::main(form.as_deref()));
    }
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().map(PathBuf::from);
    let event = arguments.next().map(|event| serde_json::from_str(&event)).transpose()?;
    match program {
        Some(program) => show(&Lambda::start(&program, &Settings::default())?, event.unwrap_or_default()),
        None => tour(&Lambda::start(&std::env::current_exe()?, &Settings::default())?),
    }
}

/// What a function does in a trace, and what it does without one.
fn tour(lambda: &Lambda) -> Result<(), Box<dyn Error + Send + Sync>> {
    println!("An order; the function is frozen when it has answered:\n");
    show(lambda, json!({ "do": "order", "order": 7 }))?;
    println!("\nA handler that leaves a task behind, which ends after the thaw:\n");
    show(lambda, json!({ "do": "leave" }))?;
    println!("\nA handler that fails:\n");
    show(lambda, json!({ "do": "fail" }))?;
    println!("\nThe header that the handler passes on, beside the one it was given:\n");
    for tracing in [Tracing::Active, Tracing::Unsampled, Tracing::PassThrough, Tracing::Off] {
        let outcome = lambda.invoke(tracing, json!({ "do": "order", "order": 8 }))?;
        println!("{tracing:?}, {} documents", outcome.documents.len());
        println!("  in:  {}", outcome.header.as_deref().unwrap_or("none"));
        println!("  out: {}", outcome.response["header"].as_str().unwrap_or("none"));
    }
    Ok(())
}

fn show(lambda: &Lambda, event: serde_json::Value) -> Result<(), Box<dyn Error + Send + Sync>> {
    lambda.collector().clear();
    let outcome = lambda.invoke(Tracing::Active, event)?;
    println!("{} documents were sent before the response was posted.", outcome.documents.len());
    lambda.thaw()?;
    std::thread::sleep(Duration::from_millis(20));
    let late = lambda.late_documents(&outcome.trace_id);
    lambda.collector().wait_for_documents(2 + outcome.documents.len() + late.len(), Duration::from_secs(1));
    for trace in lambda.collector().received().traces() {
        print!("{}", Waterfall::for_stdout(&trace));
    }
    Ok(())
}
