//! [`TraceHeader`]: what it holds and how it is written. Reading one is `parse`'s work.

use std::fmt;
use std::sync::Arc;

use super::decision::SamplingDecision;
use crate::id::{SegmentId, TraceId};

/// X-Ray's trace header: the trace id, the calling (sub)segment, and the sampling decision.
///
/// ```
/// # use xray_sdk::{SamplingDecision, TraceHeader};
/// let text = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
/// let header: TraceHeader = text.parse()?;
/// assert_eq!(header.sampled(), SamplingDecision::Sampled);
/// assert_eq!(header.extras(), "Lineage=a:1");
/// assert_eq!(header.to_string(), text);
/// # Ok::<(), xray_sdk::header::ParseHeaderError>(())
/// ```
///
/// Reading is lenient, as senders differ: keys in any case, blanks around parts, keys and values, empty parts and
/// parts without `=` are skipped, `Self` (a load balancer's own hop) is dropped. Only `Root` is needed. Without
/// [extras](Self::extras), reading allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraceHeader {
    root: TraceId,
    parent: Option<SegmentId>,
    sampled: SamplingDecision,
    extras: Option<Extras>,
}

/// The parts of a header that are propagated unread; see [`TraceHeader::extras`].
///
/// Shared, since it goes into the header of each downstream call. Never empty, never over 256 bytes, all visible
/// ASCII: only the parser makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extras(pub(super) Arc<str>);

impl TraceHeader {
    /// Name of the HTTP field, in the lower case that HTTP/2 asks for.
    pub const NAME: &'static str = "x-amzn-trace-id";

    /// Creates a header that names a trace and nothing else.
    #[must_use]
    pub const fn new(root: TraceId) -> Self {
        Self { root, parent: None, sampled: SamplingDecision::Unknown, extras: None }
    }

    /// Sets the caller: the (sub)segment that becomes the parent of the receiver's segment.
    #[must_use]
    pub fn with_parent(mut self, parent: SegmentId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Sets the sampling decision.
    #[must_use]
    pub fn with_sampled(mut self, sampled: SamplingDecision) -> Self {
        self.sampled = sampled;
        self
    }

    /// Sets the propagated parts to those of a received header.
    #[must_use]
    pub fn with_extras(mut self, extras: Option<Extras>) -> Self {
        self.extras = extras;
        self
    }

    /// Returns the trace id.
    #[must_use]
    pub const fn root(&self) -> TraceId {
        self.root
    }

    /// Returns the id of the calling (sub)segment, if the sender named one.
    #[must_use]
    pub const fn parent(&self) -> Option<SegmentId> {
        self.parent
    }

    /// Returns the sender's sampling decision.
    #[must_use]
    pub const fn sampled(&self) -> SamplingDecision {
        self.sampled
    }

    /// Returns the parts that X-Ray's SDKs propagate unread: `key=value;key=value`, or an empty string.
    ///
    /// `Lineage`, by which Lambda stops runaway recursion, is one of them. At most 256 bytes of whole parts
    /// are kept, and only parts of visible ASCII, so that no header can be smuggled into the next request.
    #[must_use]
    pub fn extras(&self) -> &str {
        self.extras.as_ref().map_or("", |extras| &extras.0)
    }

    /// Returns the propagated parts, for [`with_extras`](Self::with_extras) without a copy.
    #[must_use]
    pub fn shared_extras(&self) -> Option<Extras> {
        self.extras.clone()
    }

    /// Returns the header for the response to a request with this header.
    ///
    /// The response names the root, and the decision if the caller asked for it with `Sampled=?`.
    #[must_use]
    pub fn to_response(&self, decision: SamplingDecision) -> Self {
        let sampled = match (self.sampled, decision.decided()) {
            (SamplingDecision::Requested, Some(_)) => decision,
            _ => SamplingDecision::Unknown,
        };
        Self::new(self.root).with_sampled(sampled)
    }
}

impl TraceHeader {
    /// Length of root, parent and decision as they are written, when all are there.
    #[doc(hidden)]
    pub const KNOWN_PARTS: usize = "Root=;Parent=;Sampled=1".len() + TraceId::LEN + SegmentId::LEN;

    /// Writes root, parent and decision, which are all that a header without [`extras`](Self::extras) has, without a
    /// formatter. Returns what was written.
    #[doc(hidden)]
    pub fn put_known_parts<'a>(&self, line: &'a mut [u8; Self::KNOWN_PARTS]) -> &'a [u8] {
        let mut len = 0;
        let mut put = |text: &[u8]| {
            line[len..len + text.len()].copy_from_slice(text);
            len += text.len();
        };
        put(b"Root=");
        put(&self.root.encode());
        if let Some(parent) = self.parent {
            put(b";Parent=");
            put(&parent.encode());
        }
        if self.sampled != SamplingDecision::Unknown {
            put(b";Sampled=");
            put(self.sampled.as_str().as_bytes());
        }
        &line[..len]
    }
}

/// Writes `Root=…;Parent=…;Sampled=…;extras`, the order of the official SDKs, without the parts that aren't known.
impl fmt::Display for TraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In one piece: that is several times as fast as one `write!` per part.
        let mut line = [0; Self::KNOWN_PARTS];
        f.write_str(std::str::from_utf8(self.put_known_parts(&mut line)).unwrap_or_default())?;
        match &self.extras {
            Some(extras) => write!(f, ";{}", extras.0),
            None => Ok(()),
        }
    }
}

/// Bound of all extras together, with their separators: what Node's SDK keeps.
pub(super) const MAX_EXTRAS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "1-66f1a2b3-0123456789abcdef01234567";

    fn header() -> TraceHeader {
        TraceHeader::new(ROOT.parse().unwrap())
    }

    #[test]
    fn absent_parts_are_left_out() {
        let parent = SegmentId::from(0x5399_5c3f_42cd_8ad8);
        assert_eq!(header().to_string(), format!("Root={ROOT}"));
        assert_eq!(header().with_parent(parent).to_string(), format!("Root={ROOT};Parent=53995c3f42cd8ad8"));
        assert_eq!(
            header().with_sampled(SamplingDecision::NotSampled).to_string(),
            format!("Root={ROOT};Sampled=0")
        );
        assert_eq!(
            header().with_sampled(SamplingDecision::Requested).to_string(),
            format!("Root={ROOT};Sampled=?")
        );
    }

    #[test]
    fn responses_tell_the_decision_only_when_asked() {
        use SamplingDecision::{NotSampled, Requested, Sampled, Unknown};
        for (asked, decided, sampled) in [
            (Requested, Sampled, ";Sampled=1"),
            (Requested, NotSampled, ";Sampled=0"),
            (Requested, Unknown, ""),
            (Unknown, Sampled, ""),
            (Sampled, Sampled, ""),
            (NotSampled, NotSampled, ""),
        ] {
            let request: TraceHeader =
                format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled={asked};Lineage=a:1").parse().unwrap();
            assert_eq!(request.to_response(decided).to_string(), format!("Root={ROOT}{sampled}"));
        }
    }
}
