//! `memcached`.

use rustix::process::Signal;

use super::{Misuse, Program, Service, ask, command, file, says, scene, wait};

const PORT: u16 = 11211;
const BINARY: &str = "/usr/bin/memcached";
const PID: &str = "/run/memcached/memcached.pid";

const PROGRAM: Program = Program {
    profiles: &["memcached"],
    needs: &[BINARY],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What the file of its arguments can make it do.
    Misuse::program(
        || started(&["-P", "/etc/cron.d/evil"]),
        "Could not open the pid file /etc/cron.d/evil.tmp for writing: Permission denied",
        ("create", "/etc/cron.d/evil.tmp"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || started(&["-Y", "/srv/private/notes"]), "/srv/private/notes",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || started(&["-s", "/srv/private/evil"]), "Permission denied",
        ("create", "/srv/private/evil"), &["bind", "/srv/private/evil"],
    ),
    Misuse::program(
        || started(&["-e", "/srv/private/evil", "-m", "8"]), "Permission denied",
        ("create", "/srv/private/evil"), &["create", "/srv/private/evil"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["read", "/etc/shadow"],              ("read", "/etc/shadow")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["write", "/etc/planted"],            ("write", "/etc/planted")),
    Misuse::domain(&["exec", "/usr/bin/dash", "-c", ":"], ("execute", "/usr/bin/dash")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

#[test]
fn memcached() {
    PROGRAM.check();
}

/// As `systemd-memcached-wrapper` does it, with `/etc/memcached.conf` of the package.
fn start() -> Service {
    scene::folder_of("memcache", "/run/memcached", 0o755);
    let args = [
        "-m",
        "64",
        "-p",
        "11211",
        "-u",
        "memcache",
        "-l",
        "127.0.0.1",
        "-P",
        PID,
    ];
    Service::start(&mut command("root", BINARY, &args)).listening(PORT)
}

/// What comes of a start with other arguments.
fn started(args: &[&str]) -> String {
    let mut all = vec![
        "3",
        BINARY,
        "-v",
        "-u",
        "memcache",
        "-l",
        "127.0.0.2",
        "-p",
        "11211",
    ];
    all.extend(args);
    says(&mut command("root", "/usr/bin/timeout", &all))
}

fn work(service: Service) -> Service {
    let value = "v".repeat(100_000);
    let set = format!("set key 0 0 {}\r\n{value}\r\n", value.len());
    assert_eq!(ask(PORT, set.as_bytes(), "\r\n"), "STORED\r\n");
    let got = ask(PORT, b"get key\r\n", "END\r\n");
    assert_eq!(
        got,
        format!("VALUE key 0 {}\r\n{value}\r\nEND\r\n", value.len())
    );
    assert_eq!(ask(PORT, b"delete key\r\n", "\r\n"), "DELETED\r\n");
    assert_eq!(ask(PORT, b"get key\r\n", "\r\n"), "END\r\n");
    assert!(ask(PORT, b"stats\r\n", "END\r\n").contains("STAT cmd_get 2"));
    assert_eq!(ask(PORT, b"flush_all\r\n", "\r\n"), "OK\r\n");
    wait("its number", || !file(PID).is_empty());
    assert!(service.stop(Signal::TERM).success());
    start()
}
