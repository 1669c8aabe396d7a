//! The agent: it holds the kernel side, makes detections, tightens, and answers.
//!
//! - [`loaded`]: the profiles in the kernel; [`accounts`]: names of users;
//!   `adoption`: running processes
//! - [`detect`]: records and counts to detections; [`processes`]: who it was;
//!   [`clock`]: when; `intake`: what becomes of them
//! - `tightening`: proposals, applied and taken back
//! - [`server`]: the socket; `requests`: what is answered; `answers`: in which lines
//! - `permits`: what is let through for a time
//! - `containment`: who is contained, and released; `review`: what people decide
//! - `history`: what was used; `builds`: of programs; `observed`: for how long it was looked
//! - `aside`: reads that may never end; `watches`: profiles that clients watch under
//! - `memory`: what is known at the start; `log`: what is said on stderr
//!
//! One task owns the kernel, the store and the profiles, and does one thing at a
//! time, so nothing is ever seen half done. Connections are tasks of their own
//! that talk to it by a queue.

pub mod accounts;
mod adoption;
mod answers;
mod aside;
mod builds;
pub mod clock;
mod containment;
pub mod detect;
mod error;
mod history;
mod intake;
pub mod loaded;
mod log;
mod memory;
mod observed;
mod permits;
pub mod processes;
mod requests;
mod review;
pub mod server;
mod tightening;
mod watches;

use std::{
    collections::HashMap,
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{broadcast, mpsc},
    time::{MissedTickBehavior, interval},
};

use self::{
    adoption::Enrolments,
    detect::Detector,
    loaded::{ChangeError, Changed, Registry},
    observed::Observed,
    processes::{Processes, procfs::Procfs},
    watches::Watches,
};
pub use self::{
    adoption::in_first_pid_namespace,
    error::AgentError,
    tightening::{lost_text, removals_text},
};
use crate::{
    detection::{Detection, TighteningId},
    kernel::{Events, Kernel},
    profile::{ProfileSet, ends},
    store::Store,
    tighten::Overlays,
};

/// How often counts are brought up to date while there is something new.
const FOLD_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is kept which rights were used. A crash forgets what came since,
/// which then looks unused.
const KEEP_INTERVAL: Duration = Duration::from_mins(1);
/// How long the kernel remembers what it granted, at most. That holds as long as the count of
/// all renames is the same, which has 32 bits, and comes back to what it was after 2^31 of them:
/// in this time it would take 3.5 million a second.
const REMEMBERED: Duration = Duration::from_mins(10);
/// Detections that a client that follows may lag behind.
const FOLLOWED: usize = 8192;
/// Requests that wait for the agent.
const REQUESTS: usize = 64;
/// Names this boot of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Where the agent finds things.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of profiles.
    pub profiles: PathBuf,
    /// The state directory.
    pub state: PathBuf,
    /// The socket.
    pub socket: PathBuf,
    /// Hooks that the kernel may lack.
    pub allow_degraded: Vec<String>,
    /// Whether every access is judged by its path, and nothing remembered.
    pub no_cache: bool,
    /// How long a tightening is on trial before it holds by itself.
    pub trial: Duration,
    /// How long a right has to be unused to be taken away for that; zero: it never is.
    pub unused_after: Duration,
}

/// The running agent.
struct Agent {
    options: Options,
    kernel: Kernel,
    events: Events,
    registry: Registry,
    overlays: Overlays,
    store: Store,
    /// Whether it is known what was used before this agent was started. Else all looks unused.
    knows_usage: bool,
    detector: Detector,
    enrolments: Enrolments,
    followers: broadcast::Sender<Arc<Detection>>,
    watches: Watches,
    started: Instant,
    /// Refusals and would-be refusals at the last look, so that counts are read
    /// only when there is something new.
    refusals: u64,
    /// Whether the last fold left something unexplained.
    unsettled: bool,
    /// When the kernel last forgot of what it told.
    forgot: Instant,
    /// When it last forgot what it granted.
    forgot_grants: Instant,
    /// When it was last looked for what is not used.
    scheduled: Instant,
    /// How long what is loaded is observed.
    observed: Observed,
    /// Since when tightenings are on trial under this agent.
    trials: HashMap<TighteningId, Instant>,
    /// Up to when rules that ended were taken out of the profiles: seconds since 1970, UTC.
    dropped_until: u32,
    /// When the next rule ends, of the tables up to this number ([`Registry::generation`]).
    next_end: (u32, u32),
    /// Held as long as the agent runs.
    _lock: File,
}

