//! What of a network an access is about, as people write it: `tcp:10.0.0.1:443`, and of a
//! socket alone `ipv4/tcp`, `netlink/route` or `packet`.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use enforcer_abi::endpoint::{HEAD_LEN, PORT_LEN, PREFIX, V4, V4_LEN, V6, V6_LEN};

use super::network::{FAMILIES, PROTOCOLS, WITH_PORTS, named, number, protocols};

/// What of a network an access is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkObject {
    family: u8,
    protocol: u8,
    /// Address and port; none: the socket alone.
    at: Option<SocketAddr>,
}

/// A text that names nothing of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write PROTOCOL:ADDRESS:PORT, as tcp:10.0.0.1:443 or udp:[::1]:53, or FAMILY/PROTOCOL")]
pub struct NotOnNetworks;

impl NetworkObject {
    /// An address, as of a socket with this protocol.
    pub fn at(protocol: u8, at: SocketAddr) -> Self {
        // As the kernel programs judge it.
        let at = SocketAddr::new(at.ip().to_canonical(), at.port());
        let family = if at.is_ipv4() { V4 } else { V6 };
        Self {
            family: family.to_le_bytes()[0],
            protocol,
            at: Some(at),
        }
    }

    /// Its family, as rules name it.
    pub fn family(self) -> String {
        named(&FAMILIES, self.family)
    }

    /// Its protocol, as rules name it; none where its family has none.
    pub fn protocol(self) -> Option<String> {
        let of_family = protocols(self.family);
        (!of_family.is_empty()).then(|| named(of_family, self.protocol))
    }

    /// Address and port; none: the socket alone.
    pub fn address(self) -> Option<SocketAddr> {
        self.at
    }

    /// Whether its protocol has ports.
    pub fn has_ports(self) -> bool {
        WITH_PORTS.contains(&self.protocol)
    }

    /// The name by which tables judge it ([`enforcer_abi::endpoint`]).
    pub fn name(self) -> Vec<u8> {
        let Self {
            family,
            protocol,
            at,
        } = self;
        let head = format!("{}{family:02x}{protocol:02x}", char::from(PREFIX));
        let (address, port) = match at.map(|at| (at.ip(), at.port())) {
            Some((IpAddr::V4(v4), port)) => (format!("{:0V4_LEN$x}", u32::from(v4)), port),
            Some((IpAddr::V6(v6), port)) => (format!("{:0V6_LEN$x}", u128::from(v6)), port),
            None => return head.into_bytes(),
        };
        format!("{head}{address}{port:0PORT_LEN$x}").into_bytes()
    }

    /// What has this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let text = str::from_utf8(name).ok()?;
        let digits = text.strip_prefix(char::from(PREFIX))?;
        let (head, rest) = digits.split_at_checked(HEAD_LEN - 1)?;
        let (family, protocol) = head.split_at_checked(2)?;
        let [family, protocol] = [family, protocol].map(|text| u8::from_str_radix(text, 16));
        let (family, protocol) = (family.ok()?, protocol.ok()?);
        let at = match rest.len().checked_sub(PORT_LEN) {
            None if rest.is_empty() => None,
            Some(len) => {
                let (address, port) = rest.split_at_checked(len)?;
                let ip: IpAddr = match len {
                    V4_LEN => Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?).into(),
                    V6_LEN => Ipv6Addr::from(u128::from_str_radix(address, 16).ok()?).into(),
                    _ => return None,
                };
                Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
            }
            None => return None,
        };
        Some(Self {
            family,
            protocol,
            at,
        })
    }
}

impl fmt::Display for NetworkObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            protocol,
            at,
        } = *self;
        let of_family = protocols(family);
        match at {
            Some(at) => write!(f, "{}:{at}", named(of_family, protocol)),
            None if of_family.is_empty() => f.write_str(&named(&FAMILIES, family)),
            None => write!(
                f,
                "{}/{}",
                named(&FAMILIES, family),
                named(of_family, protocol)
            ),
        }
    }
}

