//! Networks as `IpAddress` has them: an address, or an address with the length of its prefix.
//!
//! IPv4 and IPv6 never match each other, but for IPv4 addresses that are written as IPv6.

use std::net::IpAddr;

/// A network, IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let error = || format!("\"{source}\" is not an address or network such as \"203.0.113.0/24\"");
        let (address, prefix) = match source.split_once('/') {
            None => (source, None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(error)?,
        };
        Ok(Self { address, prefix })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                leading(u128::from(network.to_bits()) << 96, self.prefix)
                    == leading(u128::from(address.to_bits()) << 96, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                leading(network.to_bits(), self.prefix) == leading(address.to_bits(), self.prefix)
            }
            _ => false,
        }
    }
}

fn leading(bits: u128, prefix: u32) -> u128 {
    if prefix == 0 { 0 } else { bits >> (128 - prefix) }
}
