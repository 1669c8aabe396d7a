//! What takes a kernel of its own: guests, two at a time.

use std::process::Command;
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::build::Program;
use crate::util;
use crate::vm::{self, Output, Vm};

/// Guests that run at the same time: most of the time, one of a guest's two processors
/// waits for the other.
const AT_ONCE: usize = 2;

/// When to give up on one guest: emulated machines are slow.
const TIMEOUT: Duration = Duration::from_mins(45);

/// Something to be done in guests.
pub(super) struct Job<'a> {
    /// What it is called.
    pub(super) name: String,
    /// Whether it is left out if time is short.
    pub(super) optional: bool,
    /// Whether nothing else may run beside it.
    pub(super) alone: bool,
    /// Does it, and tells how many tests passed, or nothing if one failed.
    pub(super) work: Box<dyn FnOnce() -> Result<Option<usize>> + Send + 'a>,
}

/// What became of a job.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was done in this time.
    Done {
        /// How many tests passed; nothing, if one failed.
        passed: Option<usize>,
        /// From its beginning to its end.
        duration: Duration,
    },
    /// It was left out.
    LeftOut,
}

/// Does all jobs, begun in their order, and no optional one after `until`.
///
/// Returns names and what became of them, in the order in which they ended.
///
/// # Errors
///
/// The first error of a job; what has begun is done nevertheless.
pub(super) fn run(jobs: Vec<Job<'_>>, until: Option<Instant>) -> Result<Vec<(String, Outcome)>> {
    let jobs = Mutex::new(jobs.into_iter());
    let outcomes = Mutex::new(Vec::new());
    // Who runs alone waits for the others, and they for it.
    let turns = RwLock::new(());
    let work = || -> Result<()> {
        loop {
            let next = jobs.lock().ok().and_then(|mut jobs| jobs.next());
            let Some(job) = next else { return Ok(()) };
            let outcome = if job.optional && until.is_some_and(|until| Instant::now() > until) {
                Outcome::LeftOut
            } else {
                let (_alone, _beside) = if job.alone {
                    (turns.write().ok(), None)
                } else {
                    (None, turns.read().ok())
                };
                util::say(format_args!("testing: {}", job.name));
                let (passed, duration) = util::timed(job.work);
                Outcome::Done {
                    passed: passed?,
                    duration,
                }
            };
            if let Ok(mut outcomes) = outcomes.lock() {
                outcomes.push((job.name, outcome));
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| {
            let end = worker.join();
            end.unwrap_or_else(|_| anyhow::bail!("a thread that runs guests panicked"))
        });
        ends.fold(Ok(()), Result::and)
    })?;
    outcomes.into_inner().context("a thread panicked")
}

/// Tests that run in one guest.
pub(super) struct Tests<'a> {
    /// What their lines begin with.
    pub(super) label: &'a str,
    /// The kernel's series, or the path of an image.
    pub(super) kernel: &'a str,
    /// Debian's packages that they need.
    pub(super) packages: &'a [&'a str],
    /// Memory of the guest, in MiB.
    pub(super) memory: u64,
    /// Their names.
    pub(super) names: Vec<&'a str>,
}

impl Tests<'_> {
    /// Runs the tests, and returns how many passed if that is all of them.
    pub(super) fn run(
        &self,
        harness: &Program,
        files: &vm::Files,
        env: Vec<(String, String)>,
    ) -> Result<Option<usize>> {
        // One test at a time: they share a kernel, and what they load into it.
        let mut cmd = vec![vm::path_of(harness)];
        cmd.extend(["--test-threads=1", "--exact"].map(Into::into));
        cmd.extend(self.names.iter().map(Into::into));
        let vm = Vm {
            kernel: self.kernel.to_owned(),
            packages: self.packages.iter().map(|&name| name.to_owned()).collect(),
            files: files.to_vec(),
            memory: Some(self.memory),
            timeout: TIMEOUT,
            env,
            cmd,
            output: Output::Keep,
            label: self.label.to_owned(),
            ..Vm::default()
        };
        let outcome = vm.run()?;
        let output = String::from_utf8_lossy(&outcome.stdout);
        util::say(format_args!(
            "{} is done:\n{}",
            self.label,
            closing(&output)
        ));
        let passed = count(&output);
        // A harness that ran less than it was told to proves nothing.
        Ok((outcome.status == 0 && passed == self.names.len()).then_some(passed))
    }
}

