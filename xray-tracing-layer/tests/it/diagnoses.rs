//! Reasons for missing traces, each provoked for real, and the sentence that names its remedy.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tracing::{Dispatch, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, registry};
use xray_sdk::EmitterProblem;
use xray_sdk::local::Collector;
use xray_sdk::sampling::Always;
use xray_tracing_layer::{Diagnostic, Handle, XraySpanExt};

use crate::support::{MemoryRig, Rig};

/// A layer that sends to `address`, beside no other.
fn sending_to(address: &str) -> (Dispatch, Handle) {
    let builder = xray_tracing_layer::builder().service_name("shop").daemon_address(address).sampler(Always);
    let (layer, handle) = builder.build_with_handle::<Registry>().unwrap();
    (Dispatch::new(registry().with(layer)), handle)
}

fn send_roots(dispatch: &Dispatch, count: usize) {
    tracing::dispatcher::with_default(dispatch, || (0..count).for_each(|_| drop(info_span!("root"))));
}

#[track_caller]
pub(crate) fn assert_sentence(diagnostic: &Diagnostic, parts: &[&str]) {
    let sentence = diagnostic.to_string();
    for part in parts {
        assert!(sentence.contains(part), "{part:?} in {sentence:?}");
    }
}

/// Waits for what another thread or the kernel has to do first.
#[track_caller]
fn eventually<R>(what: &str, mut look: impl FnMut() -> Option<R>) -> R {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An address at which nothing listens. The socket keeps it from others, and takes nothing from a stranger.
#[expect(clippy::disallowed_methods, reason = "holds a port that nothing listens at")]
fn closed_port() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[test]
fn a_daemon_that_does_not_listen_is_reported_after_the_first_document_until_it_listens() {
    let (socket, peer) = closed_port();
    let (dispatch, handle) = sending_to(&peer.to_string());
    assert_eq!(handle.diagnostics(), [], "nothing was sent, so nothing is known");
    send_roots(&dispatch, 1);
    let expected = Diagnostic::Emitter(EmitterProblem::NobodyListens { peer });
    // The kernel reports the first datagram to whoever asks.
    eventually("a refused datagram", || (handle.diagnostics() == [expected.clone()]).then_some(()));
    assert_eq!(handle.stats().emitter.unavailable, 1);
    send_roots(&dispatch, 10);
    eventually("refused datagrams", || (handle.diagnostics() == [expected.clone()]).then_some(()));
    assert_sentence(&expected, &[&peer.to_string(), "start the daemon", "AWS_XRAY_DAEMON_ADDRESS"]);
    drop(socket);
    let collector = Collector::bind(peer).unwrap();
    send_roots(&dispatch, 10);
    assert!(collector.wait_for_documents(9, Duration::from_secs(60)));
    assert_eq!(handle.diagnostics(), []);
}

#[test]
fn a_name_that_does_not_resolve_is_reported() {
    let (dispatch, handle) = sending_to("no-such-host.invalid:2000");
    send_roots(&dispatch, 1);
    let found = eventually("a failed lookup", || handle.diagnostics().pop());
    let Diagnostic::Emitter(EmitterProblem::NameNotResolved { host, .. }) = &found else {
        panic!("{found:?}")
    };
    assert_eq!(host, "no-such-host.invalid");
    assert_sentence(&found, &["no-such-host.invalid", "does not resolve", "AWS_XRAY_DAEMON_ADDRESS"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_without_a_way_to_it_is_reported_with_the_systems_reason() {
    // The kernel lets no socket connect to everybody.
    let (dispatch, handle) = sending_to("255.255.255.255:2000");
    send_roots(&dispatch, 1);
    let found = handle.diagnostics();
    let [Diagnostic::Emitter(EmitterProblem::Unreachable { peer, reason })] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(peer.to_string(), "255.255.255.255:2000");
    assert!(!reason.is_empty());
    assert_sentence(&found[0], &["255.255.255.255:2000", "cannot be reached", "check the network"]);
    assert_eq!(handle.stats().dropped, 1);
}

#[test]
fn spans_above_the_bound_are_reported_with_the_bound() {
    let rig = MemoryRig::with(|builder| builder.max_open_spans(2));
    rig.run(|| {
        let _root = info_span!("root").entered();
        let _part = info_span!("part").entered();
        drop(info_span!("one too many"));
    });
    let found = rig.handle.diagnostics();
    assert_eq!(found, [Diagnostic::TooManyOpen { spans: 1, max: 2 }]);
    assert_sentence(&found[0], &["1 spans", "2 were open", "Builder::max_open_spans"]);
}

#[test]
fn annotations_that_replace_each_other_for_their_keys_are_counted() {
    for (keys, replaced) in [
        (&["a b", "a-b"][..], 1),
        (&["a b", "a_b"], 1),
        (&["a_b", "a b", "a/b"], 2),
        (&["a b", "a b"], 0),
        (&["a_b", "a_b"], 0),
        (&["a.b", "a_b"], 0),
    ] {
        let rig = Rig::new();
        rig.run(|| {
            let root = info_span!("root");
            keys.iter().for_each(|key| root.annotate(key, 1));
        });
        assert_eq!(rig.handle.stats().annotations_replaced, replaced, "{keys:?}");
        let limits = &rig.document()["metadata"]["default"]["xray.limits"];
        assert_eq!(limits["replaced"].as_u64().unwrap_or_default(), replaced, "{keys:?}: {limits}");
    }
    let rig = MemoryRig::new();
    rig.run(|| drop(info_span!("root", "annotation.a b" = 1, "annotation.a-b" = 2, annotation.c = 3)));
    assert_eq!(rig.handle.stats().annotations_replaced, 1);
    assert_eq!(rig.documents()[0]["annotations"]["a_b"], 2, "the last one counts");
}

/// What takes a process of its own: variables, limits, forks and standard error.
mod process {
    use super::*;

    /// A process of this program that runs one test, and ends with the guard.
    struct Process(Child);

    impl Process {
        fn start(mut command: Command) -> Self {
            Self(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        }

        /// Waits for a line on standard error.
        fn line_with(&mut self, part: &str) -> String {
            let mut seen = Vec::new();
            for line in BufReader::new(self.0.stderr.take().unwrap()).lines() {
                let line = line.unwrap();
                if line.contains(part) {
                    return line;
                }
                seen.push(line);
            }
            panic!("no {part:?} in {seen:#?}");
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn this_program(test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("diagnoses::process::{test}"), "--ignored", "--nocapture"]);
        command
    }

    /// The whole program of a user: a layer that reports its problems, and a span from time to time.
    #[test]
    #[ignore = "run in a process of its own"]
    fn program() {
        let builder =
            xray_tracing_layer::builder().report_problems(Duration::from_millis(50)).sampler(Always);
        registry().with(builder.build().unwrap()).init();
        // The other process ends this one as soon as it has read what it waits for.
        for _ in 0..6_000 {
            drop(info_span!("root"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn problems_are_printed_to_standard_error_for_those_who_ask() {
        let (_socket, peer) = closed_port();
        for (name, value, expected) in [
            (
                "AWS_XRAY_DAEMON_ADDRESS",
                &*peer.to_string(),
                "X-Ray: nothing listens at the daemon's address 127.0.0.1",
            ),
            (
                "AWS_XRAY_DAEMON_ADDRESS",
                "nonsense",
                "X-Ray: AWS_XRAY_DAEMON_ADDRESS=\"nonsense\" is not used",
            ),
            (
                "AWS_XRAY_SDK_DISABLED",
                "true",
                "X-Ray: the layer is switched off by AWS_XRAY_SDK_DISABLED: unset it",
            ),
            (
                "AWS_XRAY_SDK_ENABLED",
                "off",
                "X-Ray: the layer is switched off by AWS_XRAY_SDK_ENABLED: unset it",
            ),
            (
                "LAMBDA_TASK_ROOT",
                "/var/task",
                "X-Ray: LAMBDA_TASK_ROOT is set without AWS_LAMBDA_RUNTIME_API",
            ),
        ] {
            let mut command = this_program("program");
            command.env(name, value);
            let line = Process::start(command).line_with(expected);
            assert!(line.starts_with("X-Ray: "), "{line}");
        }
    }

    #[test]
    #[ignore = "run in a process of its own"]
    fn without_descriptors() {
        // Whatever the limit is, this is all of it.
        let held: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
        let (dispatch, handle) = sending_to("127.0.0.1:2000");
        send_roots(&dispatch, 1);
        let found = handle.diagnostics();
        drop(held);
        eprintln!("FOUND {found:?} {}", found[0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_process_without_descriptors_is_reported() {
        let program = this_program("without_descriptors");
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(program.get_program());
        limited.args(program.get_args());
        let line = Process::start(limited).line_with("FOUND");
        assert!(line.contains("NoDescriptor") && line.contains("`ulimit -n`"), "{line}");
    }

    /// In a process with other subscribers, `tracing` asks about each span anew, and the span is not hidden.
    #[test]
    #[ignore = "run in a process of its own"]
    fn beside_an_empty_vec() {
        let collector = Collector::start().unwrap();
        let builder = crate::support::builder_for(&collector);
        let (layer, handle) = builder.build_with_handle().unwrap();
        let others: Vec<Box<dyn Layer<_> + Send + Sync>> = Vec::new();
        registry().with(layer).with(others).init();
        drop(info_span!("hidden"));
        let found = handle.diagnostics();
        eprintln!("CLOSED {} FOUND {found:?} {}", handle.stats().closed, found[0]);
    }

    /// The most verbose level is the whole process's.
    #[test]
    #[ignore = "run in a process of its own"]
    fn behind_its_own_filter() {
        let collector = Collector::start().unwrap();
        let filter = tracing::level_filters::LevelFilter::WARN;
        let builder = crate::support::builder_for(&collector).filter(filter);
        let (layer, handle) = builder.build_with_handle().unwrap();
        registry().with(layer).init();
        drop(info_span!("hidden"));
        let found = handle.diagnostics();
        eprintln!("CLOSED {} FOUND {found:?} {}", handle.stats().closed, found[0]);
    }

    #[test]
    fn a_filter_on_the_layer_that_hides_spans_is_reported_as_that() {
        let line = Process::start(this_program("behind_its_own_filter")).line_with("FOUND");
        assert!(line.contains("CLOSED 0 FOUND [FilterLevel("), "{line}");
        assert!(line.contains("raise the level of the filter on the X-Ray layer"), "{line}");
    }

    #[test]
    fn an_empty_vec_of_layers_that_hides_spans_is_reported() {
        let line = Process::start(this_program("beside_an_empty_vec")).line_with("FOUND");
        assert!(line.contains("CLOSED 0 FOUND [UninterestedLayer]"), "{line}");
        assert!(line.contains("remove it if it is an empty `Vec` of layers"), "{line}");
    }

    #[cfg(all(unix, feature = "queued-emitter"))]
    #[test]
    #[ignore = "run in a process of its own"]
    fn forking() {
        let address = "127.0.0.1:2000".parse().unwrap();
        let (emitter, guard) = xray_sdk::QueuedEmitter::start(&address).unwrap();
        let builder = xray_tracing_layer::builder().emitter(emitter.clone()).sampler(Always);
        let (layer, handle) = builder.build_with_handle::<Registry>().unwrap();
        let dispatch = Dispatch::new(registry().with(layer));
        assert!(!handle.diagnostics().iter().any(|found| matches!(found, Diagnostic::Forked { .. })));
        let parent = std::process::id();
        match fork::fork().unwrap() {
            fork::Fork::Child => {
                send_roots(&dispatch, 3);
                eprintln!("PARENT {parent} FOUND {:?}", handle.diagnostics());
                // Neither the guard nor the test's own threads exist here.
                std::process::abort();
            }
            fork::Fork::Parent(child) => {
                let _ = fork::waitpid(child);
            }
        }
        drop(guard);
    }

    /// Ids that both processes draw right after the fork, on the thread that forked.
    #[cfg(unix)]
    #[test]
    #[ignore = "run in a process of its own"]
    fn drawing_after_a_fork() {
        let (dispatch, _handle) = sending_to("127.0.0.1:2000");
        // Both generators of this thread are in use.
        send_roots(&dispatch, 3);
        let name = if matches!(fork::fork().unwrap(), fork::Fork::Child) { "CHILD" } else { "PARENT" };
        let drawn: Vec<String> = tracing::dispatcher::with_default(&dispatch, || {
            let ids = |_| {
                let root = info_span!("root");
                let part = info_span!(parent: &root, "part");
                part.trace_header().unwrap().to_string()
            };
            (0..IDS_AFTER_FORK).map(ids).collect()
        });
        // A pipe keeps so short a write in one piece.
        std::io::stderr().write_all(format!("{name} {}\n", drawn.join(" ")).as_bytes()).unwrap();
        if name == "CHILD" {
            // The test's own threads don't exist here.
            std::process::abort();
        }
    }

    const IDS_AFTER_FORK: usize = 40;

    #[cfg(unix)]
    #[test]
    fn parent_and_child_of_a_fork_draw_different_ids() {
        let mut process = Process::start(this_program("drawing_after_a_fork"));
        let mut ids = std::collections::BTreeSet::new();
        let mut lines = 0;
        for line in BufReader::new(process.0.stderr.take().unwrap()).lines().map(Result::unwrap) {
            let Some(drawn) = line.strip_prefix("CHILD ").or_else(|| line.strip_prefix("PARENT ")) else {
                continue;
            };
            lines += 1;
            for header in drawn.split(' ') {
                let header: xray_sdk::TraceHeader = header.parse().unwrap();
                ids.insert(header.root().to_string());
                ids.insert(header.parent().unwrap().to_string());
            }
            if lines == 2 {
                break;
            }
        }
        assert_eq!((lines, ids.len()), (2, 4 * IDS_AFTER_FORK), "roots and parts of both");
    }

    #[cfg(all(unix, feature = "queued-emitter"))]
    #[test]
    fn a_forked_process_reports_its_queue_instead_of_keeping_silent() {
        let line = Process::start(this_program("forking")).line_with("FOUND");
        let parent = line.split_whitespace().nth(1).unwrap();
        assert!(line.contains(&format!("Forked {{ parent: {parent} }}")), "{line}");
        assert!(line.contains(&format!("NoThreadAfterFork {{ parent: {parent}, queued: 3 }}")), "{line}");
    }
}
