//! Rules on networks, and what rules say of who owns and of what is told.

use enforcer_abi::{Access, table::Words as _};

use super::refuse;
use crate::profile::{Owner, Profile, compile, explain, object_name};

const NAMES: &str = "p.yaml:3:";

#[test]
fn refuse_networks() {
    #[rustfmt::skip]
    let cases = [
        ("nothing wrong",       "network: [{ allow: [create, connect, bind] }, { family: netlink, protocol: [route, 9], allow: [create] }, { family: [packet, can], deny: [all] }, { protocol: tcp, port: [1, \"5-7\"], address: [10.0.0.0/8, \"::1\"], deny: [all], quiet: true }]\n", ""),
        ("unknown key",         "network: [{ prot: tcp, allow: [bind] }]\n", "p.yaml:3:13: unknown key `prot`; did you mean `port`?"),
        ("neither",             "network: [{ protocol: tcp }]\n",     "p.yaml:3:11: a rule has either `allow` or `deny`"),
        ("both",                "network: [{ allow: [bind], deny: [bind] }]\n", "p.yaml:3:11: a rule has either `allow` or `deny`"),
        ("allows all",          "network: [{ allow: [all] }]\n",      "p.yaml:3:21: `all` can only be denied; name the rights to allow"),
        ("allows nothing",      "network: [{ allow: [] }]\n",         "p.yaml:3:20: the list is empty, so the rule says nothing; remove the rule"),
        ("misspelt right",      "network: [{ allow: [conect] }]\n",   "p.yaml:3:21: unknown access `conect`; did you mean `connect`?"),
        ("unknown right",       "network: [{ allow: [frobnicate] }]\n", "p.yaml:3:21: unknown access `frobnicate`; expected one of create, connect, bind"),
        ("right on paths",      "network: [{ allow: [read] }]\n",     "p.yaml:3:21: `read` is no right on networks; they are create, connect and bind"),
        ("right on networks",   "paths: [{ path: /x, allow: [bind] }]\n", "p.yaml:3:29: `bind` is for addresses, in `network`; a unix socket is made by `create`"),
        ("misspelt family",     "network: [{ family: ipv5, allow: [bind] }]\n", "p.yaml:3:21: unknown family `ipv5`; did you mean `ipv4`?"),
        ("unix",                "network: [{ family: [ipv4, unix], allow: [bind] }]\n", "p.yaml:3:28: unix sockets are files; grant `connect` or `create` on their paths, in `paths`"),
        ("misspelt protocol",   "network: [{ protocol: tpc, allow: [bind] }]\n", "p.yaml:3:23: unknown protocol `tpc`; did you mean `tcp`?"),
        ("unknown protocol",    "network: [{ protocol: [tcp, frobnicate], allow: [bind] }]\n", "p.yaml:3:29: unknown protocol `frobnicate`; expected one of tcp, udp, icmp, icmpv6, sctp, dccp, udplite, l2tp, raw"),
        ("protocol of netlink", "network: [{ family: netlink, protocol: ruote, allow: [create] }]\n", "p.yaml:3:40: unknown protocol `ruote`; did you mean `route`?"),
        ("no protocols",        "network: [{ family: packet, protocol: tcp, allow: [create] }]\n", "p.yaml:3:39: `protocol` is for ipv4, ipv6 and netlink; leave it out for packet"),
        ("mixed families",      "network: [{ family: [ipv4, netlink], protocol: tcp, allow: [create] }]\n", "p.yaml:3:48: netlink has protocols of its own; write a rule for it alone"),
        ("no addresses",        "network: [{ family: netlink, address: 10.0.0.1, allow: [create] }]\n", "p.yaml:3:39: `address` and `port` are for ipv4 and ipv6; for netlink a rule grants `create` of all"),
        ("only create",         "network: [{ family: netlink, allow: [connect] }]\n", "p.yaml:3:38: `connect` is for ipv4 and ipv6; for netlink a rule grants `create`"),
        ("no address",          "network: [{ address: localhost, allow: [connect] }]\n", "p.yaml:3:22: `localhost` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name"),
        ("bits behind prefix",  "network: [{ address: [10.0.0.1/8], allow: [connect] }]\n", "p.yaml:3:23: `10.0.0.1/8` has bits behind its prefix; did you mean `10.0.0.0/8`?"),
        ("another family's",    "network: [{ family: ipv6, address: 10.0.0.1, allow: [connect] }]\n", "p.yaml:3:36: `10.0.0.1` is no address of ipv6, which the rule is about; write a rule for it alone"),
        ("no port",             "network: [{ protocol: tcp, port: http, allow: [connect] }]\n", "p.yaml:3:34: `http` is no port; write a number up to 65535, or two with a `-` between them"),
        ("too great a port",    "network: [{ protocol: tcp, port: 65536, allow: [connect] }]\n", "p.yaml:3:34: `65536` is no port; write a number up to 65535, or two with a `-` between them"),
        ("ports of all",        "network: [{ port: 80, allow: [connect] }]\n", "p.yaml:3:19: `port` is for tcp, udp, sctp, dccp and udplite; name one of them as `protocol`"),
        ("ports of icmp",       "network: [{ protocol: [tcp, icmp], port: 80, allow: [connect] }]\n", "p.yaml:3:42: `port` is for tcp, udp, sctp, dccp and udplite; name one of them as `protocol`"),
        ("a list of nothing",   "network: [{ protocol: [], allow: [connect] }]\n", "p.yaml:3:23: the list names nothing; leave the key out to mean all"),
        ("create at an address", "network: [{ address: 10.0.0.1, deny: [create] }]\n", "p.yaml:3:39: a socket is made before it has an address; deny `create` in a rule without one"),
        ("no address in a variable", "variables: { up: [10.0.0.1, example.org] }\nnetwork: [{ address: \"${up}\", allow: [connect] }]\n", "p.yaml:4:22: the variable `up` at p.yaml:3:29 is not one of addresses: `example.org` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name"),
        ("a variable of paths", "network: [{ address: [\"${temp}\"], allow: [connect] }]\n", "p.yaml:3:23: the variable `temp` is not one of addresses: `/tmp` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name\np.yaml:3:23: the variable `temp` is not one of addresses: `/var/tmp` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name\np.yaml:3:23: the variable `temp` is not one of addresses: `/dev/shm` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name"),
        ("a part, in a variable", "variables: { site: \"1\", up: \"10.0.0.${site}\" }\nnetwork: [{ address: \"${up}\", allow: [connect] }]\n", "p.yaml:4:22: the variable `up` at p.yaml:3:29 is not one of addresses: a variable stands for whole addresses; write `${name}` alone, and what is around it in its value"),
        ("no variable",         "variables: { up: 10.0.0.1 }\nnetwork: [{ address: \"${upp}\", allow: [connect] }]\n", "p.yaml:4:23: there is no variable `upp`; did you mean `up`?"),
        ("a part of an address", "variables: { up: \"1\" }\nnetwork: [{ address: \"10.0.0.${up}\", allow: [connect] }]\n", "p.yaml:4:22: a variable stands for whole addresses; write `${name}` alone, and what is around it in its value"),
        ("no word",             "network: [{ protocol: { tcp: 1 }, allow: [connect] }]\n", "p.yaml:3:23: expected a word, a number, or a list of them, not map"),
    ];
    refuse(&cases);
}

