//! The kernel's count of datagrams that a socket's full buffer cost.
//!
//! Linux keeps the count for each socket in the last column of `/proc/net/udp` and `/proc/net/udp6`, where a socket
//! goes by its inode. Other systems keep one for all sockets, or none. [`ReceiveSocket`](super::ReceiveSocket) calls
//! this.

use std::net::UdpSocket;

/// The socket's inode, as `/proc/self/fd` has it.
#[cfg(target_os = "linux")]
pub(super) fn inode(socket: &UdpSocket) -> Option<u64> {
    use std::os::fd::AsRawFd;

    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn inode(_: &UdpSocket) -> Option<u64> {
    None
}

/// The drops of the socket with this inode, if the table of its address family can be read and has it.
pub(super) fn drops(inode: u64, ipv6: bool) -> Option<u64> {
    let table = if ipv6 { "/proc/net/udp6" } else { "/proc/net/udp" };
    drops_in(&std::fs::read_to_string(table).ok()?, inode)
}

fn drops_in(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let found = columns.nth(INODE)?.parse() == Ok(inode);
        found.then(|| columns.nth(DROPS - INODE - 1)?.parse().ok()).flatten()
    })
}

/// Columns by number. The table's head has more words than its lines have columns: `tx_queue rx_queue` and
/// `tr tm->when` are one column each.
const INODE: usize = 9;
const DROPS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             
  303: 0100007F:07D0 00000000:0000 07 00000000:00033FC0 00:00000000 00000000   998        0 41872 2 0000000000000000 1234
 2310: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 17 2 0000000000000000 0
";

    #[test]
    fn the_drops_are_those_of_the_line_with_the_inode() {
        assert_eq!(drops_in(TABLE, 41_872), Some(1_234));
        assert_eq!(drops_in(TABLE, 17), Some(0));
    }

    #[test]
    fn an_inode_that_is_not_there_and_a_table_of_another_form_are_not_known() {
        assert_eq!(drops_in(TABLE, 4_187), None);
        assert_eq!(drops_in("", 17), None);
        assert_eq!(drops_in("head\n1 2 3 4 5 6 7 8 9 17\n", 17), None);
    }
}
