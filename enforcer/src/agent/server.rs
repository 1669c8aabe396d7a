//! The socket: who may ask, and how long it may take.
//!
//! Each connection has a task of its own, which reads one request and hands it to
//! the agent through a queue. So a client that is slow, or dead, keeps nobody
//! waiting but itself.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use enforcer_abi::Adopted;
use rustix::process::geteuid;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot},
    time::timeout,
};

use super::processes::procfs::Procfs;
use crate::{
    detection::Detection,
    protocol::{self, Failure, FailureKind, Reply, Request, line, views::Followed},
};

/// Connections that are served at a time; the next ones wait.
const CONNECTIONS: usize = 64;
/// Connections that follow at a time.
const FOLLOWERS: usize = 64;
/// How long a client may take to send its request.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// How long a client may take to receive a line.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// A request on its way to the agent.
#[derive(Debug)]
pub struct Ask {
    /// What is asked.
    pub request: Request,
    /// The process that asks, if it wants to be enrolled.
    pub process: Option<Adopted>,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Answer>,
}

/// What the agent answers.
#[derive(Debug)]
pub enum Answer {
    /// One line, or a list in several.
    Lines(Vec<String>),
    /// Lines as they come: the detections, of this profile if one is named.
    Follow(broadcast::Receiver<Arc<Detection>>, Option<String>),
    /// A line at once, and one at the end of a watch.
    Watch(String, Watch),
}

/// A watch, in the hands of its connection. It ends when this is dropped, or tells where the
/// answer to its end goes.
pub type Watch = oneshot::Sender<oneshot::Sender<Answer>>;

/// A socket that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// Another agent listens.
    #[error("another agent listens on {}; stop it, or choose another socket with --socket", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something else has its name.
    #[error("{} is no socket; move it away, or choose another one with --socket", path.display())]
    NotASocket {
        /// The socket.
        path: PathBuf,
    },
    /// It cannot be made.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes the socket, for root alone.
///
/// # Errors
///
/// If another agent has it, or it cannot be made.
pub fn listen(path: &Path) -> Result<UnixListener, SocketError> {
    let failed = |source| SocketError::Listen {
        path: path.to_owned(),
        source,
    };
    clear(path)?;
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(directory)
            .map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Takes away the socket of an agent that died.
///
/// # Errors
///
/// If another agent listens on it, or it is something else.
pub fn clear(path: &Path) -> Result<(), SocketError> {
    let failed = |source| SocketError::Listen {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => Err(SocketError::NotASocket {
            path: path.to_owned(),
        }),
        Ok(_) => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(SocketError::InUse {
                    path: path.to_owned(),
                });
            }
            fs::remove_file(path).map_err(failed)
        }
    }
}

