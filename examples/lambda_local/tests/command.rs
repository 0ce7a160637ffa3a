//! The command as a user runs it: arguments, real child processes, what is printed and the exit status.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::Command;

use lambda_local::samples::SAMPLES;

const COMMAND: &str = env!("CARGO_BIN_EXE_lambda_local");

/// Exit status, standard output and standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(COMMAND).args(arguments).output().unwrap();
    let string = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), string(output.stdout), string(output.stderr))
}

#[track_caller]
fn assert_sentence(arguments: &[&str], status: i32, expected: &str) {
    let (code, stdout, stderr) = run(arguments);
    assert!(stderr.contains(expected), "{expected:?} in {stderr:?}");
    // `Debug` output of an error would have braces of structs in it, or a code.
    assert!(!stderr.contains("Os {") && !stderr.contains("Error("), "{stderr}");
    assert_eq!(code, Some(status), "{stdout}{stderr}");
}

#[test]
fn what_is_no_function_is_named_in_a_sentence() {
    assert_sentence(&["/nowhere/orders"], 1, "there is no program /nowhere/orders; ");
    assert_sentence(&["Cargo.toml"], 1, "Cargo.toml can't be started: ");
    assert_sentence(&["/bin/true"], 1, " ended (exit status: 0) without asking for an event");
    assert_sentence(
        &[COMMAND, "--env", "FUNCTION_FORM=none", "--quiet"],
        1,
        " ended (exit status: 1) without asking for an event",
    );
}

#[test]
fn arguments_that_are_not_accepted_are_named_with_those_that_are() {
    assert_sentence(&[COMMAND, "{a"], 2, "neither JSON (key must be a string at line 1 column 2), nor @FILE");
    assert_sentence(&[COMMAND, "@/nowhere.json"], 2, "/nowhere.json can't be read: ");
    assert_sentence(&[COMMAND, "@Cargo.toml"], 2, "Cargo.toml is not JSON: ");
    assert_sentence(&[COMMAND, "kinesis"], 2, "a built-in event (api-gateway, ");
    assert_sentence(&[COMMAND, "--timeout", "0"], 2, "0.001 to 900 seconds are accepted");
    assert_sentence(&[COMMAND, "--env", "TABLE"], 2, "NAME=VALUE is accepted");
    assert_sentence(&[COMMAND, "--concurrency", "0"], 2, "0 is not in 1..=1000");
    assert_sentence(&["--print-event", "kinesis"], 2, "no built-in event; accepted are api-gateway, ");
}

#[test]
fn several_events_are_invoked_in_order_and_their_traces_drawn() {
    let file = std::env::temp_dir().join(format!("lambda_local-{}.json", std::process::id()));
    fs::write(&file, r#"{ "do": "order", "order": 8 }"#).unwrap();
    let from_file = format!("@{}", file.display());
    let tops = r#"{ "do": "tops" }"#;
    let (code, stdout, stderr) =
        run(&[COMMAND, tops, &from_file, "--timeout", "60", "--name", "shop", "--quiet"]);
    fs::remove_file(file).unwrap();
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(stdout.matches("Response after ").count(), 2, "{stdout}");
    assert_eq!(stdout.matches("◆ shop [Lambda::Function]").count(), 2, "{stdout}");
    assert!(stdout.find("notify").unwrap() < stdout.find("discount").unwrap(), "{stdout}");
}

#[test]
fn a_function_that_exceeds_its_time_is_ended_and_started_again_for_the_next_event() {
    let (code, stdout, stderr) = run(&[
        COMMAND,
        r#"{ "do": "hang" }"#,
        r#"{ "do": "exit" }"#,
        r#"{ "do": "fail" }"#,
        "--timeout",
        "2",
        "-q",
    ]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("timed out after 2.00 seconds\n"), "{stderr}");
    assert!(stderr.contains("ended (exit status: 3) during the invocation\n"), "{stderr}");
    assert!(stdout.contains("Error after "), "{stdout}");
    // Lambda's own segments, of all three.
    assert_eq!(stdout.matches("[Lambda::Function]").count(), 3, "{stdout}");
    assert_eq!(stdout.matches("502 fault").count(), 6, "{stdout}");
}

#[test]
fn a_streamed_response_is_read_to_its_end_and_one_that_breaks_off_is_no_success() {
    let form = ["--env", "FUNCTION_FORM=stream", "--timeout", "60", "--quiet"];
    let (code, stdout, stderr) = run(&[&[COMMAND, "{}"], &form[..]].concat());
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains(", streamed: ") && stdout.contains("one two three\n"), "{stdout}");
    let (code, stdout, stderr) = run(&[&[COMMAND, r#"{ "do": "fail" }"#], &form[..]].concat());
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    assert!(stdout.contains("Error after ") && stdout.contains("one two three\n"), "{stdout}");
}

#[test]
fn invocations_at_once_have_a_trace_each() {
    let order = r#"{ "do": "order", "order": 7 }"#;
    let (code, stdout, stderr) =
        run(&[COMMAND, order, "-c", "4", "--repeat", "12", "--timeout", "60", "--quiet"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(stdout.matches("Response after ").count(), 12, "{stdout}");
    assert_eq!(stdout.matches("[Lambda::Function]").count(), 12, "{stdout}");
    assert_eq!(stdout.matches("discount").count(), 12, "{stdout}");
}

#[test]
fn an_event_without_a_sampled_header_records_nothing() {
    for mode in ["unsampled", "pass-through", "off"] {
        let event = r#"{ "do": "order" }"#;
        let (code, stdout, _) = run(&[COMMAND, event, "--tracing", mode, "--snap-start", "--timeout", "60"]);
        assert_eq!(code, Some(0), "{stdout}");
        assert!(stdout.contains("Response after ") && !stdout.contains('◆'), "{stdout}");
    }
}

#[test]
fn built_in_events_are_json_and_the_help_names_them_all() {
    let (_, help, _) = run(&["--help"]);
    for sample in SAMPLES {
        let (code, stdout, _) = run(&["--print-event", sample.name]);
        assert_eq!((code, stdout.as_str()), (Some(0), sample.json));
        assert!(serde_json::from_str::<serde_json::Value>(&stdout).unwrap().is_object());
        assert!(help.contains(sample.name), "{help}");
    }
    for option in ["--env", "--timeout", "--tracing", "--concurrency", "--snap-start", "Examples:"] {
        assert!(help.contains(option), "{help}");
    }
}
