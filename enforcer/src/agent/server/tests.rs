//! Clients of all kinds, against a server without an agent behind it.

use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::mpsc,
};

use super::{Answer, Ask, SocketError, listen, serve};
use crate::protocol::{Request, line::LINE_LEN, request_line};

/// Runs `test` beside a server whose agent answers every request with `"x"`.
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
                let _sent = ask
                    .answer
                    .send(Answer::Lines(vec![format!("{{\"ok\":{has_process}}}\n")]));
            }
        });
        tokio::time::timeout(Duration::from_secs(30), test(socket))
            .await
            .unwrap();
    });
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
