//! The operations of the X-Ray API and the two TCP doors that serve them.
//!
//! Port 2001 is X-Ray, with the caller's own signature and policies. Port 2000 is the daemon, which acts as the
//! identity `daemon`.
