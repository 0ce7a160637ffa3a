//! The methods that segments and subsegments share.

macro_rules! common {
    ($type:ty) => {
        impl $type {
            /// Its id, which a header names as `Parent`.
            #[must_use]
            pub fn id(&self) -> SegmentId {
                self.work.id
            }

            /// Moves its start.
            pub fn start_at(&mut self, start: Timestamp) {
                self.work.start = start;
            }

            /// Ends it at a certain time. Defaults to when it is attached or emitted. An end before the start
            /// is taken for the start.
            pub fn end_at(&mut self, end: Timestamp) {
                self.work.end = Some(end);
            }

            /// Adds a finished part. One that would make the document too large leaves by itself when the
            /// segment is emitted.
            pub fn attach(&mut self, child: Subsegment) {
                self.work.attach(child.work);
            }

            /// Describes the request and its response.
            pub fn set_http(&mut self, http: &Http<'_>) {
                http.put(&mut self.work.body);
            }

            /// Adds a member of the `aws` object: `operation`, `region`, `table_name`. A value that does not
            /// serialize is left out and counted in the document.
            pub fn set_aws(&mut self, key: &str, value: &impl Serialize) {
                let mut ready = $crate::json::Buffer::new();
                ready.put_string(key);
                ready.put(":");
                self.work.body.put_serialized(Section::Aws, ready.as_str(), value);
            }

            /// Adds a value that X-Ray indexes. Keys are letters, digits, `_` and `.`; others are mended.
            pub fn annotate<'a>(&mut self, key: &str, value: impl Into<AnnotationValue<'a>>) {
                self.work.body.annotate(key, &value.into());
            }

            /// Adds any value that serializes, which X-Ray keeps but does not index. An empty namespace is
            /// `default`.
            pub fn metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
                self.work.body.metadata(namespace, key, value);
            }

            /// Adds an exception; the work counts as failed.
            pub fn add_exception(&mut self, exception: &Exception<'_>) {
                self.work.body.add_exception(exception);
            }

            /// Adds an error with its chain of sources; the work counts as failed.
            pub fn add_error(&mut self, error: &(dyn std::error::Error + 'static)) {
                self.work.body.add_error(error, $crate::document::internal::Stack::none());
            }

            /// Outcome a client error.
            pub fn set_error(&mut self) {
                self.work.body.set_error();
            }

            /// Outcome a throttled call.
            pub fn set_throttle(&mut self) {
                self.work.body.set_throttle();
            }

            /// Outcome a server fault.
            pub fn set_fault(&mut self) {
                self.work.body.set_fault();
            }
        }
    };
}

pub(super) use common;