/// Serves connections for ever.
pub async fn serve(listener: UnixListener, agent: mpsc::Sender<Ask>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let followers = Arc::new(Semaphore::new(FOLLOWERS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = Connection {
                    agent: agent.clone(),
                    followers: Arc::clone(&followers),
                };
                tokio::spawn(connection.serve(stream, permit));
            }
            // Out of descriptors, most likely. Others may be closed meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

struct Connection {
    agent: mpsc::Sender<Ask>,
    followers: Arc<Semaphore>,
}

impl Connection {
    /// Serves one request. A client that cannot be written to gets no answer:
    /// there is nobody to tell.
    async fn serve(self, stream: UnixStream, permit: OwnedSemaphorePermit) {
        let mut stream = BufReader::new(stream);
        let answer = match timeout(READ_LIMIT, self.ask(&mut stream)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => failure_line(failure),
            Err(_elapsed) => failure_line(Failure::new(
                FailureKind::BadRequest,
                "the request took too long",
            )),
        };
        match answer {
            Answer::Lines(lines) => {
                for line in lines {
                    if send(&mut stream, &line).await.is_err() {
                        return;
                    }
                }
            }
            Answer::Follow(detections, profile) => {
                if let Ok(_follower) = self.followers.try_acquire() {
                    drop(permit);
                    follow(&mut stream, detections, profile.as_deref()).await;
                } else {
                    let busy =
                        Failure::new(FailureKind::Conflict, "too many clients follow already");
                    let _sent = send(&mut stream, &failure_text(busy)).await;
                }
            }
            Answer::Watch(begun, end) => {
                drop(permit);
                watch(&mut stream, &begun, end).await;
            }
        }
    }

    /// Reads the request and gets its answer.
    async fn ask(&self, stream: &mut BufReader<UnixStream>) -> Result<Answer, Failure> {
        let peer = stream
            .get_ref()
            .peer_cred()
            .map_err(|error| Failure::internal(&error))?;
        // The agent's own user can do all that the agent can.
        if peer.uid() != 0 && peer.uid() != geteuid().as_raw() {
            return Err(Failure::new(
                FailureKind::Forbidden,
                "only root may talk to the agent",
            ));
        }
        let line = line::read(stream)
            .await
            .map_err(|error| Failure::new(FailureKind::BadRequest, protocol::chain(&error)))?;
        let request = protocol::parse_request(line.as_deref().unwrap_or_default())?;
        let process = match request {
            Request::Enrol { .. } => Some(process(stream, peer.pid())?),
            _ => None,
        };
        let (answer, answered) = oneshot::channel();
        let ask = Ask {
            request,
            process,
            answer,
        };
        // Either fails only when the agent's end of the queue is gone.
        let sent = self.agent.send(ask).await.is_ok();
        let answer = if sent { answered.await.ok() } else { None };
        answer.ok_or_else(|| Failure::new(FailureKind::Internal, "the agent is ending"))
    }
}

/// Returns the name under which the kernel programs know the process at the other
/// end.
///
/// Its id could belong to another process by now. It does not, if the connection
/// is open *after* it was looked up when the process started: then it was there.
fn process(stream: &BufReader<UnixStream>, pid: Option<i32>) -> Result<Adopted, Failure> {
    let gone = || Failure::new(FailureKind::Conflict, "the process that asked is gone");
    let pid = pid
        .and_then(|pid| u32::try_from(pid).ok())
        .ok_or_else(gone)?;
    let procfs = Procfs::at(Path::new("/proc"));
    let stat = procfs.stat(pid).ok_or_else(gone)?;
    let process = Adopted {
        start: stat.start,
        tgid: pid,
        reserved: 0,
    };
    match stream.get_ref().try_read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(process),
        _ => Err(gone()),
    }
}

/// Sends detections until the client goes.
async fn follow(
    stream: &mut BufReader<UnixStream>,
    mut detections: broadcast::Receiver<Arc<Detection>>,
    profile: Option<&str>,
) {
    loop {
        let mut rest = [0];
        let followed = tokio::select! {
            received = detections.recv() => match received {
                Ok(detection) if profile.is_some_and(|name| name != detection.profile) => continue,
                Ok(detection) => Followed::Detection(Box::new(Detection::clone(&detection))),
                Err(broadcast::error::RecvError::Lagged(missed)) => Followed::Missed(missed),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            // Whatever a client sends now, it is at its end.
            _ = stream.read(&mut rest) => return,
        };
        let Ok(line) = line::of(&Reply::Ok(followed)) else {
            return;
        };
        if send(stream, &line).await.is_err() {
            return;
        }
    }
}

/// Says that a watch has begun, and that it is over once the client wants no more or is gone.
async fn watch(stream: &mut BufReader<UnixStream>, begun: &str, end: Watch) {
    if send(stream, begun).await.is_err() {
        return;
    }
    // As above. The kernel closes the connection of a client that is killed.
    let _rest = stream.read(&mut [0]).await;
    let (answer, answered) = oneshot::channel();
    if end.send(answer).is_ok()
        && let Ok(Answer::Lines(ended)) = answered.await
    {
        let _sent = send(stream, &ended.concat()).await;
    }
}

async fn send(stream: &mut BufReader<UnixStream>, line: &str) -> io::Result<()> {
    timeout(WRITE_LIMIT, stream.write_all(line.as_bytes()))
        .await
        .unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()))
}

/// Returns a failure as an answer.
pub fn failure_line(failure: Failure) -> Answer {
    Answer::Lines(vec![failure_text(failure)])
}

fn failure_text(failure: Failure) -> String {
    let reply: Reply<()> = Reply::Error(failure);
    // A failure is two strings, which JSON always can say.
    line::of(&reply).unwrap_or_default()
}

#[cfg(test)]
mod tests;