/// Returns the names of a harness's tests.
pub(super) fn names(harness: &Program) -> Result<Vec<String>> {
    let mut command = Command::new(&harness.path);
    Ok(listed(&util::read(command.arg("--list"))?))
}

/// Returns the names in what harnesses list.
pub(super) fn listed(output: &str) -> Vec<String> {
    let names = output
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    names.map(str::to_owned).collect()
}

/// Returns what a harness says at its end: which tests failed, and how many passed.
fn closing(output: &str) -> &str {
    let from = output
        .rfind("\nfailures:\n")
        .or_else(|| output.rfind("\ntest result: "));
    from.and_then(|from| output.get(from..))
        .unwrap_or("it printed no result")
        .trim()
}

/// Returns how many tests passed, from a harness's closing lines.
fn count(output: &str) -> usize {
    let closing = output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: "));
    let passed = closing.filter_map(|line| line.split_once(" passed")?.0.rsplit(' ').next());
    passed
        .filter_map(|number| number.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        let output = "running 2 tests\ntest a ... ok\n\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n";
        assert_eq!(count(output), 12);
        assert_eq!(count(&output.repeat(2)), 24);
        assert_eq!(count("test result: odd"), 0);
    }

    #[test]
    fn the_end_has_what_failed() {
        let ok = "test a ... ok\n\ntest result: ok. 1 passed\n\n";
        assert_eq!(closing(ok), "test result: ok. 1 passed");
        let failed = "failures:\n\n---- a ----\n\nfailures:\n    a\n\ntest result: FAILED.\n";
        assert_eq!(closing(failed), "failures:\n    a\n\ntest result: FAILED.");
        assert_eq!(closing("test a ..."), "it printed no result");
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(listed("a::b: test\nc: test\n\n2 tests\n"), ["a::b", "c"]);
    }

    #[test]
    fn jobs_begin_in_order_and_optional_ones_only_in_time() {
        let begun = Mutex::new(Vec::new());
        let job = |name: &str, optional| Job {
            name: name.to_owned(),
            optional,
            alone: name == "c",
            work: Box::new({
                let (begun, name) = (&begun, name.to_owned());
                move || {
                    begun.lock().unwrap().push(name);
                    Ok(Some(1))
                }
            }),
        };
        let jobs = vec![job("a", false), job("b", true), job("c", false)];
        let outcomes = run(jobs, Some(Instant::now())).unwrap();
        let left_out = |(_, outcome): &&(_, Outcome)| matches!(outcome, Outcome::LeftOut);
        let left_out: Vec<_> = outcomes.iter().filter(left_out).collect();
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].0, "b");
        let mut begun = begun.into_inner().unwrap();
        begun.sort();
        assert_eq!(begun, ["a", "c"]);

        let failing = Job {
            name: "d".to_owned(),
            optional: false,
            alone: false,
            work: Box::new(|| anyhow::bail!("no machine")),
        };
        assert!(run(vec![failing], None).is_err());
    }

    #[test]
    fn who_runs_alone_has_nobody_beside() {
        let running = AtomicUsize::new(0);
        let most = Mutex::new(HashMap::new());
        let jobs = [("a", false), ("b", false), ("c", true), ("d", false)];
        let jobs = jobs.map(|(name, alone)| Job {
            name: name.to_owned(),
            optional: false,
            alone,
            work: Box::new({
                let (running, most) = (&running, &most);
                move || {
                    let now = 1 + running.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(50));
                    let at_end = running.fetch_sub(1, Ordering::SeqCst);
                    most.lock().unwrap().insert(name, now.max(at_end));
                    Ok(Some(1))
                }
            }),
        });
        let outcomes = run(jobs.into(), None).unwrap();
        assert_eq!(outcomes.len(), 4);
        let most = most.into_inner().unwrap();
        assert_eq!(most["c"], 1, "{most:?}");
    }
}
