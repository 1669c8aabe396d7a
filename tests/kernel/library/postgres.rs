//! `postgres`.

use std::{fs, process::Command};

use rustix::process::{Pid, Signal, kill_process};

use super::{Lesson, Misuse, Program, Service, Taught, command, file, run, says, scene, wait};

const BIN: &str = "/usr/lib/postgresql/15/bin";
const SERVER: &str = "/usr/lib/postgresql/15/bin/postgres";
const DATA: &str = "/var/lib/postgresql/15/main";
const LOG: &str = "/var/log/postgresql/postgresql-15-main.log";

const PROGRAM: Program = Program {
    profiles: &["postgresql"],
    needs: &["/usr/lib/postgresql/15/bin/postgres", "/usr/bin/openssl"],
    before: make,
    start,
    work,
    misuses: MISUSES,
};

/// What `pg_createcluster` writes, and the advice of the profile.
const CONFIGURATION: &str = "\
data_directory = '/var/lib/postgresql/15/main'
hba_file = '/etc/postgresql/15/main/pg_hba.conf'
ident_file = '/etc/postgresql/15/main/pg_ident.conf'
external_pid_file = '/run/postgresql/15-main.pid'
unix_socket_directories = '/run/postgresql'
ssl = on
ssl_cert_file = '/etc/ssl/certs/ssl-cert-snakeoil.pem'
ssl_key_file = '/etc/ssl/private/ssl-cert-snakeoil.key'
shared_buffers = 16MB
dynamic_shared_memory_type = posix
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'Etc/UTC'
timezone = 'Etc/UTC'
cluster_name = '15/main'
jit = off
";

const WHO: &str = "\
local all postgres peer
host all all 127.0.0.1/32 scram-sha-256
";

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What an attacker does who has become the database's superuser.
    Misuse::program(
        || sql("COPY t TO PROGRAM 'id'"),
        "could not execute command \"id\"",
        ("execute", "/usr/bin/dash"), &["exec", "/usr/bin/dash", "-c", ":"],
    ),
    Misuse::program(
        || sql("COPY t FROM '/etc/shadow'"),
        "could not open file \"/etc/shadow\" for reading: Permission denied",
        ("read", "/etc/shadow"), &["read", "/etc/shadow"],
    ),
    Misuse::program(
        || sql("SELECT pg_read_file('/root/.ssh/id_ed25519')"),
        "could not open file \"/root/.ssh/id_ed25519\" for reading: Permission denied",
        ("read", "/root/.ssh/id_ed25519"), &["read", "/root/.ssh/id_ed25519"],
    ),
    Misuse::program(
        || sql("SELECT pg_ls_dir('/srv/private')"),
        "could not open directory \"/srv/private\": Permission denied",
        ("read", "/srv/private"), &["list", "/srv/private"],
    ),
    Misuse::program(
        || sql("SELECT lo_from_bytea(4242, 'x'); SELECT lo_export(4242, '/srv/private/evil')"),
        "could not create server file \"/srv/private/evil\": Permission denied",
        ("create", "/srv/private/evil"), &["create", "/srv/private/evil"],
    ),
    Misuse::program(
        || sql("COPY t TO '/etc/cron.d/evil'"),
        "could not open file \"/etc/cron.d/evil\" for writing: Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || sql("CREATE FUNCTION f() RETURNS int AS '/tmp/evil.so' LANGUAGE C"),
        "could not load library \"/tmp/evil.so\"",
        ("read", "/tmp/evil.so"), &["read", "/tmp/evil.so"],
    ),
    Misuse::program(
        || sql("SET jit = on; SET jit_above_cost = 0; SELECT sum(n) FROM t"),
        "/usr/lib/postgresql/15/lib/llvmjit_types.bc) failed: Permission denied",
        ("read", "/usr/lib/postgresql/15/lib/llvmjit_types.bc"),
        &["read", "/usr/lib/postgresql/15/lib/llvmjit_types.bc"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["write", "/etc/planted"],         ("write", "/etc/planted")),
    Misuse::domain(&["append", "/home/ada/.bashrc"],   ("append", "/home/ada/.bashrc")),
    Misuse::domain(&["truncate", LOG],                 ("write", LOG)),
    Misuse::domain(&["connect", "/run/docker.sock"],   ("connect", "/run/docker.sock")),
    Misuse::domain(&["code-written"],                  ("", "execmem")),
    Misuse::domain(&["host-name"],                     ("", "sys_admin")),
];

#[test]
fn postgres() {
    PROGRAM.check();
}

/// It is learned from one database, and holds for another.
#[test]
fn postgres_is_learned() {
    let lesson = Lesson {
        name: "postgresql",
        needs: PROGRAM.needs,
        before: || {
            let _absent = fs::remove_dir_all(DATA);
            make();
        },
        taught: Taught::Service(&["--executable", SERVER], run_with),
        misuses: MISUSES,
    };
    lesson.check();
}

