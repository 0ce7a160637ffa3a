//! The daemon's address. An address that is read is written in a form that reads back as the same.

use xray_sdk::DaemonAddress;

use super::{Target, ensure, text};

pub(super) const TARGET: Target = Target { name: "address", seeds: SEEDS, words: WORDS, check };

const SEEDS: &[&str] = &[
    "127.0.0.1:2000",
    "tcp:127.0.0.1:2000 udp:127.0.0.2:2001",
    "udp:[::1]:2000 tcp:[fe80::1]:3000",
    "xray-daemon.internal:2000",
    "tcp:2000",
    "udp:xray:2000",
];

const WORDS: &[&str] =
    &["tcp:", "udp:", "TCP:", ":", "[", "]", "::", " ", "\t", "65535", "65536", "0", "-", ".", "%eth0", "+1"];

fn check(input: &[u8]) -> Result<(), String> {
    let text = text(input);
    match text.parse::<DaemonAddress>() {
        Ok(address) => {
            let written = address.to_string();
            let again = written.parse::<DaemonAddress>();
            ensure(again.as_ref() == Ok(&address), || format!("{written:?} reads as {again:?}"))?;
            let ports = [address.udp().1, address.tcp().1];
            ensure(!ports.contains(&0), || format!("port 0 of {text:?} was accepted"))
        }
        Err(err) => ensure(!err.to_string().is_empty(), || "an error without a text".to_owned()),
    }
}
