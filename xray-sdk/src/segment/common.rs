//! The methods that segments and subsegments share. Each example begins with the type that it documents.

macro_rules! common {
    ($type:ident, $begin:literal) => {
        impl $type {
            /// Returns the id, which a trace header names as `Parent`.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let work = ", $begin, ";")]
            /// assert_eq!(work.id().to_string().len(), 16);
            /// ```
            #[must_use]
            pub fn id(&self) -> SegmentId {
                self.work.id
            }

            /// Sets the start. Defaults to the call of `begin`.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::{", stringify!($type), ", Timestamp}};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.start_at(Timestamp::from_micros(1_727_112_883_125_000));
            /// ```
            pub fn start_at(&mut self, start: Timestamp) {
                self.work.start = start;
            }

            /// Sets the end. Defaults to when the work is attached or emitted.
            ///
            /// An end before the start counts as the start.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::{", stringify!($type), ", Timestamp}};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.end_at(Timestamp::now());
            /// ```
            pub fn end_at(&mut self, end: Timestamp) {
                self.work.end = Some(end);
            }

            /// Ends a child, if [`Subsegment::end_at`](crate::document::Subsegment::end_at) has not, and adds it.
            ///
            /// A child that would make the document too large is emitted as a document of its own, before this one.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::{Segment, Subsegment}};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// let query = Subsegment::begin("orders@db.local");
            /// work.attach(query);
            /// ```
            pub fn attach(&mut self, child: Subsegment) {
                self.work.attach(child.work);
            }

            /// Describes an HTTP request and its response. The status sets `error`, `throttle` and `fault`.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::{", stringify!($type), ", Http}};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.set_http(&Http::request("GET", "https://shop.example/cart").status(200));
            /// ```
            pub fn set_http(&mut self, http: &Http<'_>) {
                http.put(&mut self.work.body, Self::IS_SEGMENT);
            }

            /// Adds a member of the `aws` object: `operation`, `region`, `table_name`.
            ///
            /// A value that does not serialize is left out and counted in the document.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.set_aws("operation", &"GetItem");
            /// work.set_aws("retries", &2);
            /// ```
            pub fn set_aws(&mut self, key: &str, value: &impl Serialize) {
                let mut ready = $crate::json::Buffer::new();
                let key = $crate::document::internal::Key::escaped(&mut ready, key);
                self.work.body.put_serialized(Section::Aws, key, value);
            }

            /// Adds an annotation: a value that X-Ray indexes.
            ///
            /// A key consists of letters, digits, `_` and `.`; any other character becomes `_`. A string is truncated
            /// at [`MAX_ANNOTATION_VALUE`](crate::document::MAX_ANNOTATION_VALUE) characters. Annotations above
            /// [`MAX_ANNOTATIONS`](crate::document::MAX_ANNOTATIONS) become metadata.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.annotate("tenant", "blue");
            /// work.annotate("items", 3);
            /// ```
            pub fn annotate<'a>(&mut self, key: &str, value: impl Into<AnnotationValue<'a>>) {
                self.work.body.annotate(key, &value.into());
            }

            /// Adds metadata: any value that serializes. X-Ray stores it without an index.
            ///
            /// An empty namespace is `default`. A value of more than
            /// [`MAX_VALUE`](crate::document::MAX_VALUE) bytes is left out and counted in the document.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.add_metadata("cart", "items", &["tea", "cup"]);
            /// ```
            pub fn add_metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
                self.work.body.metadata(namespace, key, value);
            }

            /// Adds an exception, and marks the work as failed.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::{", stringify!($type), ", Exception}};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.add_exception(&Exception::new("OutOfStock", "no tea left"));
            /// ```
            pub fn add_exception(&mut self, exception: &Exception<'_>) {
                self.work.body.add_exception(exception);
            }

            /// Adds an error and its chain of sources, one exception each, and marks the work as failed.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// if let Err(error) = "seven".parse::<u32>() {
            ///     work.add_error(&error);
            /// }
            /// ```
            pub fn add_error(&mut self, error: &(dyn std::error::Error + 'static)) {
                self.work.body.add_error(error, $crate::document::internal::Stack::none());
            }

            /// Marks a client error: a 4xx of the caller.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.set_error();
            /// ```
            pub fn set_error(&mut self) {
                self.work.body.set_error();
            }

            /// Marks a throttled call, which is an error as well.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.set_throttle();
            /// ```
            pub fn set_throttle(&mut self) {
                self.work.body.set_throttle();
            }

            /// Marks a server fault: a 5xx of the service that did the work.
            ///
            /// ```
            #[doc = concat!("# use xray_sdk::{TraceId, document::", stringify!($type), "};")]
            #[doc = concat!("let mut work = ", $begin, ";")]
            /// work.set_fault();
            /// ```
            pub fn set_fault(&mut self) {
                self.work.body.set_fault();
            }
        }
    };
}

pub(super) use common;