/// Runs the agent until it is told to end.
///
/// # Errors
///
/// If it cannot start. Nothing is enforced then.
pub fn run(options: Options) -> Result<(), AgentError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| AgentError::Runtime {
            action: "start the runtime",
            source,
        })?;
    runtime.block_on(async {
        let mut agent = Agent::start(options)?;
        let served = agent.serve().await;
        // The programs are detached one by one, which takes a while.
        drop(agent);
        log::line(format_args!("ends; nothing is enforced any more"));
        served
    })
}

impl Agent {
    /// Loads everything, in the order in which an error costs least: first what
    /// people wrote, last the kernel.
    fn start(options: Options) -> Result<Self, AgentError> {
        let profiles = ProfileSet::read_dir(&options.profiles)
            .map_err(|errors| AgentError::Profiles { errors })?;
        let boot = std::fs::read_to_string(BOOT_ID).map_err(|source| AgentError::File {
            path: PathBuf::from(BOOT_ID),
            source,
        })?;
        let lock = lock(&options.state)?;
        let mut store = memory::store(&options.state, boot.trim())?;
        let overlays = Overlays::load(&options.state)?;
        memory::mirror(&mut store, &overlays);

        let mut registry = Registry::default();
        let staged = registry
            .stage_directory(profiles.into_profiles(), &overlays)
            .map_err(|error| in_full(error, &options.profiles))?;
        // An agent that cannot be asked must not enforce, however shortly.
        server::clear(&options.socket)?;
        let mut kernel = Kernel::load(&options.allow_degraded, !options.no_cache)?;
        let events = kernel.events()?;
        kernel.set_booted(clock::booted(kernel.clock()))?;
        let changed = registry.commit(staged, &mut kernel)?;
        let knows_usage = memory::restore_usage(&mut registry, &changed, &store);
        log::changed(&changed);
        let facts = kernel.facts();
        log::line(format_args!(
            "enforcing on Linux {} with {} hooks; {} more once a profile needs them",
            facts.kernel_release,
            facts.hooks.len(),
            kernel.idle_hooks().count()
        ));
        for gap in &facts.gaps {
            log::line(format_args!("gap: {gap}"));
        }
        Ok(Self {
            options,
            kernel,
            events,
            registry,
            overlays,
            store,
            knows_usage,
            enrolments: Enrolments::new(),
            detector: Detector::new(Processes::new(Procfs::at(Path::new("/proc")))),
            followers: broadcast::Sender::new(FOLLOWED),
            watches: Watches::default(),
            started: Instant::now(),
            refusals: 0,
            unsettled: false,
            forgot: Instant::now(),
            forgot_grants: Instant::now(),
            scheduled: Instant::now(),
            observed: Observed::new(),
            trials: HashMap::new(),
            dropped_until: ends::now(),
            next_end: (0, 0),
            _lock: lock,
        })
    }

    /// Serves until a signal ends it.
    async fn serve(&mut self) -> Result<(), AgentError> {
        let handler = |kind| {
            signal(kind).map_err(|source| AgentError::Runtime {
                action: "wait for signals",
                source,
            })
        };
        let mut hangup = handler(SignalKind::hangup())?;
        let mut terminate = handler(SignalKind::terminate())?;
        let mut interrupt = handler(SignalKind::interrupt())?;
        let listener = server::listen(&self.options.socket)?;
        let (queue, mut asked) = mpsc::channel(REQUESTS);
        tokio::spawn(server::serve(listener, queue));
        notify(&[sd_notify::NotifyState::Ready]);

        let mut tick = interval(FOLD_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut keep = interval(KEEP_INTERVAL);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                record = self.events.next() => self.take(record),
                Some(ask) = asked.recv() => self.reply(ask),
                Some(ended) = self.watches.ended() => self.end_watch(ended),
                _ = tick.tick() => self.each_second(),
                _ = keep.tick() => self.tidy(),
                _ = hangup.recv() => self.reload_as_told(),
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
        }
        notify(&[sd_notify::NotifyState::Stopping]);
        self.catch_up();
        self.note_observed();
        self.keep_usage();
        let _removed = std::fs::remove_file(&self.options.socket);
        Ok(())
    }

