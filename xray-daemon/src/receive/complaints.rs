//! Lines of the log about datagrams without a valid header, in the original's words.
//!
//! A sender that is wrong is wrong at full speed, and its datagrams hold other people's data: a few lines in ten
//! seconds, each with the beginning of the datagram only. Called by the receiving thread.

use std::time::{Duration, Instant};

use xray_sdk::receive::InvalidDatagram;

/// Limits the lines.
#[derive(Debug)]
pub(super) struct Complaints {
    window: Instant,
    in_window: u32,
    left_out: u64,
}

impl Complaints {
    pub(super) fn new() -> Self {
        Self { window: Instant::now(), in_window: 0, left_out: 0 }
    }

    /// A datagram was refused.
    pub(super) fn add(&mut self, datagram: &[u8], why: InvalidDatagram) {
        self.catch_up();
        self.in_window += 1;
        if self.in_window > IN_WINDOW {
            self.left_out += 1;
            return;
        }
        log::warn!("{}", line(datagram, why));
    }

    /// Logs how many lines were left out, once their time is over.
    pub(super) fn catch_up(&mut self) {
        if self.window.elapsed() < WINDOW {
            return;
        }
        if self.left_out > 0 {
            log::warn!("{} more datagrams without a valid header or segment", self.left_out);
        }
        *self = Self::new();
    }
}

fn line(datagram: &[u8], why: InvalidDatagram) -> String {
    let first_line = datagram.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match why {
        InvalidDatagram::NoHeader => format!("Missing header or segment: {}", shown(datagram)),
        InvalidDatagram::NoDocument => format!("Missing header or segment: {}", shown(first_line)),
        _ => format!("Invalid header: {} ({why})", shown(first_line)),
    }
}

/// The beginning of a datagram, in one line and harmless.
fn shown(bytes: &[u8]) -> String {
    let beginning = &bytes[..bytes.len().min(SHOWN)];
    let mut shown: String = String::from_utf8_lossy(beginning)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if bytes.len() > SHOWN {
        shown += &format!("... ({} bytes)", bytes.len());
    }
    shown
}

/// Bytes of a datagram that a line has.
const SHOWN: usize = 200;
const IN_WINDOW: u32 = 10;
const WINDOW: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_originals_with_the_reason() {
        for (datagram, expected) in [
            ("{\"name\":\"shop\"}", "Missing header or segment: {\"name\":\"shop\"}"),
            (
                "{\"format\":\"json\",\"version\":1}\n",
                "Missing header or segment: {\"format\":\"json\",\"version\":1}",
            ),
            ("\n", "Missing header or segment: "),
            (
                "{\"format\":\"xml\",\"version\":1}\n{}",
                "Invalid header: {\"format\":\"xml\",\"version\":1} (the header's `format` is not \"json\")",
            ),
            ("\n{}", "Invalid header:  (the header line is not a JSON object)"),
        ] {
            let why = xray_sdk::receive::document(datagram.as_bytes()).unwrap_err();
            assert_eq!(line(datagram.as_bytes(), why), expected);
        }
    }

    #[test]
    fn a_line_is_short_and_has_no_control_characters() {
        let datagram = [vec![b'\x1b'; 10], vec![b'x'; 1_000]].concat();
        let line = line(&datagram, InvalidDatagram::NoHeader);
        assert!(!line.contains('\x1b') && line.len() < 300 && line.ends_with("... (1010 bytes)"), "{line}");
    }
}
