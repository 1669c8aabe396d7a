//! `python3 -m http.server`.

use std::{fs, os::unix::fs::symlink, process::Command};

use super::{Lesson, Misuse, Program, Service, Taught, ask, command, run, says, scene};

const PORT: u16 = 8000;
/// What systemd makes for the unit.
const CGROUP: &str = "/sys/fs/cgroup/system.slice/python-http.service";

const PROGRAM: Program = Program {
    profiles: &["python-http"],
    needs: &["/usr/bin/python3"],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // The server follows links, wherever they lead.
    Misuse::program(
        || get("/out/shadow"), "404 File not found",
        ("read", "/etc/shadow"), &["read", "/srv/http/out/shadow"],
    ),
    Misuse::program(
        || get("/notes"), "404 File not found",
        ("read", "/srv/private/notes"), &["read", "/srv/http/notes"],
    ),
    Misuse::program(
        || get("/.env"), "404 File not found",
        ("read", "/srv/http/.env"), &["read", "/srv/http/.env"],
    ),
    // What one does who runs code in it.
    Misuse::program(
        || code("print(open('/root/.ssh/id_ed25519').read())"), "[Errno 13] Permission denied",
        ("read", "/root/.ssh/id_ed25519"), &["read", "/root/.ssh/id_ed25519"],
    ),
    Misuse::program(
        || code("open('/srv/http/index.html', 'w')"), "[Errno 13] Permission denied",
        ("write", "/srv/http/index.html"), &["write", "/srv/http/index.html"],
    ),
    Misuse::program(
        || code("open('/etc/cron.d/evil', 'w')"), "[Errno 13] Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || code("import os; os.execv('/usr/bin/dash', ['sh'])"), "[Errno 13] Permission denied",
        ("execute", "/usr/bin/dash"), &["exec", "/usr/bin/dash", "-c", ":"],
    ),
    Misuse::program(
        || code("import ctypes; ctypes.CDLL('/tmp/evil.so')"), "Permission denied",
        ("read", "/tmp/evil.so"), &["read", "/tmp/evil.so"],
    ),
    Misuse::program(
        || code("import mmap; mmap.mmap(-1, 4096, mmap.MAP_PRIVATE, 7)"), "[Errno 1] Operation not permitted",
        ("", "execmem"), &["code-writable"],
    ),
    Misuse::program(
        || code("import socket; socket.socket(1).connect('/run/docker.sock')"),
        "[Errno 13] Permission denied",
        ("connect", "/run/docker.sock"), &["connect", "/run/docker.sock"],
    ),
];

#[test]
fn python() {
    PROGRAM.check();
}

/// It is learned from some pages, and holds for others.
#[test]
fn python_is_learned() {
    let lesson = Lesson {
        name: "python-http",
        needs: PROGRAM.needs,
        before: || (),
        taught: Taught::Service(&["--unit", "python-http.service"], run_with),
        misuses: MISUSES,
    };
    lesson.check();
}

/// Serves pages that no other run has.
fn run_with(round: u32) -> Service {
    let folder = format!("/srv/http/files/{round}");
    fs::create_dir_all(&folder).expect("make a folder");
    for number in 0..6 {
        fs::write(format!("{folder}/page-{round}-{number}.txt"), "a page").expect("write a file");
    }
    let service = start();
    for number in 0..6 {
        let page = get(&format!("/files/{round}/page-{round}-{number}.txt"));
        assert!(page.ends_with("a page"), "{page}");
    }
    assert!(get(&format!("/files/{round}/")).contains("page-"));
    work(service)
}

fn start() -> Service {
    // As the scripts of its packages do, it compiles what it imports.
    let all = "import http.server, ctypes, mmap, socket, urllib.request, encodings.idna";
    run(&mut command("root", "/usr/bin/python3", &["-c", all]));
    run(&mut command(
        "root",
        "/usr/bin/python3",
        &["-m", "http.server", "--help"],
    ));
    fs::create_dir_all("/srv/http/files").expect("make a folder");
    for (path, text) in [
        ("/srv/http/index.html", "<h1>welcome</h1>"),
        ("/srv/http/files/one.txt", "the first"),
        ("/srv/http/files/two.svg", "<svg/>"),
        ("/srv/http/.env", "PASSWORD=secret"),
        ("/etc/mime.types", "image/svg+xml svg\n"),
    ] {
        fs::write(path, text).expect("write a file");
        scene::mode(path, 0o666);
    }
    for link in ["/srv/http/out", "/srv/http/notes"] {
        let _absent = fs::remove_file(link);
    }
    symlink("/etc", "/srv/http/out").expect("make a link");
    symlink("/srv/private/notes", "/srv/http/notes").expect("make a link");
    fs::create_dir_all(CGROUP).expect("make a cgroup");
    // Who starts it here is not root.
    scene::mode(format!("{CGROUP}/cgroup.procs"), 0o666);
    scene::mode("/sys/fs/cgroup/cgroup.procs", 0o666);
    let server = "-m http.server --directory /srv/http --bind 127.0.0.1 8000";
    Service::start(&mut in_unit(server)).listening(PORT)
}

/// Python with arguments, in the unit: whoever starts it enters the cgroup before.
fn in_unit(args: &str) -> Command {
    let script = format!("echo 0 > {CGROUP}/cgroup.procs; exec python3 {args}");
    command("www-data", "/usr/bin/dash", &["-c", &script])
}

/// What comes of a program in the unit.
fn code(program: &str) -> String {
    says(&mut in_unit(&format!("-c \"{program}\"")))
}

fn get(path: &str) -> String {
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    ask(PORT, request.as_bytes(), "")
}

fn work(service: Service) -> Service {
    let pages = [
        ("/", "<h1>welcome</h1>"),
        ("/files/one.txt", "the first"),
        ("/files/two.svg", "Content-type: image/svg+xml"),
        ("/files/", "<a href=\"one.txt\">one.txt</a>"),
        ("/files", "301 Moved Permanently"),
        ("/absent", "404 File not found"),
    ];
    for (path, says) in pages {
        let answer = get(path);
        assert!(answer.contains(says), "{path}: {answer}");
    }
    assert!(ask(PORT, b"HEAD / HTTP/1.0\r\n\r\n", "").contains("200 OK"));
    let said = service.said();
    assert!(
        said.contains("\"GET /files/one.txt HTTP/1.0\" 200"),
        "{said}"
    );
    service
}
