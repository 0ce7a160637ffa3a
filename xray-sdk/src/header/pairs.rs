//! The trace header among other headers, as pairs of a name and bytes: Kafka's records, AMQP's properties, NATS.
//!
//! No client is known here. A sender puts [`TraceHeader::to_pairs`] into its message, a receiver passes the pairs of a
//! message to [`TraceHeader::from_pairs`].

use super::trace_header::TraceHeader;
use super::w3c::Traceparent;

impl TraceHeader {
    /// Reads the header from a message's headers: `x-amzn-trace-id`, or `traceparent` if the former is absent or
    /// invalid. Names are compared without regard to case.
    ///
    /// ```
    /// use xray_sdk::TraceHeader;
    ///
    /// let pairs = [
    ///     ("content-type", b"text/plain".as_slice()),
    ///     ("traceparent", b"00-66f1a2b30123456789abcdef01234567-53995c3f42cd8ad8-01"),
    /// ];
    /// let header = TraceHeader::from_pairs(pairs);
    /// let root = header.map(|header| header.root().to_string());
    /// assert_eq!(root.as_deref(), Some("1-66f1a2b3-0123456789abcdef01234567"));
    /// ```
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Option<Self> {
        let mut w3c = None;
        for (name, value) in pairs {
            let Ok(text) = std::str::from_utf8(value) else { continue };
            if name.eq_ignore_ascii_case(Self::NAME) {
                if let Ok(header) = text.parse() {
                    return Some(header);
                }
            } else if w3c.is_none() && name.eq_ignore_ascii_case(Traceparent::NAME) {
                w3c = Self::from_traceparent(text).ok();
            }
        }
        w3c
    }

    /// Returns what a sender puts into a message: `x-amzn-trace-id`, and `traceparent` for receivers that read only
    /// W3C's form. A header without a parent has no `traceparent`.
    ///
    /// ```
    /// use xray_sdk::TraceHeader;
    ///
    /// let text = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
    /// let header: TraceHeader = text.parse()?;
    /// let names: Vec<_> = header.to_pairs().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["x-amzn-trace-id", "traceparent"]);
    /// # Ok::<(), xray_sdk::header::ParseHeaderError>(())
    /// ```
    pub fn to_pairs(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let w3c = self.traceparent().map(|header| (Traceparent::NAME, header.to_string()));
        std::iter::once((Self::NAME, self.to_string())).chain(w3c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
    const W3C: &str = "00-66f1a2b30123456789abcdef01234567-00f067aa0ba902b7-01";

    type Pair<'a> = (&'a str, &'a [u8]);

    #[test]
    fn the_first_header_that_can_be_read_counts() {
        let cases: &[(&[Pair<'_>], Option<&str>)] = &[
            (&[], None),
            (&[("key", OURS.as_bytes())], None),
            (&[("x-amzn-trace-id", OURS.as_bytes())], Some("53995c3f42cd8ad8")),
            (&[("X-Amzn-Trace-Id", OURS.as_bytes())], Some("53995c3f42cd8ad8")),
            (&[("traceparent", W3C.as_bytes())], Some("00f067aa0ba902b7")),
            (
                &[("traceparent", W3C.as_bytes()), ("x-amzn-trace-id", OURS.as_bytes())],
                Some("53995c3f42cd8ad8"),
            ),
            (&[("x-amzn-trace-id", b"\xff"), ("x-amzn-trace-id", OURS.as_bytes())], Some("53995c3f42cd8ad8")),
            (&[("x-amzn-trace-id", b"nonsense"), ("traceparent", W3C.as_bytes())], Some("00f067aa0ba902b7")),
            (&[("x-amzn-trace-id", b""), ("traceparent", b"\xff\xfe")], None),
        ];
        for (pairs, expected) in cases {
            let parent = TraceHeader::from_pairs(pairs.iter().copied()).and_then(|header| header.parent());
            assert_eq!(parent.map(|id| id.to_string()).as_deref(), *expected, "{pairs:?}");
        }
    }

    #[test]
    fn pairs_that_are_sent_are_read_as_the_header_they_were() {
        for text in [OURS, "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=0"] {
            let header: TraceHeader = text.parse().unwrap();
            let sent: Vec<_> = header.to_pairs().collect();
            let pairs = sent.iter().map(|(name, value)| (*name, value.as_bytes()));
            assert_eq!(TraceHeader::from_pairs(pairs), Some(header.clone()));
            assert_eq!(sent.len(), if header.parent().is_some() { 2 } else { 1 });
        }
    }
}
