//! Asking the agent.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use crate::{
    detection::{Detection, DetectionId},
    protocol::{
        Failure, Reply, Request,
        line::LINE_LEN,
        request_line,
        status::Status,
        views::{Page, Part},
    },
};

/// How often an agent that is awaited is asked.
const POLL: Duration = Duration::from_millis(50);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No agent listens.
    #[error("no agent listens on {}; start it with `enforcer run`", path.display())]
    NoAgent {
        /// The socket.
        path: PathBuf,
    },
    /// The agent cannot be reached.
    #[error("cannot talk to the agent on {}", path.display())]
    Talk {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The agent's answer makes no sense.
    #[error("cannot understand the agent; use the `enforcer` that it was started with")]
    Reply {
        /// Why.
        source: serde_json::Error,
    },
    /// The agent has no answer.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Asks for the detections that come after one; only those of a profile, if one is given.
///
/// # Errors
///
/// If they are not told.
pub fn detections(
    socket: &Path,
    mut after: DetectionId,
    profile: Option<&str>,
) -> Result<Vec<Detection>, CallError> {
    let mut all = Vec::new();
    loop {
        let profile = profile.map(str::to_owned);
        let page: Page = call(socket, &Request::Detections { after, profile })?;
        let Some(last) = page.detections.last() else {
            return Ok(all);
        };
        after = last.id;
        all.extend(page.detections);
        if !page.more {
            return Ok(all);
        }
    }
}

/// A connection to the agent, for one request.
#[derive(Debug)]
pub struct Call {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

/// Asks for one answer.
///
/// # Errors
///
/// If there is none.
pub fn call<T: DeserializeOwned>(socket: &Path, request: &Request) -> Result<T, CallError> {
    Call::start(socket, request)?.answer()
}

/// Asks for a list that comes in parts.
///
/// # Errors
///
/// If it does not come whole.
pub fn list<T: DeserializeOwned>(socket: &Path, request: &Request) -> Result<Vec<T>, CallError> {
    Call::start(socket, request)?.list()
}

/// Asks for the status.
///
/// # Errors
///
/// If it does not come whole.
pub fn status(socket: &Path) -> Result<Status, CallError> {
    let mut call = Call::start(socket, &Request::Status)?;
    let mut status: Status = call.answer()?;
    status.profiles = call.list()?;
    status.permits = call.list()?;
    Ok(status)
}

/// Asks again, for so long at most, while no agent listens.
///
/// # Errors
///
/// If there is no answer.
pub fn patiently<T>(
    time: Duration,
    ask: impl Fn() -> Result<T, CallError>,
) -> Result<T, CallError> {
    let started = Instant::now();
    loop {
        match ask() {
            Err(CallError::NoAgent { .. }) if started.elapsed() < time => thread::sleep(POLL),
            answer => return answer,
        }
    }
}

impl Call {
    /// Sends a request.
    ///
    /// # Errors
    ///
    /// If no agent takes it.
    pub fn start(socket: &Path, request: &Request) -> Result<Self, CallError> {
        let path = socket.to_owned();
        let stream = UnixStream::connect(socket).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                CallError::NoAgent { path: path.clone() }
            }
            _ => CallError::Talk {
                path: path.clone(),
                source,
            },
        })?;
        let line = request_line(request).map_err(|source| CallError::Reply { source })?;
        let mut call = Self {
            stream: BufReader::new(stream),
            path,
        };
        match call.stream.get_mut().write_all(line.as_bytes()) {
            // It stopped to read; it may have said why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(call.failed(error)),
            _ => Ok(call),
        }
    }

    /// Waits for the next answer. `None`: there is no other.
    ///
    /// # Errors
    ///
    /// If it makes no sense, or says that there is none.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, CallError> {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_LEN).unwrap_or(u64::MAX);
        self.stream
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|source| self.failed(source))?;
        if line.is_empty() {
            return Ok(None);
        }
        match serde_json::from_slice(&line).map_err(|source| CallError::Reply { source })? {
            Reply::Ok(answer) => Ok(Some(answer)),
            Reply::Error(failure) => Err(failure.into()),
        }
    }

    /// Waits for an answer that there has to be.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn answer<T: DeserializeOwned>(&mut self) -> Result<T, CallError> {
        let answer = self.receive()?;
        answer.ok_or_else(|| self.failed(io::ErrorKind::UnexpectedEof.into()))
    }

    fn list<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        loop {
            let Part { items, more } = self.answer()?;
            all.extend(items);
            if !more {
                return Ok(all);
            }
        }
    }

    /// Says that this is the end, and waits for the answer to that.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn finish<T: DeserializeOwned>(mut self) -> Result<T, CallError> {
        // Where the agent is gone, reading tells.
        let _closed = self.stream.get_ref().shutdown(Shutdown::Write);
        self.answer()
    }

    /// Whether the agent has said something by now, or is gone. Does not wait.
    pub fn is_answered(&mut self) -> bool {
        // Else the read would wait.
        if self.stream.get_ref().set_nonblocking(true).is_err() {
            return false;
        }
        let said = self.stream.fill_buf().map(drop);
        let _waits_again = self.stream.get_ref().set_nonblocking(false);
        said.map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |()| true)
    }

    fn failed(&self, source: io::Error) -> CallError {
        CallError::Talk {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        os::unix::net::UnixListener,
        thread,
        time::Duration,
    };

    use super::{Call, CallError, Request, list, patiently};
    use crate::protocol::request_line;

    /// Asks an agent that answers with these lines for a list.
    fn answered(lines: &str) -> Result<Vec<u8>, CallError> {
        let base = tempfile::tempdir().unwrap();
        let socket = base.path().join("a.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut stream = BufReader::new(listener.accept().unwrap().0);
                stream.read_line(&mut String::new()).unwrap();
                stream.get_mut().write_all(lines.as_bytes()).unwrap();
            });
            list(&socket, &Request::TightenLog)
        })
    }

    #[test]
    fn a_list_is_whole_or_none() {
        let [first, last] = [
            r#"{"ok":{"items":[1,2],"more":true}}"#,
            r#"{"ok":{"items":[3],"more":false}}"#,
        ];
        let failed = r#"{"error":{"kind":"internal","message":"no more"}}"#;
        #[rustfmt::skip]
        let cases = [
            ("one part",   format!("{last}\n"),            Ok(vec![3])),
            ("two",        format!("{first}\n{last}\n"),   Ok(vec![1, 2, 3])),
            ("cut",        format!("{first}\n"),           Err("cannot talk to the agent")),
            ("a failure",  format!("{first}\n{failed}\n"), Err("no more")),
        ];
        for (name, lines, want) in cases {
            match (answered(&lines), want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want, "{name}"),
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{name}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_connection_that_stays_open() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let request = Request::Status;
        for is_patient in [true, false] {
            let mut call = Call::start(&path, &request).unwrap();
            let (mut agent, _) = listener.accept().unwrap();
            let mut line = vec![0; request_line(&request).unwrap().len()];
            agent.read_exact(&mut line).unwrap();
            assert!(!call.is_answered());
            agent.write_all(b"{\"ok\":1}\n").unwrap();
            assert!(call.is_answered(), "and nothing is lost by asking that");
            assert_eq!(call.answer::<u32>().unwrap(), 1);
            assert!(!call.is_answered());
            if is_patient {
                let agent = thread::spawn(move || {
                    assert_eq!(agent.read(&mut [0]).unwrap(), 0);
                    agent.write_all(b"{\"ok\":2}\n").unwrap();
                });
                assert_eq!(call.finish::<u32>().unwrap(), 2);
                agent.join().unwrap();
            } else {
                drop(agent);
                assert!(call.is_answered());
                let error = call.finish::<u32>().unwrap_err();
                assert!(matches!(error, CallError::Talk { .. }), "{error}");
            }
        }
    }

    #[test]
    fn an_agent_that_comes_is_awaited() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("socket");
        let ask = || Call::start(&path, &Request::Status);
        let none = patiently(Duration::ZERO, ask).unwrap_err();
        assert!(matches!(none, CallError::NoAgent { .. }), "{none}");
        thread::scope(|scope| {
            let asked = scope.spawn(|| patiently(Duration::from_mins(1), ask));
            let _listener = UnixListener::bind(&path).unwrap();
            asked.join().unwrap().unwrap();
        });
    }
}
