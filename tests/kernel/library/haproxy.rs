//! `haproxy`.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::net::{UnixDatagram, UnixStream},
    sync::{Mutex, Once},
    thread,
};

use rustix::process::Signal;

use super::{Misuse, Program, Service, ask, command, file, says, scene, wait};

const PORT: u16 = 80;
const BACKEND: u16 = 8080;
const BINARY: &str = "/usr/sbin/haproxy";
const CONFIGURATION: &str = "/etc/haproxy/test.cfg";
const SCRIPT: &str = "/etc/haproxy/evil.lua";

const PROGRAM: Program = Program {
    profiles: &["haproxy"],
    needs: &[BINARY],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // Scripts that came into its folder.
    Misuse::program(
        || script("print(io.open('/etc/shadow'))"), "/etc/shadow: Permission denied",
        ("read", "/etc/shadow"), &["read", "/etc/shadow"],
    ),
    Misuse::program(
        || script("print(io.open('/etc/cron.d/evil', 'w'))"), "/etc/cron.d/evil: Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || script("print(io.open('/etc/haproxy/test.cfg', 'a'))"), "/etc/haproxy/test.cfg: Permission denied",
        ("append", CONFIGURATION), &["append", CONFIGURATION],
    ),
    Misuse::program(
        || script("print(os.remove('/etc/planted'))"), "/etc/planted: Permission denied",
        ("remove", "/etc/planted"), &["write", "/etc/planted"],
    ),
    Misuse::program(
        || script("print(os.execute('id'))"), "exit\t127",
        ("execute", "/usr/bin/dash"), &["exec", "/usr/bin/dash", "-c", ":"],
    ),
    Misuse::program(
        || script("print(package.loadlib('/tmp/evil.so', 'f'))"), "/tmp/evil.so: cannot open shared object file: Permission denied",
        ("read", "/tmp/evil.so"), &["read", "/tmp/evil.so"],
    ),
    // What its configuration can make it read and write.
    Misuse::program(
        || configured("global\n lua-load /srv/private/notes\n"), "/srv/private/notes",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || configured("defaults\n errorfile 503 /root/.ssh/id_ed25519\n"), "/root/.ssh/id_ed25519",
        ("read", "/root/.ssh/id_ed25519"), &["read", "/root/.ssh/id_ed25519"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["connect", "/run/docker.sock"], ("connect", "/run/docker.sock")),
    Misuse::domain(&["code-written"],                ("", "execmem")),
    Misuse::domain(&["host-name"],                   ("", "sys_admin")),
];

#[test]
fn haproxy() {
    PROGRAM.check();
}

/// What the log was told.
static LOGGED: Mutex<String> = Mutex::new(String::new());

fn start() -> Service {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        serve_pages();
        for folder in ["/var/lib/haproxy/dev", "/run/haproxy"] {
            fs::create_dir_all(folder).expect("make a folder");
        }
        for socket in ["/dev/log", "/var/lib/haproxy/dev/log"] {
            keep_log(socket);
        }
    });
    // That of the package, with something to do.
    let text = file("/etc/haproxy/haproxy.cfg");
    let balanced = format!(
        "frontend web\n bind 127.0.0.1:{PORT}\n default_backend pages\nbackend pages\n \
         server one 127.0.0.1:{BACKEND} check inter 100\n"
    );
    fs::write(CONFIGURATION, text + &balanced).expect("write a file");
    serve()
}

/// As `haproxy.service` has it.
fn serve() -> Service {
    let master = "/run/haproxy-master.sock";
    let args = [
        "-Ws",
        "-f",
        CONFIGURATION,
        "-p",
        "/run/haproxy.pid",
        "-S",
        master,
    ];
    Service::start(&mut command("root", BINARY, &args)).ready()
}

/// A server behind it, which says the same to everybody.
fn serve_pages() {
    let listener = TcpListener::bind(("127.0.0.1", BACKEND)).expect("listen");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _request = stream.read(&mut [0; 4096]);
            let page = b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\npage";
            let _gone = stream.write_all(page);
        }
    });
}

/// Somebody who keeps what is logged to a socket.
fn keep_log(path: &str) {
    let _absent = fs::remove_file(path);
    let socket = UnixDatagram::bind(path).expect("make a socket");
    scene::mode(path, 0o666);
    thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(length) = socket.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]);
            LOGGED.lock().expect("a lock").push_str(&text);
        }
    });
}

fn get() -> String {
    ask(PORT, b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", "")
}

/// What its socket answers.
fn admin(words: &str) -> String {
    let mut socket = UnixStream::connect("/run/haproxy/admin.sock").expect("connect");
    socket.write_all(words.as_bytes()).expect("ask");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer
}

fn work(service: Service) -> Service {
    wait("a page", || get().ends_with("page"));
    assert!(admin("show info\n").contains("Name: HAProxy"));
    assert!(admin("show stat\n").contains("pages,one,"));
    assert_eq!(admin("disable server pages/one\n").trim(), "");
    assert!(get().contains("503 Service Unavailable"));
    assert_eq!(admin("enable server pages/one\n").trim(), "");
    wait("a page", || get().ends_with("page"));
    wait("the log", || {
        LOGGED.lock().expect("a lock").contains("GET / HTTP/1.0")
    });

    // It is reloaded as by `systemctl reload`: checked, then told.
    let checked = says(&mut command(
        "root",
        BINARY,
        &["-Ws", "-f", CONFIGURATION, "-c"],
    ));
    assert!(checked.contains("Configuration file is valid"), "{checked}");
    let worker = || {
        admin("show info\n")
            .lines()
            .find(|line| line.starts_with("Pid:"))
            .map(str::to_owned)
    };
    let before = worker();
    service.signal(Signal::USR2);
    let service = service.ready();
    wait("a new worker", || worker() != before);
    wait("a page", || get().ends_with("page"));
    service
}

/// What comes of a configuration, with what a start needs.
fn configured(text: &str) -> String {
    let path = "/etc/haproxy/evil.cfg";
    fs::write(path, format!("{text}\n")).expect("write a file");
    says(&mut command("root", BINARY, &["-f", path, "-c"]))
}

/// What comes of a script that it loads.
fn script(text: &str) -> String {
    fs::write(SCRIPT, format!("{text}\n")).expect("write a file");
    configured(&format!("global\n lua-load {SCRIPT}\n"))
}
