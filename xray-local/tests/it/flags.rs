//! The flags of `serve`: each is felt where it should be.

use serde_json::json;

use crate::program::{Folder, Program, command, datagram, eventually, post, seconds, segment, socket};

fn put(program: &Program, documents: &[String]) {
    let request = json!({"TraceSegmentDocuments": documents}).to_string();
    let (status, answer) = post(program.api, "/TraceSegments", request.as_bytes()).unwrap();
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn keep_deletes_traces_of_that_age() {
    let folder = Folder::new();
    let (old, document) = segment(1, "");
    let program = Program::start(&folder.file(), &["--keep", "1h"]);
    put(&program, &[document]);
    assert_eq!(program.ids(""), [old]);
    drop(program);
    let program = Program::start(&folder.file(), &["--keep", "1ms"]);
    eventually("the deletion of the old trace", || program.ids("").is_empty());
}

#[test]
fn max_size_deletes_the_oldest_traces() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &["--max-size", "1MB"]);
    let mut state = 1_u64;
    let mut noise = || {
        let letter = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (state >> 59) as u8 % 26)
        };
        (0..40_000).map(letter).collect::<String>()
    };
    // Twice as much as fits.
    let mut ids = Vec::new();
    for batch in 0..10 {
        let made: Vec<(String, String)> = (0..8)
            .map(|at| segment(batch * 8 + at, &format!(r#","metadata":{{"m":"{}"}}"#, noise())))
            .collect();
        let documents: Vec<String> = made.iter().map(|(_, document)| document.clone()).collect();
        put(&program, &documents);
        ids.extend(made.into_iter().map(|(id, _)| id));
    }
    eventually("the deletion of the oldest traces", || program.ids("").len() < ids.len() * 3 / 4);
    let left = program.ids("");
    assert!(left.contains(ids.last().unwrap()) && !left.contains(&ids[0]));
}

#[test]
fn region_and_account_are_those_of_the_answers() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &["--region", "eu-west-1", "--account", "111122223333"]);
    let group = program.call("/CreateGroup", &json!({"GroupName": "web"}));
    let arn = group["Group"]["GroupARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:xray:eu-west-1:111122223333:group/web/"), "{arn}");
}

#[test]
fn limits_hold_unless_they_are_off() {
    let now = seconds();
    let long = json!({"StartTime": now - 7.0 * 3_600.0, "EndTime": now}).to_string();
    for (arguments, expected) in [(&[][..], 400), (&["--limits", "real"], 400), (&["--limits", "off"], 200)] {
        let folder = Folder::new();
        let program = Program::start(&folder.file(), arguments);
        assert_eq!(post(program.api, "/ServiceGraph", long.as_bytes()).unwrap().0, expected, "{arguments:?}");
    }
}

/// One door of three beyond loopback is enough for `enforce` to be the default, and for `off` to be refused.
#[test]
fn beyond_loopback_calls_are_refused_unless_the_user_says_otherwise() {
    for flag in ["--udp", "--tcp", "--api"] {
        let start = |access: &[&str]| {
            let folder = Folder::new();
            let arguments = [&[flag, "0.0.0.0:0"], access].concat();
            (Program::overriding(&folder.file(), &arguments), folder)
        };
        let (program, _folder) = start(&[]);
        assert_eq!(post(program.unwrap().loopback_api(), "/Groups", b"{}").unwrap().0, 403, "{flag}");
        let (program, _folder) = start(&["--access", "warn"]);
        assert_eq!(post(program.unwrap().loopback_api(), "/Groups", b"{}").unwrap().0, 200, "{flag}");
        let (program, _folder) = start(&["--access", "off"]);
        let Err(output) = program else { panic!("{flag} 0.0.0.0 with --access off") };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains("loopback only"), "{said}");
    }
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    assert_eq!(post(program.api, "/Groups", b"{}").unwrap().0, 200, "on loopback, `warn` is the default");
}

