//! Clients of all kinds, against a server without an agent behind it.

use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    sync::{mpsc, oneshot},
};

use super::{Answer, Ask, SocketError, listen, serve};
use crate::protocol::{Request, line::LINE_LEN, request_line};

const BEGUN: &str = "{\"ok\":\"begun\"}\n";
const ENDED: &str = "{\"ok\":\"ended\"}\n";

/// Runs `test` beside a server whose agent answers every request with a line: whether a
/// process came with it. A request to watch is answered with [`BEGUN`], and its end with
/// [`ENDED`].
fn with_server<F: Future<Output = ()>>(test: impl FnOnce(std::path::PathBuf) -> F) {
    let base = tempfile::tempdir().unwrap();
    let socket = base.path().join("run/enforcer.sock");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = listen(&socket).unwrap();
        let (queue, mut asked) = mpsc::channel::<Ask>(8);
        tokio::spawn(serve(listener, queue));
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                let has_process = ask.process.is_some();
                let answer = match ask.request {
                    Request::Watch { .. } => watched(),
                    _ => Answer::Lines(vec![format!("{{\"ok\":{has_process}}}\n")]),
                };
                let _sent = ask.answer.send(answer);
            }
        });
        tokio::time::timeout(Duration::from_secs(30), test(socket))
            .await
            .unwrap();
    });
}

fn watched() -> Answer {
    let (watch, end) = oneshot::channel::<oneshot::Sender<Answer>>();
    tokio::spawn(async move {
        let answer = end.await.unwrap();
        let _sent = answer.send(Answer::Lines(vec![ENDED.to_owned()]));
    });
    Answer::Watch(BEGUN.to_owned(), watch)
}

/// Begins to watch.
async fn watch(socket: &Path) -> BufReader<UnixStream> {
    let request = Request::Watch {
        text: String::new(),
        file: "/p.yaml".to_owned(),
    };
    let request = request_line(&request).unwrap();
    let mut stream = BufReader::new(UnixStream::connect(socket).await.unwrap());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, BEGUN);
    stream
}

/// Sends `bytes` and returns all that comes back.
async fn exchange(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    // The server may close before it has read everything.
    let _sent = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    let _read = stream.read_to_end(&mut reply).await;
    String::from_utf8(reply).unwrap()
}

#[test]
fn one_request_one_reply() {
    let status = request_line(&Request::Status).unwrap();
    let enrol = r#"{"v":1,"command":"enrol","profile":{"name":"p"},"mode":null}"#.to_owned() + "\n";
    let long = "x".repeat(LINE_LEN + 10);
    #[rustfmt::skip]
    let cases = [
        ("a request",              status.as_str(),               r#"{"ok":false}"#),
        ("one that needs a process", enrol.as_str(),              r#"{"ok":true}"#),
        ("no request",             "\n",                          "bad-request"),
        ("no line",                "{\"v\":1",                    ""),
        ("too long",               long.as_str(),                 "more than 1048576 bytes"),
        ("something else",         "GET / HTTP/1.1\r\n\r\n",      "bad-request"),
    ];
    with_server(|socket| async move {
        for (name, request, want) in cases {
            if name == "no line" {
                // Ends without a line; the reply cannot be waited for by `exchange`,
                // which keeps its end open.
                let mut stream = UnixStream::connect(&socket).await.unwrap();
                stream.write_all(request.as_bytes()).await.unwrap();
                continue;
            }
            let reply = exchange(&socket, request.as_bytes()).await;
            assert!(reply.contains(want), "{name}: {reply}");
            assert!(reply.ends_with('\n'), "{name}: {reply}");
        }
    });
}

#[test]
fn a_client_that_says_nothing_keeps_nobody_waiting() {
    with_server(|socket| async move {
        let mut silent = Vec::new();
        for _ in 0..super::CONNECTIONS - 1 {
            silent.push(UnixStream::connect(&socket).await.unwrap());
        }
        let status = request_line(&Request::Status).unwrap();
        assert_eq!(
            exchange(&socket, status.as_bytes()).await,
            "{\"ok\":false}\n"
        );
    });
}

#[test]
fn clients_that_watch_keep_nobody_waiting() {
    with_server(|socket| async move {
        let mut watching = Vec::new();
        for _ in 0..=super::CONNECTIONS {
            watching.push(watch(&socket).await);
        }
        let status = request_line(&Request::Status).unwrap();
        assert_eq!(
            exchange(&socket, status.as_bytes()).await,
            "{\"ok\":false}\n"
        );
    });
}

#[test]
fn a_watch_ends_when_the_client_says_so() {
    with_server(|socket| async move {
        let mut stream = watch(&socket).await;
        stream.shutdown().await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, ENDED);
    });
}

#[test]
fn a_watch_ends_with_its_connection() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for has_read in [true, false] {
            let (mut ours, theirs) = UnixStream::pair().unwrap();
            let mut theirs = BufReader::new(theirs);
            let (watch, end) = oneshot::channel();
            let client = async move {
                if has_read {
                    ours.read_exact(&mut [0; BEGUN.len()]).await.unwrap();
                }
                drop(ours);
                // Dropped or told: over.
                let answer: Option<oneshot::Sender<Answer>> = end.await.ok();
                let ended = Answer::Lines(vec![ENDED.to_owned()]);
                answer.is_none_or(|answer| answer.send(ended).is_ok())
            };
            let served = super::watch(&mut theirs, BEGUN, watch);
            let ((), is_over) = tokio::join!(served, client);
            assert!(is_over, "{has_read}");
        }
    });
}

#[test]
fn the_socket_has_one_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let base = tempfile::tempdir().unwrap();
    let socket = base.path().join("a.sock");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let first = listen(&socket).unwrap();
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = listen(&socket).unwrap_err();
        assert!(matches!(error, SocketError::InUse { .. }), "{error}");
        drop(first);
        let _second = listen(&socket).unwrap();

        let file = base.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = listen(&file).unwrap_err();
        assert!(matches!(error, SocketError::NotASocket { .. }), "{error}");
    });
}