/// Works with a table of its own.
fn run_with(round: u32) -> Service {
    let service = start();
    for number in 0..3 {
        let rows = 2000 * (round + number);
        let table = format!("t{round}{number}");
        let made = format!(
            "CREATE TABLE {table} (n int PRIMARY KEY, s text); INSERT INTO {table} SELECT g, md5(g::text) FROM generate_series(1, {rows}) g; CREATE INDEX ON {table} (s); CHECKPOINT"
        );
        assert_eq!(sql(&made), "");
        let sorted = format!(
            "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT s FROM {table} ORDER BY s || 'x') x"
        );
        assert_eq!(sql(&sorted), format!("{rows}\n"));
        assert_eq!(sql(&format!("VACUUM ANALYZE {table}")), "");
        assert_eq!(sql(&format!("CREATE DATABASE d{round}{number}")), "");
        assert_eq!(sql(&format!("DROP DATABASE d{round}{number}")), "");
        let parallel = format!("SET force_parallel_mode = on; SELECT count(*) FROM {table}");
        assert_eq!(sql(&parallel), format!("{rows}\n"));
    }
    if round == 2 {
        assert_eq!(sql("CREATE TABLE t (n int)"), "");
    }
    assert!(service.stop(Signal::INT).success());
    let service = start();
    scene::mode(LOG, 0o666);
    service
}

/// Makes a cluster, as `pg_createcluster` does: that takes a shell.
fn make() {
    for folder in [
        "/var/lib/postgresql/15",
        "/var/log/postgresql",
        "/run/postgresql",
    ] {
        scene::folder_of("postgres", folder, 0o755);
    }
    fs::create_dir_all("/etc/postgresql/15/main").expect("make a folder");
    for (name, text) in [
        ("postgresql.conf", CONFIGURATION),
        ("pg_hba.conf", WHO),
        ("pg_ident.conf", ""),
    ] {
        fs::write(format!("/etc/postgresql/15/main/{name}"), text).expect("write a file");
    }
    certificate();
    let args = ["-D", DATA, "--no-sync", "--locale=C.UTF-8", "--auth=peer"];
    run(&mut command("postgres", &format!("{BIN}/initdb"), &args));
}

/// A certificate as `ssl-cert` makes it.
fn certificate() {
    const KEY: &str = "/etc/ssl/private/ssl-cert-snakeoil.key";
    const CERTIFICATE: &str = "/etc/ssl/certs/ssl-cert-snakeoil.pem";
    let args = [
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-subj",
        "/CN=guest",
        "-keyout",
        KEY,
        "-out",
        CERTIFICATE,
    ];
    run(&mut command("root", "/usr/bin/openssl", &args));
    for path in ["/etc/ssl/private", KEY] {
        scene::give("postgres", path);
        scene::mode(path, 0o700);
    }
}

/// As `pg_ctlcluster` does it.
fn start() -> Service {
    let args = [
        "-D",
        DATA,
        "-c",
        "config_file=/etc/postgresql/15/main/postgresql.conf",
    ];
    let mut server = command("postgres", &format!("{BIN}/postgres"), &args);
    server.env("PG_OOM_ADJUST_FILE", "/proc/self/oom_score_adj");
    let service = Service::logging(&mut server, LOG);
    wait("the server", || sql("SELECT 1").contains('1'));
    service
}

fn psql(words: &[&str]) -> Command {
    let mut args = vec!["--no-psqlrc", "-qAt"];
    args.extend(words);
    command("postgres", &format!("{BIN}/psql"), &args)
}

/// What comes of statements, good or bad.
fn sql(statements: &str) -> String {
    says(&mut psql(&["-c", statements]))
}

fn work(service: Service) -> Service {
    let all = run(&mut psql(&[
        "-c",
        "CREATE TABLE t (n int PRIMARY KEY, s text)",
        "-c",
        "INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 5000) g",
        "-c",
        "CREATE INDEX ON t (s)",
        "-c",
        "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2 * n; END'",
        "-c",
        "SELECT twice(count(*)::int) FROM t",
        "-c",
        "CHECKPOINT",
        "-c",
        "SET force_parallel_mode = on",
        "-c",
        "SELECT sum(n) FROM t",
        "-c",
        "SET work_mem = '64kB'",
        "-c",
        "SELECT count(*) FROM (SELECT s FROM t ORDER BY s || 'x') x",
        "-c",
        "VACUUM ANALYZE t",
        "-c",
        "ALTER SYSTEM SET log_min_duration_statement = 60000",
        "-c",
        "SELECT pg_reload_conf()",
        "-c",
        "CREATE ROLE app LOGIN PASSWORD 'secret'",
        "-c",
        "CREATE DATABASE app OWNER app",
    ]));
    assert_eq!(all, "10000\n12502500\n5000\nt\n");
    let app = "host=127.0.0.1 sslmode=require user=app password=secret dbname=app";
    let got = run(&mut psql(&[
        app,
        "-c",
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    ]));
    assert_eq!(got, "t\n");
    let dump = run(&mut command(
        "postgres",
        &format!("{BIN}/pg_dump"),
        &["-t", "t"],
    ));
    assert!(dump.contains("CREATE TABLE public.t"), "{dump}");
    run(&mut psql(&["-c", "DROP DATABASE app"]));

    // One of its processes is killed: all of them start anew.
    let writer = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
    let writer = Pid::from_raw(writer.trim().parse().expect("a number"));
    kill_process(writer.expect("a process"), Signal::KILL).expect("kill");
    wait("the recovery", || {
        file(LOG).matches("ready to accept connections").count() > 1
    });
    assert!(service.stop(Signal::INT).success());
    let service = start();
    scene::mode(LOG, 0o666);
    assert_eq!(
        sql("SELECT s FROM t WHERE n = 1"),
        "c4ca4238a0b923820dcc509a6f75849b\n"
    );
    service
}
