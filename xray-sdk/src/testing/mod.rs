//! Doubles for tests of code that records traces.
//!
//! [`MemoryEmitter`] keeps what would go to the daemon, checked by X-Ray's rules and put together into traces. No
//! socket and no thread takes part, so a test reads its own traces as soon as its spans are closed.
//!
//! ```
//! use xray_sdk::TraceId;
//! use xray_sdk::document::Segment;
//! use xray_sdk::testing::MemoryEmitter;
//!
//! let emitter = MemoryEmitter::new();
//! Segment::begin("shop", TraceId::new()).emit(&emitter)?;
//!
//! let received = emitter.received();
//! assert_eq!(received.problems(), Vec::<String>::new());
//! assert_eq!(received.documents()[0].name(), "shop");
//! # Ok::<(), xray_sdk::EmitError>(())
//! ```

#[cfg(feature = "testing")]
mod memory_emitter;

#[doc(hidden)]
pub mod server;

#[cfg(feature = "testing")]
pub use memory_emitter::MemoryEmitter;
