//! Reading and writing lines, within limits.

use std::io;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Longest line, in bytes, its end included.
pub const LINE_LEN: usize = 1 << 20;

/// A line that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is longer than [`LINE_LEN`].
    #[error("a line of the protocol has more than {LINE_LEN} bytes")]
    TooLong,
    /// The other side is gone before its end.
    #[error("the other side closed the connection in the middle of a line")]
    Cut,
    /// The connection failed.
    #[error("cannot read from the socket")]
    Read {
        /// Why.
        source: io::Error,
    },
}

/// Returns `value` as a line of JSON, with its end.
///
/// # Errors
///
/// If it cannot be put into JSON.
pub fn of<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(line)
}

/// Reads a line, without its end. `None`: the other side has no more.
///
/// # Errors
///
/// Past [`LINE_LEN`] it stops reading, however much is sent.
pub async fn read<R: AsyncBufRead + Unpin>(reader: &mut R) -> Result<Option<Vec<u8>>, LineError> {
    let mut line = Vec::new();
    loop {
        let chunk = reader
            .fill_buf()
            .await
            .map_err(|source| LineError::Read { source })?;
        if chunk.is_empty() {
            return if line.is_empty() {
                Ok(None)
            } else {
                Err(LineError::Cut)
            };
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let (part, _rest) = chunk.split_at(end.unwrap_or(chunk.len()));
        if line.len() + part.len() >= LINE_LEN {
            return Err(LineError::TooLong);
        }
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::{LINE_LEN, LineError, of, read};

    type Case<'a> = (&'a str, &'a [u8], Result<Option<usize>, &'a str>);

    /// Reads the first line of `bytes`, a few bytes at a time.
    fn first(bytes: &[u8]) -> Result<Option<Vec<u8>>, LineError> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(read(&mut BufReader::with_capacity(7, bytes)))
    }

    #[test]
    fn lines() {
        let longest = [vec![b'x'; LINE_LEN - 1], vec![b'\n']].concat();
        let too_long = [vec![b'x'; LINE_LEN], vec![b'\n']].concat();
        #[rustfmt::skip]
        let cases: [Case<'_>; 7] = [
            ("a line",           b"{\"v\":1}\n", Ok(Some(7))),
            ("more than one",    b"a\nbb\n",     Ok(Some(1))),
            ("an empty line",    b"\n",          Ok(Some(0))),
            ("nothing",          b"",            Ok(None)),
            ("no end",           b"{\"v\":1}",   Err("in the middle")),
            ("the longest",      &longest,       Ok(Some(LINE_LEN - 1))),
            ("longer",           &too_long,      Err("more than 1048576 bytes")),
        ];
        for (name, bytes, want) in cases {
            match (first(bytes), want) {
                (Ok(line), Ok(want)) => assert_eq!(line.map(|line| line.len()), want, "{name}"),
                (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{name}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
    }

    #[test]
    fn text_never_ends_a_line() {
        assert_eq!(of(&"a\nb").unwrap(), "\"a\\nb\"\n");
    }
}
