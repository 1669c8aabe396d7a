//! Reads that may never end, without waiting for them.
//!
//! A process can keep who reads of it waiting for ever: by arguments on a page that a file
//! system or a debugger of its own never delivers, or by a program on a file system that
//! does not answer. The agent has to go on: a thread of its own reads, and is left behind
//! when it does not come back.

use std::{
    fmt::Debug,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// How long the agent waits for a read.
const PATIENCE: Duration = Duration::from_millis(100);
/// Threads that may be left behind. Past it nothing is read, which costs a detection or the
/// history one of its fields.
const LEFT_BEHIND: usize = 16;

/// Something to be read. Each thread has a copy of its own.
pub(super) trait Read: Clone + Debug + Send + 'static {
    /// Of what.
    type Of: Send + Debug;
    /// What comes of it.
    type Found: Send + Debug;
    /// The thread's name.
    const NAME: &str;

    /// Reads.
    fn read(&mut self, of: Self::Of) -> Option<Self::Found>;
}

/// Has a thread of its own read.
#[derive(Debug)]
pub(super) struct Aside<R: Read> {
    read: R,
    reader: Option<Reader<R>>,
    started: usize,
    /// How long is waited.
    pub(super) patience: Duration,
}

#[derive(Debug)]
struct Reader<R: Read> {
    ask: Sender<R::Of>,
    answer: Receiver<Option<R::Found>>,
}

impl<R: Read> Aside<R> {
    /// Will read so.
    pub(super) fn new(read: R) -> Self {
        Self {
            read,
            reader: None,
            started: 0,
            patience: PATIENCE,
        }
    }

    /// Returns what is read, if it can be at once.
    pub(super) fn of(&mut self, of: R::Of) -> Option<R::Found> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.start()?,
        };
        reader.ask.send(of).ok()?;
        // A reader that does not answer in time is dropped here. It ends when it comes back
        // and finds nobody to tell.
        let found = reader.answer.recv_timeout(self.patience).ok()?;
        self.reader = Some(reader);
        found
    }

    /// Starts a reader, unless too many were left behind.
    fn start(&mut self) -> Option<Reader<R>> {
        if self.started > LEFT_BEHIND {
            return None;
        }
        self.started += 1;
        let (ask, asked) = channel();
        let (tell, answer) = channel();
        let mut read = self.read.clone();
        thread::Builder::new()
            .name(R::NAME.to_owned())
            .spawn(move || {
                while let Ok(of) = asked.recv() {
                    if tell.send(read.read(of)).is_err() {
                        break;
                    }
                }
            })
            .ok()?;
        Some(Reader { ask, answer })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, time::Duration};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{Aside, LEFT_BEHIND, Read};

    #[derive(Clone, Debug)]
    struct Whole;

    impl Read for Whole {
        type Of = PathBuf;
        type Found = Vec<u8>;
        const NAME: &str = "whole";

        fn read(&mut self, of: PathBuf) -> Option<Vec<u8>> {
            fs::read(of).ok()
        }
    }

    #[test]
    fn a_reader_that_hangs_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let [file, fifo] = ["file", "fifo"].map(|name| folder.path().join(name));
        fs::write(&file, "a").unwrap();
        // Nobody ever opens this for writing.
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();

        let mut aside = Aside::new(Whole);
        let mut of = |path: &PathBuf, patience| {
            aside.patience = patience;
            aside.of(path.clone())
        };
        let [short, long] = [Duration::from_millis(10), Duration::from_mins(1)];
        assert_eq!(of(&file, long), Some(b"a".to_vec()));
        assert_eq!(of(&fifo, short), None);
        assert_eq!(of(&file, long), Some(b"a".to_vec()));
        for _ in 0..=LEFT_BEHIND {
            assert_eq!(of(&fifo, short), None);
        }
        assert_eq!(of(&file, long), None, "too many were left behind");
    }
}