#[test]
fn beyond_loopback_the_console_wants_its_token() {
    let folder = Folder::new();
    let program = Program::overriding(&folder.file(), &["--api", "0.0.0.0:0"]).unwrap();
    let get = |path: &str, cookie: &str| {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent: ureq::Agent = config.max_redirects_will_error(false).build().into();
        agent.get(format!("http://{}{path}", program.loopback_api())).header("cookie", cookie).call().unwrap()
    };
    for path in ["/", "/traces", "/?token=wrong", "/console/tail"] {
        assert_eq!(get(path, "").status().as_u16(), 401, "{path}");
    }
    let token = program.console.split_once("token=").unwrap().1;
    let moved = get(&format!("/traces?token={token}&since=6h"), "");
    let target = moved.headers()["location"].to_str().unwrap();
    assert_eq!((moved.status().as_u16(), target), (303, "/traces?since=6h"));
    let cookie = moved.headers()["set-cookie"].to_str().unwrap().split_once(';').unwrap().0;
    assert_eq!(get("/traces", cookie).status().as_u16(), 200);
    assert_eq!(get("/traces", &format!("{cookie}x")).status().as_u16(), 401);
}

#[test]
fn an_allowed_name_is_a_host_and_no_other_is() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &["--allow-host", "xray"]);
    for (host, expected) in [("xray:2001", 200), ("XRAY", 200), ("other", 403), ("xray.example", 403)] {
        for door in [program.api, program.tcp] {
            let url = format!("http://{door}/GetSamplingRules");
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let answer = agent.post(&url).header("host", host).send("{}").unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{host} {door}");
        }
    }
}

#[cfg(unix)]
#[test]
fn everything_beside_the_data_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    socket().send_to(&datagram(&segment(1, "").1), program.udp).unwrap();
    eventually("the trace", || !program.ids("").is_empty());
    let mut names: Vec<String> = std::fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
            name
        })
        .collect();
    names.sort();
    assert_eq!(names, ["xray.db", "xray.db-shm", "xray.db-wal", "xray.db.lock"]);
}

/// The file, or its folder, may not be written: an error that names the file, and the file stays as it is.
#[cfg(unix)]
#[test]
fn a_read_only_file_or_folder_is_refused_with_a_sentence() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;

    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    put(&program, &[segment(1, "").1]);
    assert!(program.signal("TERM").success());
    for beside in ["xray.db-wal", "xray.db-shm", "xray.db.lock"] {
        let _ = std::fs::remove_file(folder.0.join(beside));
    }
    let before = std::fs::read(folder.file()).unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // Root may write whatever the mode says, so another user stands for the reader then.
    const NOBODY: u32 = 65_534;
    let is_root = std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")));
    let copy = folder.0.join("program");
    if is_root {
        // The program may lie where nobody else may look.
        std::fs::copy(env!("CARGO_BIN_EXE_xray-local"), &copy).unwrap();
        mode(&copy, 0o755);
    }
    let commands: [&[&str]; 2] = [
        &["serve", "--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--api", "127.0.0.1:0"],
        &["identity", "add", "app"],
    ];
    for (of_the_file, of_the_folder) in [(0o444, 0o777), (0o600, 0o555), (0o444, 0o555)] {
        for arguments in commands {
            let mut run = if is_root { std::process::Command::new(&copy) } else { command() };
            if is_root {
                chown(folder.file(), Some(NOBODY), None).unwrap();
                chown(&folder.0, Some(NOBODY), None).unwrap();
                run.uid(NOBODY);
            }
            mode(&folder.file(), of_the_file);
            mode(&folder.0, of_the_folder);
            let output = run.args(arguments).arg("--data").arg(folder.file()).output().unwrap();
            mode(&folder.0, 0o755);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(
                output.status.code(),
                Some(1),
                "{of_the_file:o} {of_the_folder:o} {arguments:?} {said}"
            );
            let names_it = said.contains("for writing") || said.contains("readonly database");
            assert!(said.contains("xray.db") && names_it, "{said}");
            assert_eq!(std::fs::read(folder.file()).unwrap(), before, "{of_the_file:o} {of_the_folder:o}");
        }
    }
}

#[test]
fn values_that_no_server_could_use_are_refused_before_it_starts() {
    for (arguments, expected) in [
        (["--region", ""], "region"),
        (["--region", "EU west"], "region"),
        (["--account", "12"], "twelve digits"),
        (["--data", ""], "--data"),
        (["--keep", "5"], "30d"),
        (["--max-size", "2GiB"], "2GB"),
        (["--max-size", "500"], "at least 1MB"),
        (["--access", "loose"], "off, warn or enforce"),
        (["--limits", "some"], "real nor off"),
        (["--udp", "2000"], "ADDRESS:PORT"),
    ] {
        let output = command().args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{arguments:?} {said}");
    }
}
