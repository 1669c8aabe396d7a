//! What the names in profiles mean, in a line.

use enforcer_abi::{Access, Privilege};

/// What a right lets do.
pub(super) fn of_right(right: Access) -> &'static str {
    match right {
        Access::READ => "open a file to read it, list a folder",
        Access::WRITE => "change a file anywhere in it, cut it",
        Access::APPEND => "add to a file's end, and nothing else",
        Access::CREATE => {
            "make a name that was not there, be it by a rename or a link; make a socket"
        }
        Access::REMOVE => "take a name away, be it by a rename",
        Access::EXECUTE => "start a program, in the same profile; where else to is said by `exec`",
        Access::MAP => "map a file as code, as the loader does with libraries",
        Access::ATTRIBUTES => "change owner, mode, times and extended attributes",
        Access::METADATA => "look at them; granted on every path without `metadata: true`",
        Access::CONNECT => "connect or send to a unix socket, or to an address",
        Access::BIND => "take an address and a port, to be reached there; in `network` alone",
        _ => "",
    }
}

/// What a privilege lets do that is no capability of the kernel.
pub(super) fn of_privilege(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::MOUNT => "change what is mounted; has `sys_admin` with it",
        Privilege::USERNS => "make a user namespace",
        Privilege::PTRACE => {
            "look into or steer a process outside of the domain or with other mounts"
        }
        Privilege::SIGNAL => "send a signal to such a process, or change its priority or limits",
        Privilege::EXECMEM => "have memory that can be run and was written to",
        Privilege::ABSTRACT_UNIX => "connect or send to a unix socket with an abstract name",
        Privilege::IO_URING => "use `io_uring` at all; asked only before Linux 5.16",
        Privilege::URING_SQPOLL => "have a kernel thread poll an `io_uring`",
        Privilege::URING_OVERRIDE_CREDS => "act in an `io_uring` as another user",
        Privilege::KEYS => "use the kernel's key rings",
        Privilege::SYSV_IPC => "use System V shared memory, semaphores and message queues",
        Privilege::TERMINAL => "put input into a terminal, as if it were typed",
        _ => "",
    }
}

/// A pattern, paths that it matches, and paths that it does not.
pub(super) type Example = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// What patterns mean. A test asks the patterns.
#[rustfmt::skip]
pub(super) const PATTERNS: [Example; 14] = [
    ("/etc/passwd",        &["/etc/passwd"],                       &["/etc/passwd-"]),
    ("/var/log/*.log",     &["/var/log/a.log", "/var/log/.log"],   &["/var/log/a/b.log"]),
    ("/srv/*",             &["/srv/a"],                            &["/srv", "/srv/a/b"]),
    ("/srv/**",            &["/srv/a", "/srv/a/b"],                &["/srv"]),
    ("/srv{,/**}",         &["/srv", "/srv/a", "/srv/a/b"],        &["/srv2"]),
    ("/srv/**/.git",       &["/srv/.git", "/srv/a/b/.git"],        &["/srv/a.git"]),
    ("/srv/**.key",        &["/srv/a.key", "/srv/a/b.key"],        &["/srv.key"]),
    ("/dev/tty?",          &["/dev/tty1"],                         &["/dev/tty", "/dev/tty10"]),
    ("/dev/tty[0-9]",      &["/dev/tty1"],                         &["/dev/ttyS"]),
    ("/dev/tty[!0-9]",     &["/dev/ttyS"],                         &["/dev/tty1"]),
    ("/usr/{lib,share}/a", &["/usr/lib/a", "/usr/share/a"],        &["/usr/a"]),
    ("/a{,.gz}",           &["/a", "/a.gz"],                       &["/a."]),
    (r"/a\*b",             &["/a*b"],                              &["/axb"]),
    (r"/\x41bc",           &["/Abc"],                              &["/abc"]),
];

#[cfg(test)]
mod tests {
    use enforcer_abi::{Access, Privilege};

    use super::{PATTERNS, of_privilege, of_right};
    use crate::profile::Pattern;

    #[test]
    fn every_name_has_a_meaning() {
        for (right, name) in Access::NAMES {
            assert!(!of_right(right).is_empty(), "{name}");
        }
        for (privilege, name) in Privilege::NAMES {
            let is_capability = privilege < Privilege::MOUNT;
            assert_eq!(of_privilege(privilege).is_empty(), is_capability, "{name}");
        }
    }

    #[test]
    fn patterns_mean_what_is_said() {
        for (text, yes, no) in PATTERNS {
            let pattern = Pattern::parse(text).unwrap();
            for path in yes {
                assert!(pattern.matches(path.as_bytes()), "{text} {path}");
            }
            for path in no {
                assert!(!pattern.matches(path.as_bytes()), "{text} {path}");
            }
        }
    }
}
