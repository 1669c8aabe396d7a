//! Asking the agent.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
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
    Call::start(socket, request)?.one()
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
    let mut status: Status = call.one()?;
    status.profiles = call.list()?;
    status.permits = call.list()?;
    Ok(status)
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

    fn one<T: DeserializeOwned>(&mut self) -> Result<T, CallError> {
        let answer = self.receive()?;
        answer.ok_or_else(|| self.failed(io::ErrorKind::UnexpectedEof.into()))
    }

    fn list<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        loop {
            let Part { items, more } = self.one()?;
            all.extend(items);
            if !more {
                return Ok(all);
            }
        }
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
        io::{BufRead as _, BufReader, Write as _},
        os::unix::net::UnixListener,
        thread,
    };

    use super::{CallError, Request, list};

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
}
