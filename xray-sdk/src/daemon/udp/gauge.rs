//! [`Gauge`]: how full the receiver's buffer is, as the kernel says of a receiver on the same machine.
//!
//! UDP has no way back from a receiver that is slow. On loopback both ends belong to one kernel, which describes any of its
//! sockets by netlink (`sock_diag`), also to programs without privileges. A question is two system calls, and takes as
//! long as sending a few documents. Linux only, and not where a sandbox forbids it: then there is no gauge.
//!
//! ```text
//!  question  nlmsghdr 16 bytes │ inet_diag_req_v2 56 bytes: UDP, both addresses, "memory"
//!  reply     nlmsghdr 16 bytes │ inet_diag_msg 72 bytes │ attributes, among them INET_DIAG_SKMEMINFO: used, size, …
//! ```

use std::net::{IpAddr, SocketAddr};

use super::payload::Level;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use self::netlink::Gauge;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use self::none::Gauge;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod netlink {
    use std::io::{Read, Write};
    use std::net::SocketAddr;

    use socket2::{Domain, Protocol, Socket, Type};

    use super::{Level, level, question};

    pub(in super::super) struct Gauge {
        socket: Socket,
        question: Vec<u8>,
    }

    impl Gauge {
        /// A gauge of the socket that receives what is sent from `local` to `peer`, if that is on this machine for sure.
        pub(in super::super) fn new(local: SocketAddr, peer: SocketAddr) -> Option<Self> {
            // A socket found by another address could belong to another network namespace than the receiver.
            if !peer.ip().is_loopback() {
                return None;
            }
            let (domain, protocol) = (Domain::from(AF_NETLINK), Protocol::from(NETLINK_SOCK_DIAG));
            let socket = Socket::new(domain, Type::DGRAM, Some(protocol)).ok()?;
            socket.set_nonblocking(true).ok()?;
            Some(Self { socket, question: question(local, peer) })
        }

        /// Returns how full the receiver's buffer is; `None` while nothing listens.
        pub(in super::super) fn read(&self) -> Option<Level> {
            let mut reply = [0; 1024];
            // The kernel replies before `write` returns.
            (&self.socket).write_all(&self.question).ok()?;
            let length = (&self.socket).read(&mut reply).ok()?;
            level(reply.get(..length)?)
        }
    }

    const AF_NETLINK: i32 = 16;
    const NETLINK_SOCK_DIAG: i32 = 4;
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod none {
    use std::net::SocketAddr;

    use super::Level;

    /// Never made.
    pub(in super::super) enum Gauge {}

    impl Gauge {
        pub(in super::super) fn new(_: SocketAddr, _: SocketAddr) -> Option<Self> {
            None
        }

        pub(in super::super) fn read(&self) -> Option<Level> {
            match *self {}
        }
    }
}

/// Returns the question for the one socket that receives what is sent from `local` to `peer` (`linux/inet_diag.h`).
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "asked on Linux only"))]
fn question(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let family = if peer.is_ipv4() { AF_INET } else { AF_INET6 };
    let wanted = 1 << (INET_DIAG_SKMEMINFO - 1);
    let length = (HEADER + 56) as u32;
    let mut bytes = Vec::with_capacity(HEADER + 56);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(NLM_F_REQUEST.to_ne_bytes());
    // Two numbers that the kernel only sends back.
    bytes.extend([0; 8]);
    bytes.extend([family, IPPROTO_UDP, wanted, 0]);
    // In any state.
    bytes.extend([0xff; 4]);
    bytes.extend(local.port().to_be_bytes());
    bytes.extend(peer.port().to_be_bytes());
    for address in [local.ip(), peer.ip()] {
        match address {
            IpAddr::V4(address) => bytes.extend(address.octets().into_iter().chain([0; 12])),
            IpAddr::V6(address) => bytes.extend(address.octets()),
        }
    }
    // On any interface, with any cookie.
    bytes.extend([0; 4]);
    bytes.extend([0xff; 8]);
    bytes
}

