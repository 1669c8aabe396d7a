//! The process behind a detection.

/// Who did it, as far as it could be told when the event was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Process id in the initial pid namespace.
    pub pid: u32,
    /// Thread id in the initial pid namespace.
    pub tid: u32,
    /// Process id of the parent in the initial pid namespace.
    pub parent: u32,
    /// Real user id in the initial user namespace.
    pub uid: u32,
    /// Real group id in the initial user namespace.
    pub gid: u32,
    /// Thread name.
    pub comm: Vec<u8>,
    /// The executable's path.
    pub exe: Option<Vec<u8>>,
    /// The arguments, the program's name first.
    pub cmdline: Option<Vec<Vec<u8>>>,
    /// The processes it descends from, the parent first.
    pub ancestry: Vec<Ancestor>,
    /// Id of its cgroup v2.
    pub cgroup: u64,
    /// Path of its cgroup v2, from the root of the hierarchy.
    pub cgroup_path: Option<Vec<u8>>,
}

/// A process that another one descends from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Process id in the initial pid namespace.
    pub pid: u32,
    /// The executable's path.
    pub exe: Option<Vec<u8>>,
}

impl Who {
    /// Returns the systemd unit that the cgroup belongs to: the innermost
    /// service, scope or slice in its path.
    pub fn unit(&self) -> Option<String> {
        let path = std::str::from_utf8(self.cgroup_path.as_ref()?).ok()?;
        let unit = |suffixes: &[&str]| {
            path.rsplit('/')
                .find(|name| suffixes.iter().any(|suffix| name.ends_with(suffix)))
                .map(str::to_owned)
        };
        unit(&[".service", ".scope"]).or_else(|| unit(&[".slice"]))
    }
}

/// Returns the arguments that `joined` holds with a NUL after each; the last NUL
/// may be missing.
pub fn split_arguments(joined: &[u8]) -> Vec<Vec<u8>> {
    joined
        .strip_suffix(b"\0")
        .unwrap_or(joined)
        .split(|&byte| byte == 0)
        .map(<[u8]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Who;

    #[test]
    fn unit_table() {
        #[rustfmt::skip]
        let cases = [
            ("a service",         Some("/system.slice/nginx.service"),                       Some("nginx.service")),
            ("beneath a service", Some("/system.slice/nginx.service/workers"),               Some("nginx.service")),
            ("a scope",           Some("/user.slice/user-0.slice/session-1.scope"),          Some("session-1.scope")),
            ("a slice",           Some("/system.slice"),                                     Some("system.slice")),
            ("a user's service",  Some("/user.slice/user@0.service/app.slice/x.service"),    Some("x.service")),
            ("no systemd",        Some("/"),                                                 None),
            ("unknown",           None,                                                      None),
        ];
        for (name, path, want) in cases {
            let who = Who {
                cgroup_path: path.map(|path: &str| path.as_bytes().to_vec()),
                ..Who::default()
            };
            assert_eq!(who.unit().as_deref(), want, "{name}");
        }
    }
}
