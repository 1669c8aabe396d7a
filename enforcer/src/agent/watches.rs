//! Profiles that clients watch under. A watch lasts as long as its connection, however that
//! ends: a client that is killed leaves nothing behind.

use std::{collections::BTreeSet, path::Path, time::Duration};

use tokio::{sync::oneshot, task::JoinSet, time::sleep};

use super::{
    Agent,
    answers::line_of,
    log,
    server::{Answer, Watch, failure_line},
};
use crate::protocol::{Failure, FailureKind, views::Watched};

/// Profiles that are watched at a time.
const WATCHES: usize = 64;
/// When a watch that could not be ended is ended once more.
const AGAIN: Duration = Duration::from_mins(1);

/// The watches that last.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// Under which profiles.
    profiles: BTreeSet<String>,
    /// A task for each, which waits for its end.
    ends: JoinSet<Ended>,
}

/// A watch that is over.
#[derive(Debug)]
pub(super) struct Ended {
    profile: String,
    /// Where it is said, if somebody waits for that.
    answer: Option<oneshot::Sender<Answer>>,
}

impl Watches {
    /// Whether one can begin under this profile.
    fn check(&self, profile: &str) -> Result<(), Failure> {
        let conflict = |message| Err(Failure::new(FailureKind::Conflict, message));
        if self.profiles.contains(profile) {
            return conflict(format!(
                "another client watches under the profile {profile}; end its `enforcer learn`, \
                 or choose another name"
            ));
        }
        if self.profiles.len() >= WATCHES {
            return conflict(format!(
                "{WATCHES} clients watch already; end an `enforcer learn`"
            ));
        }
        Ok(())
    }

    /// Begins one.
    fn begin(&mut self, profile: &str) -> Watch {
        let profile = profile.to_owned();
        self.profiles.insert(profile.clone());
        let (watch, end) = oneshot::channel();
        self.ends.spawn(async move {
            let answer = end.await.ok();
            Ended { profile, answer }
        });
        watch
    }

    /// Has one end once more, later. Until then its profile counts as watched.
    fn put_off(&mut self, profile: String) {
        self.profiles.insert(profile.clone());
        self.ends.spawn(async move {
            sleep(AGAIN).await;
            let answer = None;
            Ended { profile, answer }
        });
    }

    /// Waits for the next that ends; `None`, if there is none.
    ///
    /// # Cancel safety
    ///
    /// None is lost.
    pub(super) async fn ended(&mut self) -> Option<Ended> {
        let ended = self.ends.join_next().await?.ok()?;
        self.profiles.remove(&ended.profile);
        Some(ended)
    }

    /// The next that has ended already.
    fn try_ended(&mut self) -> Option<Ended> {
        let ended = self.ends.try_join_next()?.ok()?;
        self.profiles.remove(&ended.profile);
        Some(ended)
    }
}

impl Agent {
    /// Loads a profile for the time that a client watches.
    pub(super) fn watch(&mut self, text: &str, file: &Path) -> Result<Answer, Failure> {
        let profile = self.parse(text, file)?;
        let name = profile.name.clone();
        // A client that was killed just now watches no more.
        while let Some(ended) = self.watches.try_ended() {
            self.end_watch(ended);
        }
        self.watches.check(&name)?;
        let staged = self.registry.stage_watch(profile, &self.overlays)?;
        log::changed(&self.registry.commit(staged, &mut self.kernel)?);
        // From here on it ends by itself, also where this fails.
        let watch = self.watches.begin(&name);
        Ok(Answer::Watch(self.watched(name)?, watch))
    }

    /// Takes away the profile of a watch that is over.
    pub(super) fn end_watch(&mut self, Ended { profile, answer }: Ended) {
        let reply = self.unwatch(&profile);
        if let Err(failure) = &reply {
            log::problem(
                &format!("nobody watches under the profile {profile} any more, and it stays"),
                failure,
            );
        }
        if self.registry.get(&profile).is_some() {
            self.watches.put_off(profile);
        }
        if let Some(answer) = answer {
            // A client that is gone needs no answer.
            let _sent =
                answer.send(reply.map_or_else(failure_line, |line| Answer::Lines(vec![line])));
        }
    }

    fn unwatch(&mut self, profile: &str) -> Result<String, Failure> {
        // What was done until now is recorded.
        self.catch_up();
        let staged = self.registry.stage_unwatch(profile, &self.overlays)?;
        log::changed(&self.registry.commit(staged, &mut self.kernel)?);
        self.watched(profile.to_owned())
    }

    fn watched(&self, profile: String) -> Result<String, Failure> {
        let last = self.store.last_detection()?;
        line_of(&Watched { profile, last })
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{Answer, Ended, FailureKind, WATCHES, Watches};

    /// Runs a test beside the tasks that it starts.
    fn with_runtime(test: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn a_watch_ends_with_its_connection() {
        with_runtime(async {
            let mut watches = Watches::default();
            assert!(watches.ended().await.is_none(), "nobody watches");
            let dropped = watches.begin("a");
            let finished = watches.begin("b");
            assert!(watches.try_ended().is_none(), "both watch");
            drop(dropped);
            let Ended { profile, answer } = watches.ended().await.unwrap();
            assert_eq!((&*profile, answer.is_some()), ("a", false));

            let (answer, answered) = oneshot::channel();
            finished.send(answer).unwrap();
            let Ended { profile, answer } = watches.ended().await.unwrap();
            assert_eq!(profile, "b");
            answer
                .unwrap()
                .send(Answer::Lines(vec!["x".to_owned()]))
                .unwrap();
            assert!(matches!(answered.await, Ok(Answer::Lines(lines)) if lines == ["x"]));
            assert!(watches.ended().await.is_none(), "nobody watches any more");
        });
    }

    #[test]
    fn a_profile_is_watched_once() {
        with_runtime(async {
            let mut watches = Watches::default();
            for _ in 0..2 {
                watches.check("a").unwrap();
                let watch = watches.begin("a");
                let failure = watches.check("a").unwrap_err();
                assert_eq!(failure.kind, FailureKind::Conflict);
                assert!(failure.message.contains("another name"), "{failure}");
                watches.check("b").unwrap();
                drop(watch);
                watches.ended().await.unwrap();
            }
            watches.put_off("a".to_owned());
            watches.check("a").unwrap_err();
        });
    }

    #[test]
    fn there_is_a_limit() {
        with_runtime(async {
            let mut watches = Watches::default();
            let mut all = Vec::new();
            for number in 0..WATCHES {
                let profile = number.to_string();
                watches.check(&profile).unwrap();
                all.push(watches.begin(&profile));
            }
            let failure = watches.check("more").unwrap_err();
            assert_eq!(failure.kind, FailureKind::Conflict);
            assert!(failure.message.contains("64 clients"), "{failure}");
            all.pop();
            watches.ended().await.unwrap();
            watches.check("more").unwrap();
        });
    }
}