/// Reads a reply. `None` for an error, which is a message of another type, and for anything that is too short.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "asked on Linux only"))]
fn level(reply: &[u8]) -> Option<Level> {
    let number = |bytes: &[u8], at: usize| Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    if number(reply, 4)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut attributes = reply.get(HEADER + 72..)?;
    loop {
        let (length, kind) = (usize::from(number(attributes, 0)?), number(attributes, 2)?);
        if kind == u16::from(INET_DIAG_SKMEMINFO) {
            let word = |at: usize| Some(u32::from_ne_bytes(*attributes.get(at..length)?.first_chunk()?));
            return Some(Level { used: word(4)? as usize, size: word(8)? as usize });
        }
        // Each begins at a multiple of four bytes, and none is shorter than that.
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
}

/// Bytes of `nlmsghdr`.
const HEADER: usize = 16;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const INET_DIAG_SKMEMINFO: u8 = 7;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_UDP: u8 = 17;

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the daemon's end")]
    fn the_level_is_the_receivers_over_ipv4_and_ipv6() {
        use std::net::UdpSocket;

        for (bind, loopback) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("0.0.0.0:0", "127.0.0.1"),
            ("[::]:0", "127.0.0.1"),
            ("[::]:0", "::1"),
        ] {
            let Ok(receiver) = UdpSocket::bind(bind) else { continue };
            let peer = SocketAddr::new(loopback.parse().unwrap(), receiver.local_addr().unwrap().port());
            let sender = UdpSocket::bind((peer.ip(), 0)).unwrap();
            sender.connect(peer).unwrap();
            let gauge = Gauge::new(sender.local_addr().unwrap(), peer).unwrap();
            let empty = gauge.read().unwrap();
            assert!(empty.used == 0 && empty.size > 0, "{bind}, {loopback}: {empty:?}");
            for _ in 0..10 {
                sender.send(&[0; 1_000]).unwrap();
            }
            let filled = gauge.read().unwrap();
            assert!(filled.used > 10_000 && filled.size == empty.size, "{bind}, {loopback}: {filled:?}");
            drop(receiver);
            assert_eq!(gauge.read(), None, "nothing listens");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_receiver_elsewhere_has_no_gauge() {
        let local = "192.0.2.1:40000".parse().unwrap();
        assert!(Gauge::new(local, "192.0.2.7:2000".parse().unwrap()).is_none());
    }

    #[test]
    fn the_memory_is_found_among_the_attributes_and_other_replies_are_none() {
        let reply = |kind: u16, attributes: &[u8]| {
            let mut reply = vec![0; HEADER + 72];
            reply[4..6].copy_from_slice(&kind.to_ne_bytes());
            reply.extend(attributes);
            reply
        };
        let attribute = |kind: u16, words: &[u32]| {
            let mut bytes = ((4 + 4 * words.len()) as u16).to_ne_bytes().to_vec();
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
            bytes
        };
        let memory = attribute(7, &[700, 212_992, 0, 212_992]);
        // One byte, and three up to the next attribute.
        let byte = [&5_u16.to_ne_bytes()[..], &8_u16.to_ne_bytes(), &[0; 4]].concat();
        let both = reply(20, &[&byte[..], &memory].concat());
        assert_eq!(level(&both), Some(Level { used: 700, size: 212_992 }));
        assert_eq!(level(&reply(2, &memory)), None, "an error");
        assert_eq!(level(&reply(20, &byte)), None, "no memory");
        assert_eq!(level(&reply(20, &[0; 64])), None, "attributes without a length");
        assert_eq!(level(&reply(20, &attribute(7, &[1]))), None, "one word");
        for length in 0..both.len() - 8 {
            assert_eq!(level(&both[..length]), None, "{length} bytes");
        }
    }
}
