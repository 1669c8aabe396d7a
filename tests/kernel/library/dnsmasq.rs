//! `dnsmasq`.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use rustix::process::Signal;

use super::{Misuse, Program, Service, command, file, says, scene, wait};

const BINARY: &str = "/usr/sbin/dnsmasq";
const LOG: &str = "/var/log/dnsmasq.log";
const UPSTREAM: &str = "127.0.0.2:53";
const PATIENCE: Duration = Duration::from_secs(5);

const PROGRAM: Program = Program {
    profiles: &["dnsmasq"],
    needs: &[BINARY],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

const CONFIGURATION: &str = "\
interface=lo
bind-interfaces
no-resolv
server=127.0.0.2
address=/here.example/192.0.2.7
addn-hosts=/etc/dnsmasq.hosts
log-queries
log-facility=/var/log/dnsmasq.log
enable-tftp
tftp-root=/srv/tftp
";

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // It serves files of a folder, in which links lead anywhere.
    Misuse::program(
        || file_of("etc/shadow"), "cannot access /srv/tftp/etc/shadow: Permission denied",
        ("read", "/etc/shadow"), &["read", "/srv/tftp/etc/shadow"],
    ),
    Misuse::program(
        || file_of("notes"), "cannot access /srv/tftp/notes: Permission denied",
        ("read", "/srv/private/notes"), &["read", "/srv/tftp/notes"],
    ),
    // What its configuration can make it do.
    Misuse::program(
        || configured("conf-file=/srv/private/notes"), "cannot read /srv/private/notes: Permission denied",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || configured("log-facility=/etc/cron.d/evil"), "cannot open log /etc/cron.d/evil: Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || configured("pid-file=/etc/cron.d/evil"), "/etc/cron.d/evil: Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    // What one does who runs code in it.
    Misuse::domain(&["exec", "/usr/bin/dash", "-c", ":"], ("execute", "/usr/bin/dash")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["write", "/etc/hosts"],              ("write", "/etc/hosts")),
    Misuse::domain(&["truncate", LOG],                    ("write", LOG)),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

#[test]
fn dnsmasq() {
    PROGRAM.check();
}

fn start() -> Service {
    for (path, text) in [
        ("/etc/dnsmasq.conf", "conf-dir=/etc/dnsmasq.d\n"),
        ("/etc/dnsmasq.d/local", CONFIGURATION),
        ("/etc/dnsmasq.hosts", "192.0.2.8 added.example\n"),
        ("/srv/tftp/boot.bin", "what boots"),
    ] {
        let folder = path.rsplit_once('/').expect("an absolute path").0;
        fs::create_dir_all(folder).expect("make a folder");
        fs::write(path, text).expect("write a file");
    }
    for (to, link) in [("/etc", "etc"), ("/srv/private/notes", "notes")] {
        std::os::unix::fs::symlink(to, format!("/srv/tftp/{link}")).expect("make a link");
    }
    scene::folder_of("dnsmasq", "/run/dnsmasq", 0o755);
    answer_as_upstream();
    // As `dnsmasq.service` has it, but for `--keep-in-foreground`.
    let args = [
        "-k",
        "-x",
        "/run/dnsmasq/dnsmasq.pid",
        "-u",
        "dnsmasq",
        "-7",
        "/etc/dnsmasq.d,.dpkg-dist,.dpkg-old,.dpkg-new",
        "--local-service",
    ];
    Service::start(&mut command("root", BINARY, &args)).listening(53)
}

/// A server that gives every name the same address.
fn answer_as_upstream() {
    let socket = UdpSocket::bind(UPSTREAM).expect("a socket");
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let mut answer = bytes[..length].to_vec();
            // Recursion is available; one answer, nothing else.
            answer[2..4].copy_from_slice(&[0x81, 0x80]);
            answer[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
            let question = 12
                + bytes[12..]
                    .iter()
                    .position(|byte| *byte == 0)
                    .expect("a name")
                + 5;
            answer.truncate(question);
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9]);
            let _gone = socket.send_to(&answer, from);
        }
    });
}

/// A question for a name's address.
fn question(name: &str) -> Vec<u8> {
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).expect("a short label"));
        question.extend(label.bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    question
}

/// The last number of a name's address; `None` if it has none.
fn address(name: &str) -> Option<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("set a time");
    socket
        .send_to(&question(name), "127.0.0.1:53")
        .expect("ask");
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).expect("an answer");
    (answer[7] > 0).then(|| answer[length - 1])
}

/// The same by TCP.
fn address_by_tcp(name: &str) -> Option<u8> {
    let mut stream = TcpStream::connect("127.0.0.1:53").expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("set a time");
    let question = question(name);
    let length = u16::try_from(question.len()).expect("it is short");
    stream
        .write_all(&[&length.to_be_bytes(), &*question].concat())
        .expect("ask");
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length");
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer).expect("an answer");
    (answer[7] > 0).then(|| answer.last().copied()).flatten()
}

/// What is answered to who wants a file by TFTP: a part of it, or why not.
fn file_of(name: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("set a time");
    let request = [&[0, 1], name.as_bytes(), b"\0octet\0"].concat();
    socket.send_to(&request, "127.0.0.1:69").expect("ask");
    let mut answer = [0; 1024];
    let (length, from) = socket.recv_from(&mut answer).expect("an answer");
    let _gone = socket.send_to(&[0, 4, 0, 1], from);
    String::from_utf8_lossy(&answer[4..length]).into_owned()
}

fn work(service: Service) -> Service {
    assert_eq!(address("here.example"), Some(7));
    assert_eq!(address_by_tcp("here.example"), Some(7));
    assert_eq!(address("added.example"), Some(8));
    assert_eq!(address("elsewhere.example"), Some(9));
    assert_eq!(file_of("boot.bin"), "what boots");
    wait("the log", || {
        file(LOG).contains("query[A] elsewhere.example from 127.0.0.1")
    });
    fs::write("/etc/dnsmasq.hosts", "192.0.2.10 later.example\n").expect("write a file");
    service.signal(Signal::HUP);
    wait("the new name", || address("later.example") == Some(10));
    fs::rename(LOG, "/var/log/dnsmasq.log.1").expect("rotate the log");
    fs::write(LOG, "").expect("make a log");
    scene::give("dnsmasq", LOG);
    service.signal(Signal::USR2);
    wait("what it counted", || {
        // Of two signals that wait, it takes this one first, whatever came first.
        service.signal(Signal::USR1);
        file(LOG).contains("queries forwarded ")
    });
    service
}

/// What comes of a line of configuration.
fn configured(line: &str) -> String {
    fs::write("/etc/dnsmasq.d/evil", format!("port=0\n{line}\n")).expect("write a file");
    let args = [
        "3",
        BINARY,
        "-k",
        "-u",
        "dnsmasq",
        "-C",
        "/etc/dnsmasq.d/evil",
        "-x",
        "/run/dnsmasq/other.pid",
    ];
    let said = says(&mut command("root", "/usr/bin/timeout", &args));
    fs::remove_file("/etc/dnsmasq.d/evil").expect("remove a file");
    said
}
