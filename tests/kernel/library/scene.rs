//! The accounts that packages' scripts make, and what there is for a misuse.
//!
//! Everybody may do everything to it, so that it is the profile that refuses.

use std::{
    ffi::CStr,
    fs,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt as _, chown, symlink},
        net::UnixListener,
    },
    path::Path,
    sync::Once,
};

use enforcer_tests::program;
use rustix::mount::MountFlags;

use super::{command, run};

/// `attempt` with a name by which every program that has libraries may be it.
pub(super) const ATTEMPT: &str = "/usr/lib/enforcer/attempt.so";

/// How large the root may become, as an option of its mount.
const ROOT: &CStr = c"size=75%";

/// The shell of accounts.
const SHELL: &str = "/bin/bash";

/// Accounts: name, id, home.
const ACCOUNTS: [(&str, u32, &str); 11] = [
    ("www-data", 33, "/var/www"),
    ("redis", 7101, "/var/lib/redis"),
    ("postgres", 7102, "/var/lib/postgresql"),
    ("gitdaemon", 7103, "/var/lib/git"),
    ("memcache", 7104, "/nonexistent"),
    ("haproxy", 7105, "/var/lib/haproxy"),
    ("dnsmasq", 7106, "/var/lib/misc"),
    ("sshd", 7107, "/nonexistent"),
    ("ada", 7108, "/home/ada"),
    ("bob", 7109, "/home/bob"),
    ("builder", 30000, "/home/builder"),
];

/// What `pam-auth-update` makes.
const PAM: [(&str, &str); 5] = [
    (
        "common-auth",
        "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
    ),
    (
        "common-account",
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n",
    ),
    (
        "common-session",
        "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\nsession required pam_unix.so\n",
    ),
    (
        "common-session-noninteractive",
        "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\nsession required pam_unix.so\n",
    ),
    (
        "common-password",
        "password [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\npassword required pam_permit.so\n",
    ),
];

/// Files that nobody confined should have: path, text, mode.
const FILES: [(&str, &str, u32); 7] = [
    ("/etc/planted", "planted\n", 0o666),
    ("/root/.ssh/id_ed25519", "a private key\n", 0o666),
    ("/home/ada/.ssh/id_ed25519", "a private key\n", 0o666),
    ("/home/ada/.bashrc", "# settings\n", 0o666),
    ("/home/bob/letter", "to ada\n", 0o666),
    ("/srv/private/notes", "private notes\n", 0o666),
    ("/tmp/evil", "#!/bin/sh\nid\n", 0o777),
];

/// Folders where nobody confined should leave anything.
const FOLDERS: [&str; 8] = [
    "/etc/cron.d",
    "/etc/redis",
    "/home/ada",
    "/home/ada/.ssh",
    "/home/bob",
    "/root",
    "/root/.ssh",
    "/srv/private",
];

/// What misuses leave where they work: the starts of paths.
const LEFT: [&str; 9] = [
    "/etc/cron.d/evil",
    "/etc/redis/test.conf.tmp",
    "/home/ada/.ssh/evil",
    "/srv/git/open.git/evil",
    "/srv/private/evil",
    "/srv/www/evil.html",
    "/tmp/evil-file",
    "/usr/local/bin/evil",
    "/etc/cron.d/evil.tmp",
];

/// A socket that nobody confined should talk to.
const SOCKET: &str = "/run/docker.sock";

/// Where somebody waits for what nobody confined should connect to.
pub(super) const LISTENER: &str = "127.0.0.1:4444";

/// Makes all of it, once.
pub(super) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // What the packages were unpacked from was in memory when the root got its limit.
        rustix::mount::mount_remount("/", MountFlags::empty(), ROOT).expect("enlarge the root");
        for (name, id, home) in ACCOUNTS {
            account(name, id, home);
        }
        for folder in FOLDERS {
            fs::create_dir_all(folder).expect("make a folder");
            mode(folder, 0o777);
        }
        for (path, text, bits) in FILES {
            fs::write(path, text).expect("write a file");
            mode(path, bits);
        }
        mode("/etc/shadow", 0o644);
        if Path::new("/etc/pam.d").exists() {
            for (name, text) in PAM {
                fs::write(format!("/etc/pam.d/{name}"), text).expect("write a file");
            }
        }
        // As `base-files` makes it.
        if !Path::new("/var/run").is_symlink() {
            fs::remove_dir_all("/var/run").expect("remove a folder");
            symlink("/run", "/var/run").expect("make a link");
        }
        // libsystemd has the buffer that it wants, and does not ask for `net_admin`.
        fs::write("/proc/sys/net/core/wmem_max", "8388608").expect("set a limit");
        for copy in [ATTEMPT, "/tmp/evil.so"] {
            fs::copy(program("attempt"), copy).expect("copy a program");
        }
        let socket = UnixListener::bind(SOCKET).expect("make a socket");
        mode(SOCKET, 0o666);
        let listener = TcpListener::bind(LISTENER).expect("listen");
        // They listen until the end.
        std::mem::forget((socket, listener));
    });
}

/// Removes what a misuse left.
pub(super) fn clean() {
    for left in LEFT {
        let _absent = fs::remove_file(left);
    }
}

/// Gives a path these bits.
pub(super) fn mode(path: impl AsRef<Path>, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).expect("change a mode");
}

/// Makes a folder that is a user's.
pub(super) fn folder_of(name: &str, path: &str, bits: u32) {
    fs::create_dir_all(path).expect("make a folder");
    mode(path, bits);
    give(name, path);
}

/// Makes a path a user's.
pub(super) fn give(name: &str, path: &str) {
    chown(path, Some(id(name)), Some(id(name))).expect("change an owner");
}

/// Makes these, with all that is in them, a user's.
pub(super) fn give_all(name: &str, paths: &[&str]) {
    let owner = format!("{name}:{name}");
    let mut args = vec!["chown", "-R", &owner];
    args.extend(paths);
    run(&mut command("root", "/usr/bin/busybox", &args));
}

/// The id of a user.
pub(super) fn id(name: &str) -> u32 {
    let found = ACCOUNTS.iter().find(|(account, ..)| *account == name);
    found.expect("an account of the scene").1
}

/// Makes a user with a group of that name, unless it is there.
fn account(name: &str, id: u32, home: &str) {
    let lines = [
        (
            "/etc/passwd",
            format!("{name}:x:{id}:{id}::{home}:{SHELL}\n"),
        ),
        ("/etc/group", format!("{name}:x:{id}:\n")),
        ("/etc/shadow", format!("{name}:*:19000:0:99999:7:::\n")),
    ];
    for (file, line) in lines {
        let mut text = fs::read_to_string(file).expect("read accounts");
        if !text.lines().any(|old| old.starts_with(&format!("{name}:"))) {
            text += &line;
            fs::write(file, text).expect("write accounts");
        }
    }
    folder_of_id(home, id);
}

fn folder_of_id(path: &str, id: u32) {
    fs::create_dir_all(path).expect("make a home");
    chown(path, Some(id), Some(id)).expect("change an owner");
}