#[test]
fn refuse_owners_and_what_is_told() {
    #[rustfmt::skip]
    let cases = [
        ("nothing wrong",    "paths: [{ path: /x, allow: [read], owner: true, audit: true }, { path: /y, deny: [read], quiet: true }]\nexec: [{ path: /z, audit: true }, { path: /w, deny: true, quiet: true }]\n", ""),
        ("owner of a deny",  "paths: [{ path: /x, deny: [read], owner: true }]\n", "p.yaml:3:42: `owner` is for what a rule allows; what it denies, it denies whoever owns it"),
        ("audit of a deny",  "paths: [{ path: /x, deny: [read], audit: true }]\n", "p.yaml:3:42: `audit` is for what a rule allows; what it denies is told unless it is `quiet`"),
        ("quiet allow",      "paths: [{ path: /x, allow: [read], quiet: true }]\n", "p.yaml:3:43: `quiet` is for what a rule denies; what it allows is not told anyway"),
        ("quiet exec",       "exec: [{ path: /x, quiet: true }]\n", "p.yaml:3:27: `quiet` is for what a rule denies; what it allows is not told anyway"),
        ("quiet network",    "network: [{ allow: [bind], quiet: true }]\n", "p.yaml:3:35: `quiet` is for what a rule denies; what it allows is not told anyway"),
        ("owner of an exec", "exec: [{ path: /x, owner: true }]\n", "p.yaml:3:20: unknown key `owner`; expected one of path, profile, inherit, deny, until, for, audit, quiet, reason"),
        ("owner of text",    "paths: [{ path: /x, allow: [read], owner: me }]\n", "p.yaml:3:43: expected `true` or `false`"),
    ];
    refuse(&cases);
    assert!(
        cases
            .iter()
            .all(|(_, _, want)| want.is_empty() || want.starts_with(NAMES))
    );
}

