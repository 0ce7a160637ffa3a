//! Shows connected traces of a Lambda function, with no AWS account: `lambda_local PROGRAM EVENT`.
//!
//! Without a program it invokes the function in `function.rs`: below the emulator, this program is started again, as
//! the function. What is done with a program is in `session.rs`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "that is what it is for")]

mod arguments;
mod function;
mod session;

use std::process::ExitCode;

use clap::Parser;
use lambda_local::{Error, Lambda, Settings, Tracing};
use serde_json::json;

use arguments::Arguments;

#[expect(clippy::disallowed_methods, reason = "a program may ask how it was started")]
fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        let form = std::env::var("FUNCTION_FORM").ok();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let ran =
            runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(function::main(form.as_deref())));
        return ran.map_or_else(|err| failure(&*err), |()| ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse();
    if let Some(sample) = arguments.print_event {
        print!("{}", sample.json);
        return ExitCode::SUCCESS;
    }
    match &arguments.program {
        Some(program) => session::run(program, &arguments),
        None => tour().map_or_else(|err| failure(&err), |()| ExitCode::SUCCESS),
    }
}

fn failure(err: &dyn std::error::Error) -> ExitCode {
    eprintln!("lambda_local: {err}");
    ExitCode::FAILURE
}

/// What a function does in a trace, and what it does without one.
fn tour() -> Result<(), Error> {
    let lambda = Lambda::start(&std::env::current_exe()?, &Settings::default())?;
    let show = |event| session::invoke(&lambda, Tracing::Active, event);
    println!("An order; the function is frozen when it has answered:\n");
    show(json!({ "do": "order", "order": 7 }))?;
    println!("\nA handler that leaves a task behind, which ends after the thaw:\n");
    show(json!({ "do": "leave" }))?;
    println!("\nA handler that fails:\n");
    show(json!({ "do": "fail" }))?;
    println!("\nThe header that the handler passes on, beside the one it was given:\n");
    for tracing in [Tracing::Active, Tracing::Unsampled, Tracing::PassThrough, Tracing::Off] {
        let outcome = lambda.invoke(tracing, json!({ "do": "order", "order": 8 }))?;
        println!("{tracing:?}, {} documents", outcome.documents.len());
        println!("  in:  {}", outcome.header.as_deref().unwrap_or("none"));
        println!("  out: {}", outcome.response["header"].as_str().unwrap_or("none"));
    }
    Ok(())
}
