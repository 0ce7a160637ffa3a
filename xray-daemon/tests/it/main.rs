//! The daemon from outside: its arguments, its sockets, and an endpoint on loopback.
