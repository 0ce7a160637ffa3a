//! Commands of the terminal, against a running program.

mod reading;

#[cfg(unix)]
use crate::program::signal;
use crate::program::{Folder, Program, command, said};

#[test]
fn demo_traffic_is_listed_drawn_asserted_and_exported() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let none = program.terminal(&["traces"]);
    assert_eq!((none.status.code(), said(&none).as_str()), (Some(3), ""));

    let demo = program.terminal(&["demo", "--requests", "30"]);
    assert!(demo.status.success() && said(&demo).contains("1 refused on purpose"), "{demo:?}");

    let traces = program.terminal(&["traces", "fault", "--json"]);
    let summaries: Vec<serde_json::Value> =
        said(&traces).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Requests 5 and 22 of each 34 fail.
    assert_eq!(summaries.len(), 2, "{traces:?}");
    let id = summaries[0]["Id"].as_str().unwrap();
    for form in [id, &id[2..14].replace('-', ""), &format!("Root={id};Sampled=1")] {
        let shown = program.terminal(&["show", form]);
        assert!(shown.status.success() && said(&shown).contains("bank.example"), "{form} {shown:?}");
    }
    // Times have the zone that the environment names.
    for (zone, shown) in [("XYZ-03:30", " +03:30  "), ("UTC0", " UTC  ")] {
        let listed = command()
            .args(["traces", "fault"])
            .env("AWS_ENDPOINT_URL_XRAY", format!("http://{}", program.api))
            .env("TZ", zone)
            .output()
            .unwrap();
        assert!(
            said(&listed).lines().count() == 2 && said(&listed).lines().all(|line| line.contains(shown)),
            "{listed:?}"
        );
    }
    let map = program.terminal(&["map"]);
    for node in ["web", "orders", "games", "AWS::DynamoDB::Table", "shipping", "resize", "client"] {
        assert!(said(&map).contains(node), "{node} is missing in {}", said(&map));
    }
    assert!(said(&program.terminal(&["map", "service(\"worker\")"])).contains("AWS::Lambda::Function"));
    assert_eq!(
        program.terminal(&["assert", "edge(\"web\", \"orders\")", "--count", "30"]).status.code(),
        Some(0)
    );
    let unmet = program.terminal(&["assert", "service(\"nobody\")", "--within", "100ms"]);
    assert_eq!(unmet.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unmet.stderr).contains("0 of 1 trace matched"), "{unmet:?}");
    assert_eq!(program.terminal(&["assert", "fault", "--none", "--within", "100ms"]).status.code(), Some(1));

    let wrong = program.terminal(&["traces", "nope = 1"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("nope"), "{wrong:?}");

    let exported = program.terminal(&["export"]);
    let file = folder.0.join("exported.jsonl");
    std::fs::write(&file, &exported.stdout).unwrap();
    let other = Program::start(&folder.0.join("other.db"), &[]);
    let imported = other.terminal(&["import", file.to_str().unwrap()]);
    assert!(imported.status.success() && said(&imported).contains("0 refused"), "{imported:?}");
    let mut ids = [program.ids(""), other.ids("")];
    ids.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn run_gives_a_command_an_x_ray_of_its_own() {
    let this = env!("CARGO_BIN_EXE_xray-local");
    let output = command()
        .args(["run", "--assert", "service(\"web\")", "--", this, "demo", "--requests", "3"])
        .output();
    let output = output.unwrap();
    let drawn = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{drawn}");
    for part in ["◆ web", "orders@db", "problem: web? InvalidName", "refused"] {
        assert!(drawn.contains(part), "{part} is missing in {drawn}");
    }
    let unmet =
        command().args(["run", "--quiet", "--assert", "fault", "--", this, "--version"]).output().unwrap();
    assert_eq!(unmet.status.code(), Some(1), "{unmet:?}");
    let none = command()
        .args(["run", "--quiet", "--assert-none", "ok", "--", this, "demo", "--requests", "1"])
        .output();
    assert_eq!(none.unwrap().status.code(), Some(1));
    let wrong = command().args(["run", "--assert", "nope = 1", "--", this, "--version"]).output().unwrap();
    assert_eq!((wrong.status.code(), said(&wrong).as_str()), (Some(2), ""), "{wrong:?}");
    let code = command().args(["run", "--", this, "check", "/nonexistent"]).output().unwrap();
    assert_eq!(code.status.code(), Some(1));
    let absent = command().args(["run", "--", "/nonexistent/program"]).output().unwrap();
    assert_eq!(absent.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn run_passes_on_the_exit_code_and_sets_the_environment() {
    let script = "echo $AWS_XRAY_DAEMON_ADDRESS $AWS_ENDPOINT_URL_XRAY $XRAY_LOCAL_SAMPLE_ALL; exit 7";
    let output = command().args(["run", "--", "sh", "-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let line = said(&output);
    assert!(
        line.starts_with("127.0.0.1:") && line.contains(" http://127.0.0.1:") && line.ends_with(" 1\n"),
        "{line}"
    );
}

#[test]
fn check_reads_documents_as_x_ray_does() {
    let folder = Folder::new();
    let file = folder.0.join("documents.jsonl");
    let good = r#"{"name":"shop","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567","start_time":1727112883.125,"end_time":1727112883.25,"aws":{"xray":{"sdk":"X-Ray for Rust"}}}"#;
    std::fs::write(&file, format!("{{\"format\":\"json\",\"version\":1}}\n{good}\n")).unwrap();
    let fine = command().arg("check").arg(&file).output().unwrap();
    assert_eq!(fine.status.code(), Some(0), "{fine:?}");
    assert_eq!(String::from_utf8_lossy(&fine.stderr), "1 document, 0 problems\n");
    std::fs::write(&file, good.replace("shop", "shop?")).unwrap();
    let wrong = command().arg("check").arg(&file).arg("--json").output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(said(&wrong).contains("InvalidName"), "{wrong:?}");
}

#[test]
fn a_file_that_is_no_documents_is_refused_in_few_lines() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let file = folder.0.join("diary.txt");
    std::fs::write(&file, "no document\n".repeat(300)).unwrap();
    let refused = program.terminal(&["import", file.to_str().unwrap()]);
    assert_eq!(
        (refused.status.code(), said(&refused).as_str()),
        (Some(1), "300 documents sent, 300 refused\n")
    );
    let notes = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(notes.lines().count(), 21, "{notes}");
    assert!(notes.ends_with("and 280 more refusals\n"), "{notes}");
}

#[test]
fn every_shell_gets_its_completions() {
    for (shell, mark) in [
        ("bash", "complete -F "),
        ("zsh", "#compdef xray-local"),
        ("fish", "complete -c xray-local"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[xray-local]"),
    ] {
        let output = command().args(["completions", shell]).output().unwrap();
        let script = said(&output);
        assert!(output.status.success() && script.contains(mark), "{shell}: {script}");
        for word in ["serve", "assert", "identity", "completions", "allow-host", "since"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_and_flags() {
    let script = r#"eval "$("$0" completions bash)"
        COMP_WORDS=(xray-local "$1" "$2") COMP_CWORD=$3
        complete="$(complete -p xray-local)" complete="${complete#*-F }"
        ${complete%% *} xray-local "${COMP_WORDS[$3]}" "${COMP_WORDS[$3 - 1]}"
        echo "${COMPREPLY[@]}""#;
    for (arguments, expected) in [
        (["ass", "", "1"], "assert"),
        (["traces", "--si", "2"], "--since"),
        (["identity", "rem", "2"], "remove"),
        (["run", "--assert-", "2"], "--assert-none"),
    ] {
        let bash = std::process::Command::new("bash")
            .args(["-c", script, env!("CARGO_BIN_EXE_xray-local")])
            .args(arguments)
            .output();
        // A machine without bash has nothing to complete.
        let Ok(output) = bash else { return };
        assert_eq!(said(&output).trim(), expected, "{output:?}");
    }
}

#[test]
fn nothing_to_do_is_said_and_no_success() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let absent = folder.0.join("absent.db");
    let absent = absent.to_str().unwrap();
    for (arguments, code, why) in [
        (&["traces"][..], 3, "--since looks further back"),
        (&["export"], 3, "--since looks further back"),
        (&["map"], 0, "--since looks further back"),
        (&["show", "latest"], 1, "no traces in this time"),
        (&["check", "/dev/null"], 1, "no segment documents"),
        (&["import", "/dev/null"], 1, "no segment documents"),
        (&["traces", "--limit", "0"], 2, "1 or more"),
        (&["export", "--limit", "0"], 2, "1 or more"),
        (&["tail", "--count", "0"], 2, "1 or more"),
        (&["assert", "fault", "--count", "0"], 2, "1 or more"),
        (&["demo", "--requests", "0"], 2, "1 or more"),
        (&["identity", "list", "--data", absent], 0, ""),
        (&["identity", "remove", "app", "--data", absent], 1, "no identity"),
        (&["identity", "add", "app", "--policy", "None", "--data", absent], 2, "managed policy"),
        (&["identity", "add", "a/b", "--data", absent], 2, "no name"),
        (&["identity", "list", "--account", "12"], 2, "twelve digits"),
        (&["run", "--identity", "app", "--data", absent, "--", "true"], 1, "no such data file"),
    ] {
        let output = program.terminal(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && said.contains(why), "{arguments:?} {output:?}");
    }
    assert!(!std::path::Path::new(absent).exists(), "a question made a data file");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    assert!(program.terminal(&["demo", "--requests", "40"]).status.success());
    for arguments in [
        &["traces"][..],
        &["traces", "--json"],
        &["export"],
        &["map"],
        &["show", "latest"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child = command()
            .args(arguments)
            .env("AWS_ENDPOINT_URL_XRAY", format!("http://{}", program.api))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?} {output:?}");
    }
}

#[test]
fn check_reads_the_standard_input() {
    use std::io::Write as _;

    let mut child = command()
        .args(["check", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"\xff\xfe\n{}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        said(&output).contains("line 1: refused") && said(&output).contains("line 2: refused"),
        "{output:?}"
    );
}

#[cfg(unix)]
#[test]
fn run_draws_no_more_than_it_is_told_and_names_the_signal() {
    let this = env!("CARGO_BIN_EXE_xray-local");
    let drawn = |arguments: &[&str]| {
        let output =
            command().arg("run").args(arguments).args(["--", this, "demo", "--requests", "5"]).output();
        String::from_utf8_lossy(&output.unwrap().stderr).lines().filter(|line| line.starts_with("1-")).count()
    };
    assert_eq!((drawn(&["--limit", "2"]), drawn(&["--quiet"])), (2, 0));
    assert!(drawn(&[]) > 5);
    let killed = command().args(["run", "--quiet", "--", "sh", "-c", "kill -TERM $$"]).output().unwrap();
    assert_eq!(killed.status.code(), Some(143), "{killed:?}");
}

/// A job that is cancelled ends `run` alone: the command may not be left behind.
#[cfg(unix)]
#[test]
fn run_passes_a_termination_on_to_its_command() {
    let mut run = started("trap 'exit 6' TERM; echo ready; while :; do sleep 0.1; done");
    signal(&run, "TERM");
    assert_eq!(run.wait().unwrap().code(), Some(6));
}

/// A terminal that is closed, more than once: the command may take its time to end, and its traces are still shown.
#[cfg(unix)]
#[test]
fn run_passes_a_hang_up_on_and_keeps_what_was_received() {
    use std::io::Read as _;

    let demo = format!("'{}' demo --requests 3", env!("CARGO_BIN_EXE_xray-local"));
    let slow = "trap 'read line; exit 6' TERM; echo ready; for tenth in $(seq 600); do sleep 0.1; done";
    let mut run = observed(&[], &format!("{demo} >&2; {slow}"));
    signal(&run, "HUP");
    signal(&run, "HUP");
    drop(run.stdin.take());
    let mut drawn = String::new();
    run.stderr.take().unwrap().read_to_string(&mut drawn).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(6), "{drawn}");
    assert!(drawn.contains("◆ web") && drawn.contains(" documents stored, 1 refused"), "{drawn}");
}

/// A program that `nohup` started outlives its terminal.
#[cfg(target_os = "linux")]
#[test]
fn run_under_nohup_ignores_a_hang_up() {
    let script = "trap 'exit 6' TERM; echo ready; read line; exit 5";
    let mut run = started_by(std::process::Command::new("nohup"), &["--quiet"], script);
    signal(&run, "HUP");
    drop(run.stdin.take());
    assert_eq!(run.wait().unwrap().code(), Some(5));
}

/// The terminal sends Ctrl-C to the command as well, which decides what it means.
#[cfg(unix)]
#[test]
fn run_leaves_ctrl_c_to_its_command() {
    let mut run = started("echo ready; read line; exit 5");
    signal(&run, "INT");
    drop(run.stdin.take());
    assert_eq!(run.wait().unwrap().code(), Some(5));
}

/// A `run` whose command is a script that prints a line when it is ready, which it is.
#[cfg(unix)]
fn started(script: &str) -> std::process::Child {
    observed(&["--quiet"], script)
}

#[cfg(unix)]
fn observed(flags: &[&str], script: &str) -> std::process::Child {
    started_by(std::process::Command::new("env"), flags, script)
}

/// A `run` that another program starts.
#[cfg(unix)]
fn started_by(mut starter: std::process::Command, flags: &[&str], script: &str) -> std::process::Child {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let own = command();
    for (name, _) in own.get_envs() {
        starter.env_remove(name);
    }
    starter.arg(own.get_program()).arg("run").args(flags).args(["--", "sh", "-c", script]);
    let mut run =
        starter.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(run.stdout.take().unwrap()).read_line(&mut line).unwrap();
    run
}

#[test]
fn run_with_an_identity_refuses_what_its_policies_do_not_allow() {
    let folder = Folder::new();
    let (this, data) = (env!("CARGO_BIN_EXE_xray-local"), folder.file());
    let data = data.to_str().unwrap();
    for (name, policy) in [("writer", "AWSXRayDaemonWriteAccess"), ("reader", "AWSXrayReadOnlyAccess")] {
        let added =
            command().args(["identity", "add", name, "--policy", policy, "--data", data]).output().unwrap();
        assert!(added.status.success(), "{added:?}");
    }
    for (name, allowed, denied) in [("writer", "demo", "traces"), ("reader", "traces", "demo")] {
        let run = |operation| {
            let arguments = ["run", "--quiet", "--identity", name, "--data", data, "--", this, operation];
            command().args(arguments).output().unwrap()
        };
        // Without traces, `traces` ends with 3.
        assert!(matches!(run(allowed).status.code(), Some(0 | 3)), "{name} {allowed} {:?}", run(allowed));
        let refused = run(denied);
        assert_eq!(refused.status.code(), Some(1), "{name} {denied} {refused:?}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("AccessDeniedException") && said.contains(&format!("user/{name}")), "{said}");
    }
    let absent = command()
        .args(["run", "--identity", "absent", "--data", data, "--", this, "traces"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&absent.stderr).contains("no user absent"), "{absent:?}");
}
