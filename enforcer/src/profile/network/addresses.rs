//! Addresses and ports, as rules write them.

use std::net::IpAddr;

use enforcer_abi::endpoint::{V4, V6};

use super::NetworkFault;
use crate::profile::Escaped;

/// A range of addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::profile) struct Addresses {
    /// The first.
    pub(in crate::profile) first: IpAddr,
    /// How many bits they have in common.
    pub(in crate::profile) prefix: u8,
}

impl Addresses {
    /// Reads `10.0.0.1`, `10.0.0.0/8`, `::1`, `2001:db8::/32`. IPv4 addresses in the form of
    /// IPv6 are IPv4's: that is how they are judged.
    ///
    /// # Errors
    ///
    /// If it is none, or has bits behind its prefix.
    pub(in crate::profile) fn parse(text: &str) -> Result<Self, NetworkFault> {
        let invalid = || NetworkFault::InvalidAddress {
            text: Escaped(text.as_bytes()).to_string(),
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_error| invalid())?;
        let most = bits(written);
        let prefix = match prefix {
            None => most,
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => prefix
                .parse()
                .ok()
                .filter(|&prefix| prefix <= most)
                .ok_or_else(invalid)?,
            Some(_) => return Err(invalid()),
        };
        let [first, _] = ends(written, prefix);
        if first != written {
            return Err(NetworkFault::BitsBehindPrefix {
                text: text.to_owned(),
                network: format!("{first}/{prefix}"),
            });
        }
        let mapped = match first {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().zip(prefix.checked_sub(96)),
            IpAddr::V4(_) => None,
        };
        Ok(match mapped {
            Some((v4, prefix)) => Self {
                first: v4.into(),
                prefix,
            },
            None => Self { first, prefix },
        })
    }

    fn family(self) -> u16 {
        match self.first {
            IpAddr::V4(_) => V4,
            IpAddr::V6(_) => V6,
        }
    }

    /// Whether they are addresses of this family.
    pub(in crate::profile) fn is_of(self, family: u8) -> bool {
        self.family() == u16::from(family)
    }
}

fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The first and the last of the addresses that begin with the first `prefix` bits of this
/// one.
pub(super) fn ends(address: IpAddr, prefix: u8) -> [IpAddr; 2] {
    let behind = u32::from(bits(address) - prefix);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
            let number = u32::from(v4);
            [number & mask, number | !mask].map(|number| IpAddr::V4(number.into()))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
            let number = u128::from(v6);
            [number & mask, number | !mask].map(|number| IpAddr::V6(number.into()))
        }
    }
}

/// Reads `443` or `8000-8999`, ends included.
///
/// # Errors
///
/// If it is neither.
pub(crate) fn ports(text: &str) -> Result<[u16; 2], NetworkFault> {
    let read = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (read(first.trim_end()), read(last.trim_start())) {
        (Some(first), Some(last)) if first <= last => Ok([first, last]),
        _ => Err(NetworkFault::InvalidPort {
            text: Escaped(text.as_bytes()).to_string(),
        }),
    }
}