    fn each_second(&mut self) {
        self.set_clock();
        self.fold_if_new();
        self.drop_ended();
        self.forget_dead_enrolments();
        self.end_trials();
        self.renew_history();
        self.forget_grants();
        self.keep_schedule();
    }

    /// Has the kernel forget what it granted, if that is due.
    fn forget_grants(&mut self) {
        if self.forgot_grants.elapsed() >= REMEMBERED {
            self.forgot_grants = Instant::now();
            if let Err(error) = self.kernel.forget() {
                log::problem("what was granted is remembered for too long", &error);
            }
        }
    }

    /// Does what need not be done at once.
    fn tidy(&mut self) {
        self.note_observed();
        self.keep_usage();
        self.prune_history();
        self.forget_dead();
        self.prune_detections();
        self.retry_unstored();
    }

    /// Keeps which rights were used, so that a restart does not make them look
    /// unused.
    fn keep_usage(&mut self) {
        if !self.knows_usage {
            // What is kept from before is more.
            return;
        }
        for (name, instance) in self.registry.iter() {
            let problem = "which rights were used is not kept";
            match instance.usage(&self.kernel) {
                Ok(usage) => {
                    if let Err(error) = self.store.keep_usage(name, &usage) {
                        log::problem(problem, &error);
                    }
                }
                Err(error) => log::problem(problem, &error),
            }
        }
    }

    /// As [`Agent::reload`], on a signal: a service manager waits for its end.
    fn reload_as_told(&mut self) {
        match sd_notify::NotifyState::monotonic_usec_now() {
            Ok(now) => notify(&[sd_notify::NotifyState::Reloading, now]),
            Err(error) => log::problem("the service manager is not told", &error),
        }
        // What came of it is on stderr.
        let _result = self.reload();
        notify(&[sd_notify::NotifyState::Ready]);
    }

    /// Loads the profiles of the folder anew, all or none, and says what came of it.
    fn reload(&mut self) -> Result<Changed, AgentError> {
        let result = self.load_anew();
        match &result {
            Ok(changed) => log::changed(changed),
            Err(AgentError::Profiles { errors }) => {
                for error in errors {
                    log::line(format_args!("{error}"));
                }
                log::line(format_args!(
                    "the profiles have errors; those from before stay"
                ));
            }
            Err(error) => log::problem("the profiles from before stay", error),
        }
        result
    }

    fn load_anew(&mut self) -> Result<Changed, AgentError> {
        let folder = &self.options.profiles;
        let profiles =
            ProfileSet::read_dir(folder).map_err(|errors| AgentError::Profiles { errors })?;
        let staged = self
            .registry
            .stage_directory(profiles.into_profiles(), &self.overlays)
            .map_err(|error| in_full(error, folder))?;
        Ok(self.registry.commit(staged, &mut self.kernel)?)
    }
}

/// All that is wrong with the profiles of a folder, where one of them makes no table.
fn in_full(error: ChangeError, folder: &Path) -> AgentError {
    if matches!(error, ChangeError::Compile(_))
        && let Err(errors) = ProfileSet::load_dir(folder)
    {
        return AgentError::Profiles { errors };
    }
    error.into()
}

/// Tells the service manager, if there is one.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log::problem("the service manager is not told", &error);
    }
}

/// Takes the state directory for this agent.
fn lock(state: &Path) -> Result<File, AgentError> {
    let path = state.join("lock");
    let create = || {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state)?;
        File::create(&path)
    };
    let lock = create().map_err(|source| AgentError::File {
        path: path.clone(),
        source,
    })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(AgentError::StateInUse {
            path: state.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(AgentError::File { path, source }),
    }
}