const TEXT: &str = "
name: p
mode: enforce
variables:
  inner: 10.0.0.0/8
  sites: [\"${inner}\", \"fd00::/8\"]
paths:
  - { path: /home/**, allow: [read, write], owner: true }
  - { path: /home/pub/**, allow: [read] }
  - { path: /home/pub/log, allow: [append], audit: true }
  - { path: /root/**, deny: [read], quiet: true }
  - { path: /root/secret, deny: [all] }
  - { path: /home/.ssh/**, deny: [all], quiet: true }
exec:
  - { path: /bin/x, profile: q, audit: true }
network:
  - { protocol: tcp, address: \"${sites}\", port: 443, allow: [connect] }
  - { protocol: udp, port: 53, allow: [connect, bind] }
  - { protocol: tcp, address: 10.9.0.0/16, deny: [all], quiet: true }
";

#[test]
fn what_rules_come_to() {
    let profile = Profile::parse(
        TEXT,
        std::path::Path::new("p.yaml"),
        std::path::Path::new(""),
    );
    let profile = profile.unwrap();
    let compiled = compile(&profile, &|_| Some(enforcer_abi::Slot(3))).unwrap();
    let (read, write, append) = (Access::READ, Access::WRITE | Access::APPEND, Access::APPEND);
    let run = Access::EXECUTE | Access::MAP;
    let (create, connect) = (Access::CREATE, Access::CREATE | Access::CONNECT);
    let none = Access::NONE;
    // Columns: object, what anybody may, what besides its owner, what of it is told, what is not
    // told if it is refused.
    #[rustfmt::skip]
    let cases = [
        ("/home/a",               none,          read | write, none,   none),
        ("/home/pub/a",           read,          write,        none,   none),
        ("/home/pub/log",         read | append, Access::WRITE, append, none),
        ("/root/a",               none,          none,         none,   read),
        // One of both tells it.
        ("/root/secret",          none,          none,         none,   none),
        ("/home/.ssh/id",         none,          none,         none,   Access::ALL & !Access::METADATA),
        ("/bin/x",                run,           none,         run,    none),
        ("/etc",                  none,          none,         none,   none),
        ("ipv4/tcp",              connect,       none,         none,   none),
        ("ipv6/tcp",              connect,       none,         none,   none),
        ("ipv4/icmp",             none,          none,         none,   none),
        ("tcp:10.1.2.3:443",      connect,       none,         none,   none),
        ("tcp:10.1.2.3:80",       none,          none,         none,   none),
        ("tcp:11.0.0.1:443",      none,          none,         none,   none),
        ("tcp:[fd00::1]:443",     connect,       none,         none,   none),
        ("tcp:[::1]:443",         none,          none,         none,   none),
        ("udp:[::1]:53",          connect | Access::BIND, none, none,  none),
        ("tcp:10.9.0.1:443",      create,        none,         none,   Access::CONNECT | Access::BIND),
    ];
    for (object, allow, owned, audit, quiet) in cases {
        let name = object_name(object.as_bytes());
        let outcome = compiled.words.as_slice().judge(&name);
        let decided = |rights: Access| rights & !Access::METADATA;
        let got = (
            decided(outcome.allow),
            outcome.owned,
            outcome.audit,
            outcome.quiet,
        );
        assert_eq!(got, (allow, owned, audit, quiet), "{object}");
        let explain = |owner| explain(&profile, &compiled, Access::WRITE, &name, owner);
        let granted = |owner| explain(owner).missing.is_empty();
        assert_eq!(
            granted(Owner::Other),
            allow.contains(Access::WRITE),
            "{object}"
        );
        assert_eq!(
            granted(Owner::Task),
            (allow | owned).contains(Access::WRITE),
            "{object}"
        );
        assert_eq!(
            explain(Owner::Other).owned,
            owned & Access::WRITE,
            "{object}"
        );
        assert_eq!(
            explain(Owner::Other).is_quiet,
            quiet.contains(Access::WRITE),
            "{object}"
        );
    }
}
