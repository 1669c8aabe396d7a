//! Requests to a real nginx: what it costs a service that is confined.

use std::{
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use enforcer_tests::{measure::each, stop, wait_for};

use crate::{place, rows};

/// The row's name.
pub(crate) const ROW: &str = "nginx-request";

const CONFIGURATION: &str = include_str!("nginx.conf");
const SERVER: &str = "/usr/sbin/nginx";
/// The port that it listens on, as its configuration has it.
pub(crate) const PORT: u16 = 8080;
const ADDRESS: (&str, u16) = ("127.0.0.1", PORT);
const REQUEST: &[u8] = b"GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n";

/// What is served.
const PAGE: [u8; 612] = [b'x'; 612];

/// Requests in a batch.
const REQUESTS: u32 = 8;

/// Writes nginx's files.
pub(crate) fn prepare() {
    for folder in ["www/pages", "www/state", "www/logs"] {
        fs::create_dir_all(place::path(folder)).expect("make a folder");
    }
    fs::write(place::path("www/nginx.conf"), CONFIGURATION).expect("write a file");
    fs::write(place::path("www/pages/index.html"), PAGE).expect("write a file");
}

/// Starts nginx by way of a command that confines it, counts the instructions of the
/// whole guest for a request, and stops it.
///
/// The client is this process, which nobody confines.
pub(crate) fn measure(confiner: &[OsString]) {
    let mut server = start(confiner);
    for _ in 0..REQUESTS {
        request();
    }
    rows::tell(ROW, each(REQUESTS, |_| request()));
    stop(&mut server);
}

fn start(confiner: &[OsString]) -> Child {
    let mut words = confiner.to_vec();
    words.extend([place::BENCH, "as-user", SERVER].map(Into::into));
    let log = place::path("www/logs/error.log");
    words.extend(["-e".into(), log.clone().into()]);
    words.extend(["-c".into(), place::path("www/nginx.conf").into()]);
    let mut server = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start nginx");
    let up = wait_for(Duration::from_mins(1), || {
        let ended = server.try_wait().expect("look at a child").is_some();
        (ended || TcpStream::connect(ADDRESS).is_ok()).then_some(!ended)
    });
    if up != Some(true) {
        let log = fs::read_to_string(log).unwrap_or_default();
        panic!("nginx does not come up: {log}");
    }
    server
}

/// Makes a request with a connection of its own.
fn request() {
    let mut connection = TcpStream::connect(ADDRESS).expect("connect");
    connection.write_all(REQUEST).expect("ask");
    let mut answer = Vec::with_capacity(2048);
    connection
        .read_to_end(&mut answer)
        .expect("read the answer");
    assert!(
        answer.ends_with(&PAGE),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}
