//! [`Work`]: what segments and subsegments have in common, thin owners of the same [`Body`] and [`Children`] that the layer
//! fills; [`Frame`] writes both.

use crate::daemon::{EmitError, Emitter, Packet};
use crate::document::internal::{Body, Children, Frame, Kind, ReadyPlace, insert_independent_head, put_name};
use crate::document::{MAX_DOCUMENT, Timestamp};
use crate::id::{SegmentId, TraceId};
use crate::json::Buffer;

#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) id: SegmentId,
    pub(super) name: Buffer,
    pub(super) start: Timestamp,
    pub(super) end: Option<Timestamp>,
    pub(super) body: Body,
    pub(super) children: Children,
    /// Embedded documents that found no room in `children`, each with the id of its parent.
    pub(super) leavers: Vec<(SegmentId, Buffer)>,
}

impl Work {
    pub(super) fn begin(name: &str) -> Self {
        let mut sanitized = Buffer::new();
        put_name(&mut sanitized, name);
        Self {
            id: SegmentId::random(),
            name: sanitized,
            start: Timestamp::now(),
            end: None,
            body: Body::new(),
            children: Children::new(),
            leavers: Vec::new(),
        }
    }

    pub(super) fn end_now(&mut self) {
        self.end.get_or_insert_with(Timestamp::now);
    }

    fn frame<'a>(&'a self, kind: Kind<'a>) -> Frame<'a> {
        Frame {
            kind,
            id: self.id,
            name: self.name.as_str(),
            start: self.start.as_micros(),
            end: self.end.map(Timestamp::as_micros),
            body: &self.body,
            children: &self.children,
        }
    }

    pub(super) fn attach(&mut self, mut child: Self) {
        child.end_now();
        self.leavers.append(&mut child.leavers);
        let frame = child.frame(Kind::EMBEDDED);
        if self.children.has_room(frame.size_bound(), child.children.height()) {
            frame.fold_into(&mut self.children);
        } else {
            let mut document = Buffer::new();
            child.children.shrink_to(
                MAX_DOCUMENT.saturating_sub(child.body.size_bound() + 2_000),
                |leaver, _| {
                    let mut document = Buffer::new();
                    document.put_bytes(leaver);
                    self.leavers.push((child.id, document));
                },
            );
            child.frame(Kind::EMBEDDED).put(&mut document);
            self.leavers.push((self.id, document));
        }
    }

    pub(super) fn emit(
        &mut self,
        kind: Kind<'_>,
        trace_id: TraceId,
        emitter: &(impl Emitter + ?Sized),
    ) -> Result<(), EmitError> {
        let mut packet = Packet::new();
        let mut result = Ok(());
        let mut send = |parent_id, document: &[u8], result: &mut Result<(), EmitError>| {
            let place = ReadyPlace::new(trace_id, parent_id);
            insert_independent_head(packet.start_document(), document, &place);
            let sent = emitter.emit(&packet);
            *result = result.and(sent);
        };
        for (parent_id, document) in &self.leavers {
            send(*parent_id, document.as_bytes(), &mut result);
        }
        let own = self.frame(kind).size_bound() - self.children.bytes().len();
        self.children
            .shrink_to(MAX_DOCUMENT.saturating_sub(own), |leaver, _| send(self.id, leaver, &mut result));
        self.frame(kind).put(packet.start_document());
        let own = emitter.emit(&packet);
        result.and(own)
    }
}
