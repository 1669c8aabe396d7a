//! A command line, without waiting for its owner.
//!
//! `/proc/PID/cmdline` reads the memory of the process. The process can put its
//! arguments on a page that a file system or a debugger of its own never
//! delivers, and so keep every reader waiting: the agent has to go on. A thread
//! of its own reads, and is left behind when it does not come back.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use super::procfs::Procfs;

/// How long a command line may take in the agent.
const PATIENCE: Duration = Duration::from_millis(100);
/// Readers that may be left behind. Past it no command line is read, which costs
/// a detection one of its fields.
const LEFT_BEHIND: usize = 16;

/// Reads command lines.
#[derive(Debug)]
pub struct Arguments {
    procfs: Procfs,
    reader: Option<Reader>,
    started: usize,
    /// How long a command line may take.
    pub(super) patience: Duration,
}

#[derive(Debug)]
struct Reader {
    ask: Sender<u32>,
    answer: Receiver<Option<Vec<Vec<u8>>>>,
}

impl Arguments {
    /// Reads from `procfs`.
    pub fn new(procfs: Procfs) -> Self {
        Self {
            procfs,
            reader: None,
            started: 0,
            patience: PATIENCE,
        }
    }

    /// Returns the arguments of a process, if they can be read at once.
    pub fn of(&mut self, pid: u32) -> Option<Vec<Vec<u8>>> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.start()?,
        };
        reader.ask.send(pid).ok()?;
        // A reader that does not answer in time is dropped here. It ends when it
        // comes back and finds nobody to tell.
        let arguments = reader.answer.recv_timeout(self.patience).ok()?;
        self.reader = Some(reader);
        arguments
    }

    /// Starts a reader, unless too many were left behind.
    fn start(&mut self) -> Option<Reader> {
        if self.started > LEFT_BEHIND {
            return None;
        }
        self.started += 1;
        let (ask, asked) = channel::<u32>();
        let (tell, answer) = channel();
        let procfs = self.procfs.clone();
        thread::Builder::new()
            .name("arguments".to_owned())
            .spawn(move || {
                while let Ok(pid) = asked.recv() {
                    if tell.send(procfs.cmdline(pid)).is_err() {
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
    use std::{fs, time::Duration};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::{Arguments, LEFT_BEHIND};
    use crate::agent::processes::procfs::Procfs;

    #[test]
    fn a_reader_that_hangs_is_left_behind() {
        let base = tempfile::tempdir().unwrap();
        for pid in ["5", "6"] {
            fs::create_dir(base.path().join(pid)).unwrap();
        }
        fs::write(base.path().join("5/cmdline"), "a\0").unwrap();
        // Nobody ever opens this for writing.
        let fifo = base.path().join("6/cmdline");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();

        let mut arguments = Arguments::new(Procfs::at(base.path()));
        let mut of = |pid, patience| {
            arguments.patience = patience;
            arguments.of(pid)
        };
        let [short, long] = [Duration::from_millis(10), Duration::from_mins(1)];
        assert_eq!(of(5, long), Some(vec![b"a".to_vec()]));
        assert_eq!(of(6, short), None);
        assert_eq!(of(5, long), Some(vec![b"a".to_vec()]));
        for _ in 0..=LEFT_BEHIND {
            assert_eq!(of(6, short), None);
        }
        assert_eq!(of(5, long), None, "too many were left behind");
    }
}
