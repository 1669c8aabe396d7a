//! `nginx`.

use std::{fs, os::unix::fs::symlink};

use rustix::process::Signal;

use super::{Lesson, Misuse, Program, Service, Taught, ask, command, file, run, says, scene, wait};

const PORT: u16 = 80;
const BINARY: &str = "/usr/sbin/nginx";
const ERRORS: &str = "/var/log/nginx/error.log";
const REFUSED: &str = "(13: Permission denied)";

const PROGRAM: Program = Program {
    profiles: &["nginx"],
    needs: &[BINARY],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

/// A site with mistakes that are seen in the field: an alias without its slash, and uploads
/// to where pages are.
const SITE: &str = "\
server {
    listen 127.0.0.1:80;
    root /srv/www;
    location /files { alias /srv/upload/; }
    location /upload/ { alias /srv/upload/; dav_methods PUT; client_max_body_size 8m; }
    location /pages/ { alias /srv/www/; dav_methods PUT DELETE; }
    location /behind/ { proxy_pass http://127.0.0.1:80/; }
}
";

/// How many of the misuses, at the end, a profile that was learned refuses elsewhere, or not.
const FORBIDDEN: usize = 3;

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    Misuse::program(
        || get("/files../private/notes") + &file(ERRORS), "open() \"/srv/upload/../private/notes\" failed (13: Permission denied)",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || get("/shadow") + &file(ERRORS), "open() \"/srv/www/shadow\" failed (13: Permission denied)",
        ("read", "/etc/shadow"), &["read", "/srv/www/shadow"],
    ),
    Misuse::program(
        || get("/.git/config") + &file(ERRORS), "open() \"/srv/www/.git/config\" failed (13: Permission denied)",
        ("read", "/srv/www/.git/config"), &["read", "/srv/www/.git/config"],
    ),
    Misuse::program(
        || put("/pages/evil.html") + &file(ERRORS), REFUSED,
        ("create", "/srv/www/evil.html*"), &["create", "/srv/www/evil.html"],
    ),
    Misuse::program(
        || ask(PORT, b"DELETE /pages/index.html HTTP/1.0\r\n\r\n", "") + &file(ERRORS),
        "unlink() \"/srv/www/index.html\" failed (13: Permission denied)",
        ("remove", "/srv/www/index.html"), &["write", "/srv/www/index.html"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["exec", "/usr/bin/dash", "-c", ":"], ("execute", "/usr/bin/dash")),
    Misuse::domain(&["truncate", "/var/log/nginx/access.log"], ("write", "/var/log/nginx/access.log")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
    // What its author forbids, and who only watched it would not: `FORBIDDEN`.
    Misuse::program(
        || configured("error_log /etc/cron.d/evil;"), "open() \"/etc/cron.d/evil\" failed (13: Permission denied)",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || configured("load_module /tmp/evil.so;"), "/tmp/evil.so: cannot open shared object file: Permission denied",
        ("read", "/tmp/evil.so"), &["read", "/tmp/evil.so"],
    ),
    // What was uploaded stays.
    Misuse::program(
        || put("/upload/a.txt") + &file(ERRORS), "to \"/srv/upload/a.txt\" failed (13: Permission denied)",
        ("remove", "/srv/upload/a.txt"), &["write", "/srv/upload/a.txt"],
    ),
];

#[test]
fn nginx() {
    PROGRAM.check();
}

/// It is learned from some pages and uploads, and holds for others.
#[test]
fn nginx_is_learned() {
    let lesson = Lesson {
        name: "nginx",
        needs: PROGRAM.needs,
        before: || (),
        taught: Taught::Service(&["--executable", BINARY], run_with),
        misuses: &MISUSES[..MISUSES.len() - FORBIDDEN],
    };
    lesson.check();
}

/// Serves pages and takes uploads that no other run has.
fn run_with(round: u32) -> Service {
    let folder = format!("/srv/www/{round}");
    fs::create_dir_all(&folder).expect("make a folder");
    for number in 0..4 {
        fs::write(format!("{folder}/page-{number}.html"), "a page").expect("write a file");
        fs::write(format!("/srv/www/{round}{number}.html"), "a page").expect("write a file");
    }
    for file in ["/var/log/nginx/access.log.1", "/srv/upload/a.txt"] {
        let _absent = fs::remove_file(file);
    }
    let service = work(start());
    for number in 0..4 {
        assert!(get(&format!("/{round}/page-{number}.html")).ends_with("a page"));
        assert!(get(&format!("/{round}{number}.html")).ends_with("a page"));
        let stored = put(&format!("/upload/{round}-{number}.txt"));
        assert!(stored.contains("201 Created"), "{stored}");
    }
    service
}

fn start() -> Service {
    for folder in [
        "/var/log/nginx",
        "/srv/www/.git",
        "/var/lib/nginx",
        "/srv/legacy",
    ] {
        fs::create_dir_all(folder).expect("make a folder");
    }
    scene::folder_of("www-data", "/srv/upload", 0o755);
    for (path, text) in [
        ("/srv/www/index.html", "<h1>welcome</h1>"),
        (
            "/srv/www/.git/config",
            "[remote]\nurl = https://user:secret@example.org\n",
        ),
        ("/etc/nginx/sites-available/test", SITE),
    ] {
        fs::write(path, text).expect("write a file");
    }
    scene::mode("/srv/www", 0o777);
    for link in ["/srv/www/shadow", "/etc/nginx/sites-enabled/test"] {
        let _absent = fs::remove_file(link);
    }
    symlink("/etc/shadow", "/srv/www/shadow").expect("make a link");
    let _absent = fs::remove_file("/etc/nginx/sites-enabled/default");
    symlink(
        "/etc/nginx/sites-available/test",
        "/etc/nginx/sites-enabled/test",
    )
    .expect("make a link");
    // As `nginx.service` has it: checked, then started as a daemon that this does not leave.
    let checked = says(&mut command(
        "root",
        BINARY,
        &["-t", "-q", "-g", "daemon on; master_process on;"],
    ));
    assert_eq!(checked, "");
    let args = ["-g", "daemon off; master_process on;"];
    Service::start(&mut command("root", BINARY, &args)).listening(PORT)
}

fn get(path: &str) -> String {
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    ask(PORT, request.as_bytes(), "")
}

fn put(path: &str) -> String {
    let body = "x".repeat(100_000);
    let length = body.len();
    let request =
        format!("PUT {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
    ask(PORT, request.as_bytes(), "")
}

fn work(service: Service) -> Service {
    assert!(get("/").ends_with("<h1>welcome</h1>"));
    assert!(get("/absent").contains("404 Not Found"));
    let stored = put("/upload/a.txt");
    assert!(stored.contains("201 Created"), "{stored}");
    assert_eq!(file("/srv/upload/a.txt").len(), 100_000);
    assert!(get("/files/a.txt").ends_with("xxxx"));
    assert!(get("/behind/").ends_with("<h1>welcome</h1>"));
    // It is rotated as by logrotate.
    fs::rename("/var/log/nginx/access.log", "/var/log/nginx/access.log.1").expect("rotate a log");
    service.signal(Signal::USR1);
    wait("the new log", || {
        get("/");
        file("/var/log/nginx/access.log").contains("\"GET / HTTP/1.0\" 200")
    });
    let more = SITE.replace(
        "location /files",
        "location /more { return 200 more; }\nlocation /files",
    );
    fs::write("/etc/nginx/sites-available/test", more).expect("write a file");
    run(&mut command("root", BINARY, &["-s", "reload"]));
    wait("the new site", || get("/more").ends_with("more"));
    service
}

/// What comes of a line of configuration, when it is checked.
fn configured(line: &str) -> String {
    fs::write("/etc/nginx/evil.conf", format!("{line}\nevents {{ }}\n")).expect("write a file");
    says(&mut command(
        "root",
        BINARY,
        &["-t", "-c", "/etc/nginx/evil.conf"],
    ))
}
