//! What is known of folders before anything is seen: what they are for, and what in them is
//! never taken for one of many.

/// Folders that are never taken as a whole, in patterns. What lies in them has owners of
/// all kinds.
const SHARED: [&str; 46] = [
    "",
    "/bin",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/home",
    "/home/*",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/proc/self",
    "/proc/[0-9]*",
    "/root",
    "/run",
    "/run/user",
    "/run/user/*",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/mail",
    "/var/spool",
    "/var/tmp",
    "/var/www",
];

/// Folders of secrets and of who may do what: a rule on them names each file.
const SECRET: [&str; 14] = [
    "/etc/ssl/private",
    "/etc/pki/tls/private",
    "/etc/ssh",
    "/etc/sudoers.d",
    "/etc/pam.d",
    "/etc/security",
    "/etc/enforcer",
    "/etc/letsencrypt",
    "/etc/cron.d",
    "/etc/systemd",
    "/var/spool/cron",
    "/var/lib/enforcer",
    "/etc/profile.d",
    "/etc/ld.so.conf.d",
];

/// Names of folders that hold secrets wherever they are.
pub(super) const SECRET_FOLDERS: [&str; 9] = [
    ".git", ".svn", ".hg", ".ssh", ".gnupg", ".aws", ".kube", ".docker", ".config",
];

/// Names of files that hold secrets wherever they are, in patterns.
pub(super) const SECRET_FILES: [&str; 12] = [
    ".env",
    ".ht*",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".*_history",
    "*.key",
    "*.pem",
    "*.kdbx",
    "*.p12",
    "id_rsa*",
    "id_ed25519*",
];

/// Where everybody may make files, and none touches those of others.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// What the kernel shows. It is the same another day, but for what is numbered.
    Kernel,
    /// What is installed and configured: others change it.
    System,
    /// What programs keep, and serve.
    Data,
}

/// What a folder is for. `folder` is a pattern.
pub(super) fn zone(folder: &str) -> Zone {
    let is_in = |places: &[&str]| places.iter().any(|place| is_within(folder, place));
    if is_in(&["/dev/shm"]) {
        Zone::Data
    } else if is_in(&["/proc", "/sys", "/dev"]) {
        Zone::Kernel
    } else if is_in(&[
        "/usr", "/etc", "/boot", "/opt", "/bin", "/sbin", "/lib", "/lib64",
    ]) {
        Zone::System
    } else {
        Zone::Data
    }
}

/// Whether a rule about all that is in a folder may be offered to who decides of one file in
/// it. What the kernel shows there another day is something else. `folder` is a pattern.
pub fn may_be_offered(folder: &str) -> bool {
    may_be_taken(folder) && zone(folder) != Zone::Kernel
}

/// Whether rules may be about all that is in a folder. `folder` is a pattern.
pub(super) fn may_be_taken(folder: &str) -> bool {
    let matches = |shared: &str| match shared.strip_suffix("/*") {
        Some(above) => folder
            .strip_prefix(above)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|name| !name.contains('/')),
        None => folder == shared,
    };
    let is_hidden_secret = |part: &str| SECRET_FOLDERS.contains(&part) && part != ".git";
    !SHARED.iter().any(|shared| matches(shared))
        && !SECRET.iter().any(|secret| is_within(folder, secret))
        && !folder.split('/').any(is_hidden_secret)
}

/// Whether it is one of the folders where everybody may make files.
pub(super) fn is_temporary(folder: &str) -> bool {
    TEMPORARY.contains(&folder)
}

/// How many names a folder's path has, those that stand for any not counted.
pub(super) fn fixed_names(folder: &str) -> usize {
    let names = folder.split('/').skip(1);
    names.filter(|name| !matches!(*name, "*" | "**")).count()
}

/// Whether a path is a folder or in it.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::{Zone, may_be_taken, zone};

    #[test]
    fn folders() {
        #[rustfmt::skip]
        let cases = [
            ("",                         Zone::Data,   false),
            ("/srv",                     Zone::Data,   false),
            ("/srv/www",                 Zone::Data,   true),
            ("/etc",                     Zone::System, false),
            ("/etc/nginx",               Zone::System, true),
            ("/etc/ssl/private",         Zone::System, false),
            ("/etc/ssl/private/x",       Zone::System, false),
            ("/home",                    Zone::Data,   false),
            ("/home/ada",                Zone::Data,   false),
            ("/home/ada/work",           Zone::Data,   true),
            ("/home/ada/.ssh",           Zone::Data,   false),
            ("/home/ada/work/.git",      Zone::Data,   true),
            ("/root",                    Zone::Data,   false),
            ("/proc/sys/net",            Zone::Kernel, true),
            ("/dev/shm",                 Zone::Data,   false),
            ("/run/user/1000",           Zone::Data,   false),
            ("/var/lib/postgresql",      Zone::Data,   true),
            ("/usrx",                    Zone::Data,   true),
        ];
        for (folder, of, taken) in cases {
            assert_eq!(zone(folder), of, "{folder}");
            assert_eq!(may_be_taken(folder), taken, "{folder}");
        }
    }
}
