//! Who calls and what is allowed: signatures, identities, policies, sessions, and checks of `Host` and `Origin`.
//!
//! Called by [`api`](crate::api) for each request, and by the commands `identity` and `policy test`.
