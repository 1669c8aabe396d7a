//! `cron`, and its jobs.

use std::fs;

use super::{Misuse, Program, Service, command, file, run, scene, wait};

const BINARY: &str = "/usr/sbin/cron";
const TABLE: &str = "/var/spool/cron/crontabs/ada";
const OUT: &str = "/srv/jobs/out";

const PROGRAM: Program = Program {
    profiles: &["cron", "cron-job"],
    needs: &[BINARY, "/usr/bin/run-parts", "/usr/bin/cat"],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // Jobs that an attacker gave it. The modes of all this grant it.
    Misuse::program(
        || job("cat /srv/private/notes"), "/srv/private/notes: Permission denied",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || job("cat /home/ada/.ssh/id_ed25519"), "/home/ada/.ssh/id_ed25519: Permission denied",
        ("read", "/home/ada/.ssh/id_ed25519"), &["read", "/home/ada/.ssh/id_ed25519"],
    ),
    Misuse::program(
        || job("cat /home/bob/letter"), "/home/bob/letter: Permission denied",
        ("read", "/home/bob/letter"), &["read", "/home/bob/letter"],
    ),
    Misuse::program(
        || job("/tmp/evil"), "Permission denied",
        ("execute", "/tmp/evil"), &["exec", "/usr/bin/dash", "/tmp/evil"],
    ),
    Misuse::program(
        || job("su"), "Permission denied",
        ("execute", "/usr/bin/su"), &["exec", "/usr/bin/su", "-c", ":"],
    ),
    // What one does who runs code in one, or in cron.
    Misuse::under("cron-job", &["append", "/home/ada/.bashrc"],              ("append", "/home/ada/.bashrc")),
    Misuse::under("cron-job", &["create", "/etc/cron.d/evil"],               ("create", "/etc/cron.d/evil")),
    Misuse::under("cron-job", &["connect", "/run/docker.sock"],              ("connect", "/run/docker.sock")),
    Misuse::under("cron-job", &["host-name"],                                ("", "sys_admin")),
    Misuse::domain(&["create", "/etc/cron.d/evil"],       ("create", "/etc/cron.d/evil")),
    Misuse::domain(&["write", "/etc/shadow"],             ("write", "/etc/shadow")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["exec", "/usr/bin/id"],              ("execute", "/usr/bin/id")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

#[test]
fn cron() {
    PROGRAM.check();
}

fn start() -> Service {
    for folder in [
        "/var/spool/cron/crontabs",
        "/srv/jobs",
        "/var/log/jobs",
        "/etc/cron.hourly",
    ] {
        fs::create_dir_all(folder).expect("make a folder");
    }
    scene::give("ada", "/srv/jobs");
    let part =
        "#!/bin/sh\ndate > /tmp/now\nsort < /tmp/now >> /var/log/jobs/parts.log\nrm /tmp/now\n";
    fs::write("/etc/cron.hourly/part", part).expect("write a file");
    scene::mode("/etc/cron.hourly/part", 0o755);
    let of_packages = "* * * * * root cd / && run-parts --report /etc/cron.hourly\n";
    fs::write(
        "/etc/crontab",
        format!("SHELL=/bin/sh\nPATH=/usr/sbin:/usr/bin\n{of_packages}"),
    )
    .expect("write a file");
    fs::write(
        "/etc/cron.d/started",
        "@reboot root echo started >> /var/log/jobs/started.log\n",
    )
    .expect("write a file");
    table("echo $LOGNAME > /srv/jobs/own; ls /home/ada > /home/ada/listed");
    before_a_minute();
    // As `cron.service` has it.
    Service::start(&mut command("root", BINARY, &["-f"]))
}

/// Gives a user something to do in each minute.
fn table(line: &str) {
    fs::write(TABLE, format!("* * * * * {line}\n")).expect("write a file");
    scene::give("ada", TABLE);
    scene::mode(TABLE, 0o600);
}

/// Has it be soon before a minute begins.
fn before_a_minute() {
    let script = "date -s @$(( ($(date +%s) / 60 + 1) * 60 - 3 ))";
    run(&mut command("root", "/usr/bin/dash", &["-c", script]));
}

fn work(service: Service) -> Service {
    wait("what is done once", || {
        file("/var/log/jobs/started.log") == "started\n"
    });
    wait("a user's job", || file("/srv/jobs/own") == "ada\n");
    wait("what it lists", || {
        file("/home/ada/listed").contains("listed")
    });
    wait("a job of a package", || {
        file("/var/log/jobs/parts.log").contains("UTC")
    });
    service
}

/// What comes of a job. A cron is started for it, so that it does not wait for long.
fn job(line: &str) -> String {
    if let Ok(pid) = file("/run/crond.pid").trim().parse::<i32>() {
        let pid = rustix::process::Pid::from_raw(pid).expect("a process");
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    fs::write("/etc/crontab", "").expect("write a file");
    let _absent = fs::remove_file(OUT);
    table(&format!("({line}; echo end) > {OUT} 2>&1"));
    before_a_minute();
    let service = Service::start(&mut command("root", BINARY, &["-f"]));
    wait("the job", || file(OUT).contains("end"));
    drop(service);
    file(OUT)
}
