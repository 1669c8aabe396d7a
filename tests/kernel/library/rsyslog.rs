//! `rsyslogd`.

use std::{fs, os::unix::net::UnixDatagram, time::Duration};

use enforcer_tests::wait_for;
use rustix::process::Signal;

use super::{Misuse, Program, Service, command, file, says, wait};

const BINARY: &str = "/usr/sbin/rsyslogd";
const EVIL: &str = "/etc/rsyslog.d/evil.conf";

const PROGRAM: Program = Program {
    profiles: &["rsyslogd"],
    needs: &[BINARY],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What is logged chooses its file, and says that it is elsewhere.
    Misuse::program(
        || logged(21, "../../../etc/cron.d/evil", "cron.d/evil':"),
        "/etc/cron.d/evil': open error: Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || logged(21, "../../../home/ada/.bashrc", ".bashrc':"),
        "/home/ada/.bashrc': open error: Permission denied",
        ("append", "/home/ada/.bashrc"), &["append", "/home/ada/.bashrc"],
    ),
    // What its configuration can make it do.
    // It does not say at once what became of a program.
    Misuse::program(
        || logged(22, "to run", "app: to run"), "app: to run",
        ("execute", "/tmp/evil"), &["exec", "/usr/bin/dash", "/tmp/evil"],
    ),
    Misuse::program(
        || configured("include(file=\"/srv/private/notes\" mode=\"required\")"), "",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || configured("module(load=\"/tmp/evil.so\")"), "/tmp/evil.so: cannot open shared object file: Permission denied",
        ("read", "/tmp/evil.so"), &["read", "/tmp/evil.so"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["read", "/etc/shadow"],              ("read", "/etc/shadow")),
    Misuse::domain(&["truncate", "/var/log/syslog"],      ("write", "/var/log/syslog")),
    Misuse::domain(&["write", "/var/log/auth.log"],       ("write", "/var/log/auth.log")),
    Misuse::domain(&["exec", "/usr/bin/dash", "-c", ":"], ("execute", "/usr/bin/dash")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

/// Rules that are seen in the field.
const LOOSE: &str = "\
$template by_text,\"/var/log/remote/%msg:2:$%\"
local5.* ?by_text
local6.* ^/tmp/evil
";

#[test]
fn rsyslog() {
    PROGRAM.check();
}

fn start() -> Service {
    for folder in ["/var/spool/rsyslog", "/var/log/remote"] {
        fs::create_dir_all(folder).expect("make a folder");
    }
    fs::write("/etc/rsyslog.d/local.conf", LOOSE).expect("write a file");
    let _absent = fs::remove_file("/dev/log");
    // As `rsyslog.service` has it.
    Service::start(&mut command("root", BINARY, &["-n", "-iNONE"])).ready()
}

/// Logs a line.
fn log(facility: u8, name: &str, text: &str) {
    let socket = UnixDatagram::unbound().expect("a socket");
    let line = format!("<{}>Jan  1 00:00:00 {name}: {text}", facility * 8 + 6);
    socket.send_to(line.as_bytes(), "/dev/log").expect("log");
}

fn work(service: Service) -> Service {
    // Facilities: user, auth, cron.
    for (facility, name, path) in [
        (1, "app", "/var/log/syslog"),
        (1, "app", "/var/log/user.log"),
        (4, "login", "/var/log/auth.log"),
        (9, "cron", "/var/log/cron.log"),
    ] {
        let text = format!("a line for {path}");
        log(facility, name, &text);
        wait(path, || file(path).contains(&text));
    }
    log(21, "app", "of-machine");
    wait("what chooses its file", || {
        file("/var/log/remote/of-machine").contains("of-machine")
    });
    wait("the kernel's", || {
        file("/var/log/kern.log").contains("Linux version")
    });
    // It is rotated as by /usr/lib/rsyslog/rsyslog-rotate.
    fs::rename("/var/log/syslog", "/var/log/syslog.1").expect("rotate a log");
    service.signal(Signal::HUP);
    wait("the new log", || {
        log(1, "app", "after");
        file("/var/log/syslog").contains("after")
    });
    assert!(service.stop(Signal::TERM).success());
    start()
}

/// What the log says after a line came for a facility, once that is about something.
fn logged(facility: u8, text: &str, about: &str) -> String {
    log(facility, "app", text);
    let said = wait_for(Duration::from_secs(10), || {
        let log = file("/var/log/syslog");
        log.contains(about).then_some(log)
    });
    said.unwrap_or_default()
}

/// What comes of a line of configuration, when it is checked.
fn configured(line: &str) -> String {
    fs::write(EVIL, format!("{line}\n")).expect("write a file");
    let said = says(&mut command("root", BINARY, &["-N1", "-iNONE"]));
    fs::remove_file(EVIL).expect("remove a file");
    said
}
