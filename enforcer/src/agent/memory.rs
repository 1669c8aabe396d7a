//! What an agent that starts knows of the time before. Nothing of it keeps it from enforcing:
//! whoever fills a disk is not to open what is closed.

use std::path::Path;

use jiff::Timestamp;

use super::{
    loaded::{Changed, Registry},
    log,
};
use crate::{
    store::{Store, StoreError},
    tighten::Overlays,
};

/// Opens the store, or one in memory where there is none to be had.
///
/// # Errors
///
/// If the state directory cannot be used, or another version of the agent is at home in it.
pub(super) fn store(state: &Path, boot: &str) -> Result<Store, StoreError> {
    match Store::open(state, boot) {
        Err(error @ (StoreError::Open { .. } | StoreError::Damaged { .. })) => {
            log::problem(
                "detections are kept in memory until the agent is restarted, and nothing is proposed to go",
                &error,
            );
            Store::in_memory(boot)
        }
        opened => opened,
    }
}

/// Brings the store to how things stand: to what the overlays' files say, and to that nobody is
/// contained. The files decide, so that it may be late.
pub(super) fn mirror(store: &mut Store, overlays: &Overlays) {
    let mut bring_up = || -> Result<(), StoreError> {
        let now = Timestamp::now();
        let present: Vec<_> = overlays.iter().map(|overlay| overlay.id).collect();
        for overlay in overlays.iter() {
            store.mirror(overlay, now, "its file said so at the agent's start")?;
        }
        store.forget_missing(&present, now)?;
        store.end_containments()
    };
    if let Err(error) = bring_up() {
        log::problem(
            "the store does not say how tightenings and containments stand",
            &error,
        );
    }
}

/// Tells the profiles that were loaded what was used of them before. Returns whether that is
/// known.
pub(super) fn restore_usage(registry: &mut Registry, changed: &Changed, store: &Store) -> bool {
    let mut is_known = !store.is_in_memory();
    for profile in &changed.loaded {
        match store.usage(profile) {
            Ok(usage) => registry.restore_usage(profile, &usage),
            Err(error) => {
                is_known = false;
                log::problem(
                    "nothing is proposed to go until the agent is restarted",
                    &error,
                );
            }
        }
    }
    is_known
}

#[cfg(test)]
mod tests {
    use std::fs;

    use enforcer_abi::Access;
    use jiff::Timestamp;

    use super::{Overlays, StoreError, mirror, store};
    use crate::{
        detection::TighteningId,
        profile::Removal,
        store::FILE,
        tighten::{Overlay, OverlayState},
    };

    #[test]
    fn a_store_that_cannot_be_opened_is_one_in_memory() {
        let base = tempfile::tempdir().unwrap();
        assert!(!store(base.path(), "boot").unwrap().is_in_memory());
        let file = base.path().join(FILE);
        // As if there were no room for it.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(store(base.path(), "boot").unwrap().is_in_memory());
        fs::remove_dir(&file).unwrap();
        fs::write(&file, [b'x'; 8192]).unwrap();
        assert!(store(base.path(), "boot").unwrap().is_in_memory());
        let left = fs::read(&file).unwrap();
        assert_eq!(left, [b'x'; 8192], "it is for people to look at");

        let directory = store(&file, "boot").unwrap_err();
        assert!(
            matches!(directory, StoreError::Directory { .. }),
            "{directory}"
        );
    }

    /// What a full disk keeps from being written is written at the next start.
    #[test]
    fn a_full_disk_keeps_nobody_from_starting() {
        let base = tempfile::tempdir().unwrap();
        let mut overlays = Overlays::load(base.path()).unwrap();
        let overlay = Overlay {
            id: TighteningId(4),
            profile: "p".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            state: OverlayState::Applied,
            trial: None,
            since: None,
            detections: Vec::new(),
            removals: vec![Removal {
                pattern: "/srv/**".to_owned(),
                access: Access::READ,
                except: Vec::new(),
            }],
            reason: "unused".to_owned(),
        };
        overlays.put(overlay).unwrap();
        let mut store = store(base.path(), "boot").unwrap();
        for (is_full, want) in [(true, 0), (false, 4)] {
            store.fill(is_full);
            mirror(&mut store, &overlays);
            assert_eq!(store.last_tightening().unwrap(), TighteningId(want));
        }
    }
}
