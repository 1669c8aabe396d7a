//! `redis-server`.

use std::fs;

use rustix::process::Signal;

use super::{Lesson, Misuse, Program, Service, Taught, command, file, run, says, scene, wait};

const CONFIGURATION: &str = "/etc/redis/test.conf";
const LOG: &str = "/var/log/redis/redis-server.log";

const PROGRAM: Program = Program {
    profiles: &["redis-server"],
    needs: &["/usr/bin/redis-server", "/usr/bin/redis-cli"],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What an attacker does who can talk to it.
    Misuse::program(
        || snapshot_to("/etc/cron.d", "evil"),
        "in server root dir /etc/cron.d) for saving: Permission denied",
        ("create", "/etc/cron.d/temp-*"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || snapshot_to("/home/ada/.ssh", "authorized_keys"),
        "in server root dir /home/ada/.ssh) for saving: Permission denied",
        ("create", "/home/ada/.ssh/temp-*"), &["create", "/home/ada/.ssh/evil"],
    ),
    Misuse::program(
        || cli(&["module", "load", "/tmp/evil.so"]) + &file(LOG),
        "/tmp/evil.so: cannot open shared object file: Permission denied",
        ("read", "/tmp/evil.so"), &["read", "/tmp/evil.so"],
    ),
    Misuse::program(
        || cli(&["config", "rewrite"]),
        "ERR Rewriting config file: Permission denied",
        ("create", "/etc/redis/test.conf*"), &["create", "/etc/redis/test.conf.tmp"],
    ),
    Misuse::program(
        || with_certificate("/srv/private/notes"),
        "Failed to load certificate: /srv/private/notes: error:8000000D:system library::Permission denied",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["read", "/etc/shadow"],              ("read", "/etc/shadow")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["write", "/etc/planted"],            ("write", "/etc/planted")),
    Misuse::domain(&["exec", "/usr/bin/dash", "-c", ":"], ("execute", "/usr/bin/dash")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["truncate", LOG],                    ("write", LOG)),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

#[test]
fn redis() {
    PROGRAM.check();
}

/// It is learned from a run with snapshots and a log, and holds with others.
#[test]
fn redis_is_learned() {
    let lesson = Lesson {
        name: "redis-server",
        needs: PROGRAM.needs,
        before: || (),
        taught: Taught::Service(&["--executable", "/usr/bin/redis-server"], run_with),
        misuses: MISUSES,
    };
    lesson.check();
}

/// Starts it, fills it, has it written down in both ways, and starts it again.
fn run_with(round: u32) -> Service {
    let service = start();
    for number in 0..=round {
        let key = format!("key-{round}-{number}");
        assert_eq!(
            cli(&["set", &key, &"x".repeat(1000 * number as usize)]),
            "OK\n"
        );
        assert_eq!(cli(&["bgsave"]), "Background saving started\n");
        wait("a snapshot", || {
            cli(&["info", "persistence"]).contains("rdb_bgsave_in_progress:0")
        });
        assert_eq!(cli(&["save"]), "OK\n");
    }
    assert_eq!(cli(&["config", "set", "appendonly", "yes"]), "OK\n");
    for _ in 0..=round {
        wait("the rewritten log", || {
            let log = cli(&["info", "persistence"]);
            log.contains("aof_rewrite_in_progress:0") && log.contains("aof_rewrite_scheduled:0")
        });
        assert!(cli(&["bgrewriteaof"]).contains("started"));
        assert_eq!(cli(&["set", "more", "and more"]), "OK\n");
    }
    wait("the rewritten log", || {
        cli(&["info", "persistence"]).contains("aof_rewrite_in_progress:0")
    });
    assert!(cli(&["memory", "stats"]).contains("peak.allocated"));
    assert!(service.stop(Signal::TERM).success());
    let service = serve();
    assert!(cli(&["get", &format!("key-{round}-1")]).len() > 1000);
    scene::mode(LOG, 0o666);
    service
}

fn start() -> Service {
    for folder in ["/var/lib/redis", "/var/log/redis", "/run/redis"] {
        scene::folder_of("redis", folder, 0o755);
    }
    // What is seen in the field, and makes the misuses possible.
    let loose = "enable-protected-configs yes\nenable-module-command yes\n";
    let text = file("/etc/redis/redis.conf") + loose;
    fs::write(CONFIGURATION, text).expect("write a file");
    serve()
}

/// As `redis-server.service` has it.
fn serve() -> Service {
    let args = [
        CONFIGURATION,
        "--supervised",
        "systemd",
        "--daemonize",
        "no",
    ];
    Service::start(&mut command("redis", "/usr/bin/redis-server", &args)).ready()
}

fn cli(words: &[&str]) -> String {
    says(&mut command("root", "/usr/bin/redis-cli", words))
}

fn work(service: Service) -> Service {
    assert_eq!(cli(&["set", "key", "value"]), "OK\n");
    assert_eq!(cli(&["save"]), "OK\n");
    assert_eq!(cli(&["bgsave"]), "Background saving started\n");
    wait("a snapshot", || {
        cli(&["info", "persistence"]).contains("rdb_bgsave_in_progress:0")
    });
    let saved = cli(&["info", "persistence"]);
    assert!(saved.contains("rdb_last_bgsave_status:ok"), "{saved}");
    assert_eq!(cli(&["config", "set", "appendonly", "yes"]), "OK\n");
    wait("the rewritten log", || {
        let log = cli(&["info", "persistence"]);
        log.contains("aof_enabled:1")
            && log.contains("aof_rewrite_in_progress:0")
            && log.contains("aof_rewrite_scheduled:0")
    });
    assert_eq!(cli(&["set", "other", "value of other"]), "OK\n");
    assert_eq!(
        cli(&["eval", "return redis.call('get', 'key')", "0"]),
        "value\n"
    );
    assert!(cli(&["memory", "stats"]).contains("peak.allocated"));

    // It ends in order, and finds again what it had.
    assert!(service.stop(Signal::TERM).success());
    let service = serve();
    assert_eq!(cli(&["get", "key"]), "value\n");
    let folder = run(&mut command(
        "root",
        "/usr/bin/busybox",
        &["ls", "/var/lib/redis"],
    ));
    assert_eq!(folder, "appendonlydir\ndump.rdb\n");
    assert!(file(LOG).contains("Ready to accept connections"));
    scene::mode(LOG, 0o666);
    service
}

/// What the log says after a snapshot to a folder of the attacker's choice.
fn snapshot_to(folder: &str, name: &str) -> String {
    assert_eq!(cli(&["config", "set", "dir", folder]), "OK\n");
    assert_eq!(cli(&["config", "set", "dbfilename", name]), "OK\n");
    assert!(cli(&["save"]).contains("ERR"));
    assert_eq!(cli(&["config", "set", "dir", "/var/lib/redis"]), "OK\n");
    file(LOG)
}

/// What the log says after it was told to read a file as its certificate.
fn with_certificate(path: &str) -> String {
    let mut words = vec!["config", "set", "tls-port", "6390"];
    for setting in ["tls-cert-file", "tls-key-file", "tls-ca-cert-file"] {
        words.extend([setting, path]);
    }
    assert!(cli(&words).contains("ERR"));
    file(LOG)
}
