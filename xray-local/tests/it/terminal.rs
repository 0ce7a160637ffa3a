//! Commands of the terminal, against a running program.

use crate::program::{Folder, Program, command};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

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
    assert!(String::from_utf8_lossy(&unmet.stderr).contains("0 of 1 traces matched"), "{unmet:?}");
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
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = command().args(["completions", shell]).output().unwrap();
        assert!(output.status.success() && said(&output).contains("assert"), "{shell}");
    }
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
