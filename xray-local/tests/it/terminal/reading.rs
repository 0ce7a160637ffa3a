//! Reading commands: the time that they look at, what they wait for, and what they leave out.

use serde_json::json;

use crate::program::{Folder, Program, command, eventually, said, seconds};

/// Puts a trace of one segment that began that long ago. Returns its id.
fn put(program: &Program, number: u64, name: &str, minutes_ago: f64) -> String {
    let start = seconds() - 60.0 * minutes_ago;
    let id = format!("1-{:08x}-{number:024x}", start as u64);
    let document = json!({"trace_id": id, "id": format!("{number:016x}"), "name": name, "start_time": start,
        "end_time": start + 0.01});
    let request = json!({"TraceSegmentDocuments": [document.to_string()]});
    assert_eq!(program.call("/TraceSegments", &request)["UnprocessedTraceSegments"], json!([]));
    id
}

#[test]
fn reading_commands_look_at_the_time_that_they_are_told() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let ids: Vec<String> = [(1, "hours", 120.0), (2, "half", 30.0), (3, "now", 0.1)]
        .into_iter()
        .map(|(number, name, ago)| put(&program, number, name, ago))
        .collect();
    let epoch = |minutes_ago: f64| (seconds() - 60.0 * minutes_ago).to_string();
    let (from, to) = (epoch(45.0), epoch(15.0));
    for (span, expected) in [
        (&[][..], &[1, 2][..]),
        (&["--since", "3h"], &[0, 1, 2]),
        (&["--since", "10m"], &[2]),
        (&["--from", "45m", "--to", "15m"], &[1]),
        (&["--from", &from, "--to", &to], &[1]),
        (&["--since", "45m", "--to", "15m"], &[1]),
        (&["--to", "1h", "--since", "2h"], &[0]),
    ] {
        for arguments in
            [&["traces"][..], &["traces", "--json"], &["export"], &["assert", "ok", "--json", "--count"]]
        {
            let count = expected.len().to_string();
            let count = if arguments.ends_with(&["--count"]) { vec![count.as_str()] } else { Vec::new() };
            let arguments = [arguments, &count, span].concat();
            let output = program.terminal(&arguments);
            assert!(output.status.success(), "{arguments:?} {output:?}");
            let found: Vec<usize> =
                (0..ids.len()).filter(|index| said(&output).contains(&ids[*index])).collect();
            assert_eq!(found, expected, "{arguments:?} {}", said(&output));
        }
        let map = said(&program.terminal(&[&["map"], span].concat()));
        for (index, name) in ["hours", "half", "now"].into_iter().enumerate() {
            assert_eq!(map.contains(name), expected.contains(&index), "{span:?} {map}");
        }
    }
    let beginning = &ids[0][2..12];
    assert_eq!(program.terminal(&["show", beginning]).status.code(), Some(1));
    assert!(said(&program.terminal(&["show", beginning, "--since", "3h"])).contains(&ids[0]));
    assert!(said(&program.terminal(&["show", "latest"])).contains(&ids[2]));
    let shown = said(&program.terminal(&["show", "latest", "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["Id"], ids[2].as_str());
    for (arguments, lines) in
        [(&["traces", "--limit", "1"][..], 1), (&["export", "--limit", "2", "--since", "3h"], 2)]
    {
        assert_eq!(said(&program.terminal(arguments)).lines().count(), lines, "{arguments:?}");
    }
    let backwards = program.terminal(&["traces", "--from", "15m", "--to", "45m"]);
    assert_eq!(backwards.status.code(), Some(2), "{backwards:?}");
}

#[test]
fn tail_shows_what_comes_and_matches_and_nothing_else() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let before = put(&program, 1, "shop", 0.0);
    for (number, form) in [(1, &["--one-line"][..]), (2, &["--json"]), (3, &[])] {
        let mut tail = command()
            .args(["tail", "service(\"shop\")", "--count", "2"])
            .args(form)
            .env("AWS_ENDPOINT_URL_XRAY", format!("http://{}", program.api))
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // What came before the tail's first look is no news, so traces come until it has seen two.
        let mut sent = Vec::new();
        let mut next = number * 1_000;
        eventually("the end of the tail", || {
            next += 2;
            sent.push(put(&program, next, "shop", 0.0));
            put(&program, next + 1, "other", 0.0);
            tail.try_wait().unwrap().is_some()
        });
        let output = tail.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let shown = said(&output);
        assert_eq!(sent.iter().filter(|id| shown.contains(*id)).count(), 2, "{shown}");
        assert!(!shown.contains(&before) && !shown.contains("other"), "{shown}");
        match number {
            1 => assert_eq!(shown.lines().count(), 2, "{shown}"),
            2 => assert!(shown.lines().all(|line| line.starts_with('{')), "{shown}"),
            _ => assert_eq!(shown.matches("◆ shop").count(), 2, "{shown}"),
        }
    }
}

#[test]
fn assert_waits_for_as_long_as_it_is_told() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let asserting = |arguments: &[&str]| {
        command()
            .args([&["assert"], arguments].concat())
            .env("AWS_ENDPOINT_URL_XRAY", format!("http://{}", program.api))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    // Nothing is there yet when they begin.
    let found = asserting(&["service(\"shop\")", "--count", "2", "--within", "60s"]);
    let unwanted = asserting(&["service(\"shop\")", "--none", "--within", "60s"]);
    put(&program, 1, "shop", 0.0);
    put(&program, 2, "shop", 0.0);
    assert_eq!(found.wait_with_output().unwrap().status.code(), Some(0));
    let unwanted = unwanted.wait_with_output().unwrap();
    assert_eq!(unwanted.status.code(), Some(1), "{unwanted:?}");
    let few =
        asserting(&["service(\"shop\")", "--count", "3", "--within", "100ms"]).wait_with_output().unwrap();
    let why = String::from_utf8_lossy(&few.stderr).into_owned();
    assert!(few.status.code() == Some(1) && why.contains("2 of 3 traces matched"), "{few:?}");
    let none = asserting(&["service(\"other\")", "--none", "--within", "100ms"]).wait_with_output().unwrap();
    assert_eq!(none.status.code(), Some(0), "{none:?}");
    let json = asserting(&["service(\"shop\")", "--json"]).wait_with_output().unwrap();
    assert!(said(&json).starts_with("{\"") && said(&json).contains("\"Id\":\"1-"), "{json:?}");
}
