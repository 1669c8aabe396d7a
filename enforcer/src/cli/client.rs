//! Asking the agent.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use crate::{
    detection::{Detection, DetectionId},
    protocol::{Failure, Reply, Request, line::LINE_LEN, request_line, views::Page},
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
    let mut call = Call::start(socket, request)?;
    let answer = call.receive()?;
    answer.ok_or_else(|| call.failed(io::ErrorKind::UnexpectedEof.into()))
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

    fn failed(&self, source: io::Error) -> CallError {
        CallError::Talk {
            path: self.path.clone(),
            source,
        }
    }
}
