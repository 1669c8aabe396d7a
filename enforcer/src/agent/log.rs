//! What the agent says on stderr: one line for each detection and each change.

use std::{fmt, io::Write as _};

use super::{loaded::Changed, tightening::removals_text};
use crate::{
    detection::{Detection, DetectionId, State, access_text},
    permit::Permit,
    profile::Escaped,
    protocol::chain,
    tighten::Overlay,
};

/// Writes one line. A closed stderr is no reason to stop enforcing.
pub(super) fn line(text: fmt::Arguments<'_>) {
    let _written = writeln!(std::io::stderr(), "enforcer: {text}");
}

/// Says that something went wrong and the agent goes on.
pub(super) fn problem(what: &str, error: &(dyn std::error::Error + 'static)) {
    line(format_args!("problem: {what}: {}", chain(error)));
}

/// Tells of a new detection.
pub(super) fn detection(detection: &Detection) {
    let Detection {
        id,
        verdict,
        profile,
        layer,
        operation,
        privilege,
        reason,
        who,
        ..
    } = detection;
    if detection.is_learned() {
        // Learning is no news, and there is much of it.
        return;
    }
    let privilege = privilege
        .as_ref()
        .map(|name| format!(" privilege={name}"))
        .unwrap_or_default();
    line(format_args!(
        "detection={id} verdict={verdict} profile={profile} layer={layer} operation={operation}{privilege} \
         missing={} path=\"{}\" reason={reason} pid={} uid={} exe=\"{}\"",
        access_text(detection.missing).replace(", ", ","),
        quoted(&detection.path),
        who.pid,
        who.uid,
        quoted(who.exe.as_deref().unwrap_or_default()),
    ));
}

/// Tells of a process that was contained.
pub(super) fn contained(detection: &Detection) {
    let Detection {
        id, profile, who, ..
    } = detection;
    line(format_args!(
        "contained={} profile={profile} detection={id}",
        who.pid
    ));
}

/// Tells that whom a detection contained is released.
pub(super) fn released(id: DetectionId) {
    line(format_args!("released={id}"));
}

/// Tells how far people are with detections.
pub(super) fn settled(ids: &[DetectionId], state: State) {
    let ids: Vec<String> = ids.iter().map(DetectionId::to_string).collect();
    line(format_args!(
        "settled={} state={}",
        ids.join(","),
        state.name()
    ));
}

/// Tells that detections gave place to others.
pub(super) fn pruned(ids: &[DetectionId]) {
    if let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) {
        line(format_args!(
            "pruned={} first={first} last={last}",
            ids.len()
        ));
    }
}

/// Tells what changed in the kernel.
pub(super) fn changed(changed: &Changed) {
    for name in &changed.loaded {
        line(format_args!("loaded={name}"));
    }
    for name in &changed.removed {
        line(format_args!("removed={name}"));
    }
    for (name, error) in &changed.stuck {
        problem(
            &format!("the profile {name} is gone, but still refuses"),
            error,
        );
    }
}

/// Tells of a running process that was put under a profile.
pub(super) fn adopted(pid: u32, profile: &str) {
    line(format_args!("adopted={pid} profile={profile}"));
}

/// Tells of a new proposal.
pub(super) fn proposed(overlay: &Overlay) {
    tightening("proposed", overlay, &overlay.reason);
}

/// Tells of a tightening that was applied or taken back.
pub(super) fn tightened(overlay: &Overlay, cause: &str) {
    tightening(overlay.state.name(), overlay, cause);
}

fn tightening(state: &str, overlay: &Overlay, cause: &str) {
    line(format_args!(
        "tightening={} state={state} profile={} removes=\"{}\" cause=\"{}\"",
        overlay.id,
        overlay.profile,
        removals_text(&overlay.removals).replace('"', "\\\""),
        cause.replace('"', "\\\""),
    ));
}

/// Tells of a permit that begins or ends.
pub(super) fn permitted(permit: &Permit, what: &str) {
    let Permit {
        id,
        profile,
        until,
        reason,
        ..
    } = permit;
    line(format_args!(
        "permit={id} state={what} profile={profile} until={until:.0} lets=\"{}\" reason=\"{}\"",
        quoted(permit.lets().as_bytes()),
        quoted(reason.as_bytes()),
    ));
}

/// Returns bytes as they stand between quotes.
fn quoted(bytes: &[u8]) -> String {
    Escaped(bytes).to_string().replace('"', "\\\"")
}