impl FromStr for NetworkObject {
    type Err = NotOnNetworks;

    fn from_str(text: &str) -> Result<Self, NotOnNetworks> {
        let known = |table, name: &str| number(table, name).or_else(|| name.parse().ok());
        if let Some((protocol, at)) = text.split_once(':') {
            let protocol = known(&PROTOCOLS, protocol).ok_or(NotOnNetworks)?;
            let at = at.parse().map_err(|_error| NotOnNetworks)?;
            return Ok(Self::at(protocol, at));
        }
        let (family, protocol) = match text.split_once('/') {
            Some((family, protocol)) => (family, Some(protocol)),
            None => (text, None),
        };
        let family = known(&FAMILIES, family).ok_or(NotOnNetworks)?;
        let protocol = match (protocols(family), protocol) {
            ([], None) => 0,
            ([_, ..], Some(protocol)) => known(protocols(family), protocol).ok_or(NotOnNetworks)?,
            _ => return Err(NotOnNetworks),
        };
        Ok(Self {
            family,
            protocol,
            at: None,
        })
    }
}

/// An object as people write it: a path as it is, something of a network in words.
pub fn object_text(name: &[u8]) -> Cow<'_, [u8]> {
    match NetworkObject::from_name(name) {
        Some(object) => object.to_string().into_bytes().into(),
        None => name.into(),
    }
}

/// The name by which tables judge an object that [`object_text`] wrote.
pub fn object_name(text: &[u8]) -> Cow<'_, [u8]> {
    if text.starts_with(b"/") {
        return text.into();
    }
    let object = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    object.map_or(text.into(), |object: NetworkObject| object.name().into())
}

#[cfg(test)]
mod tests {
    use super::{NetworkObject, object_name, object_text};

    #[test]
    fn names_and_texts() {
        #[rustfmt::skip]
        let cases = [
            ("tcp:127.0.0.1:80",        "@02067f0000010050"),
            ("udp:[2001:db8::1]:53",    "@0a1120010db80000000000000000000000010035"),
            ("sctp:0.0.0.0:0",          "@0284000000000000"),
            ("raw:10.0.0.1:0",          "@02ff0a0000010000"),
            ("47:10.0.0.1:0",           "@022f0a0000010000"),
            ("ipv4/tcp",                "@0206"),
            ("ipv6/udp",                "@0a11"),
            ("netlink/route",           "@1000"),
            ("netlink/99",              "@1063"),
            ("packet",                  "@1100"),
            ("99",                      "@6300"),
        ];
        for (text, name) in cases {
            let object: NetworkObject = text.parse().unwrap();
            assert_eq!(String::from_utf8(object.name()).unwrap(), name, "{text}");
            assert_eq!(
                NetworkObject::from_name(name.as_bytes()),
                Some(object),
                "{text}"
            );
            assert_eq!(object_text(name.as_bytes()), text.as_bytes(), "{text}");
            assert_eq!(object_name(text.as_bytes()), name.as_bytes(), "{text}");
        }
    }

    #[test]
    fn ipv4_in_the_form_of_ipv6_is_ipv4() {
        let object: NetworkObject = "tcp:[::ffff:10.0.0.1]:80".parse().unwrap();
        assert_eq!(object.to_string(), "tcp:10.0.0.1:80");
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "tcp",
            "tcp:",
            "tcp:10.0.0.1",
            "tcp:host:80",
            "ftp:10.0.0.1:1",
            "packet/1",
            "netlink",
            "unix",
        ] {
            assert!(text.parse::<NetworkObject>().is_err(), "{text}");
        }
        for name in [
            "",
            "@",
            "@02",
            "@0206x",
            "@020600",
            "/0206",
            "@02067f00000100500",
            "@zz00",
        ] {
            assert_eq!(NetworkObject::from_name(name.as_bytes()), None, "{name}");
        }
        for path in ["/a", "", "@odd"] {
            assert_eq!(object_text(path.as_bytes()), path.as_bytes());
            assert_eq!(object_name(path.as_bytes()), path.as_bytes());
        }
    }
}
