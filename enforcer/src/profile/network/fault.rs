//! What can be wrong with a rule on networks.

use std::fmt;

use crate::profile::Origin;

/// What can be wrong with a rule on networks.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", prefix = "network-")]
#[non_exhaustive]
pub enum NetworkFault {
    /// There is no such family.
    #[error("unknown family `{name}`; {}", did_you_mean(suggestion))]
    UnknownFamily {
        /// What was written.
        name: String,
        /// What may have been meant, or what there is.
        suggestion: Suggestion,
    },
    /// Addresses of unix sockets are paths.
    #[error("unix sockets are files; grant `connect` or `create` on their paths, in `paths`")]
    Unix,
    /// There is no such protocol in that family.
    #[error("unknown protocol `{name}`; {}", did_you_mean(suggestion))]
    UnknownProtocol {
        /// What was written.
        name: String,
        /// What may have been meant, or what there is.
        suggestion: Suggestion,
    },
    /// The family is not told apart by protocols.
    #[error("`protocol` is for ipv4, ipv6 and netlink; leave it out for {family}")]
    NoProtocols {
        /// The family.
        family: &'static str,
    },
    /// Families with different protocols.
    #[error("netlink has protocols of its own; write a rule for it alone")]
    MixedFamilies,
    /// The family has no addresses that a rule could name.
    #[error(
        "`address` and `port` are for ipv4 and ipv6; for {family} a rule grants `create` of all"
    )]
    NoAddresses {
        /// The family.
        family: &'static str,
    },
    /// It is no address, nor a range of them.
    #[error(
        "`{text}` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name"
    )]
    InvalidAddress {
        /// What was written.
        text: String,
    },
    /// A value of a variable is no address, nor a range of them.
    #[error("the variable `{name}`{} is not one of addresses: {fault}", At(place.as_ref()))]
    NotOfAddresses {
        /// The variable.
        name: String,
        /// Where the value stands, if a file has it.
        place: Option<Origin>,
        /// What is wrong with it.
        fault: Box<NetworkFault>,
    },
    /// A variable is only a part of it.
    #[error(
        "a variable stands for whole addresses; write `${{name}}` alone, and what is around it in its value"
    )]
    PartOfAddress,
    /// Bits behind the prefix are set.
    #[error("`{text}` has bits behind its prefix; did you mean `{network}`?")]
    BitsBehindPrefix {
        /// What was written.
        text: String,
        /// Without them.
        network: String,
    },
    /// An address of a family that the rule is not about.
    #[error(
        "`{text}` is no address of {family}, which the rule is about; write a rule for it alone"
    )]
    OtherFamily {
        /// What was written.
        text: String,
        /// The family.
        family: &'static str,
    },
    /// It is no port, nor a range of them.
    #[error("`{text}` is no port; write a number up to 65535, or two with a `-` between them")]
    InvalidPort {
        /// What was written.
        text: String,
    },
    /// Protocols without ports.
    #[error("`port` is for tcp, udp, sctp, dccp and udplite; name one of them as `protocol`")]
    NoPorts,
    /// A list of nothing.
    #[error("the list names nothing; leave the key out to mean all")]
    Nothing,
    /// The right is none on networks.
    #[error("`{name}` is no right on networks; they are create, connect and bind")]
    NotOnNetworks {
        /// The right.
        name: &'static str,
    },
    /// The right takes an address, and the family has none.
    #[error("`{name}` is for ipv4 and ipv6; for {family} a rule grants `create`")]
    OnlyCreate {
        /// The right.
        name: &'static str,
        /// The family.
        family: &'static str,
    },
    /// A socket is made before it has an address.
    #[error("a socket is made before it has an address; deny `create` in a rule without one")]
    CreateOfAddress,
}

/// What may have been meant, or if nothing is like it what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// This.
    Nearest(&'static str),
    /// One of these.
    All(Vec<&'static str>),
}

/// The place of a value.
struct At<'a>(Option<&'a Origin>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |place| write!(f, " at {place}"))
    }
}

fn did_you_mean(suggestion: &Suggestion) -> String {
    match suggestion {
        Suggestion::Nearest(name) => format!("did you mean `{name}`?"),
        Suggestion::All(names) => format!("expected one of {}", names.join(", ")),
    }
}
