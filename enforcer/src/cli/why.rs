//! `enforcer explain DETECTION`: why something that happened was refused.

use std::{fmt::Write as _, process::ExitCode};

use enforcer_abi::Reason;

use super::{Socket, client, detections, output};
use crate::{
    detection::{Detection, DetectionId, access_text},
    profile::{Escaped, access_from_names},
    protocol::{
        Request,
        views::{Explained, Judged, RuleView},
    },
    tighten::OverlayState,
};

/// Explains a detection.
///
/// # Errors
///
/// If the agent does not tell, or there is no such detection.
pub fn run(id: DetectionId, json: bool, socket: &Socket) -> anyhow::Result<ExitCode> {
    let request = Request::Explain { detection: id };
    let explained: Explained = client::call(&socket.socket, &request)?;
    if json {
        output::json(&explained)?;
    } else {
        output::print(&text(&explained))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the explanation as people read it.
fn text(explained: &Explained) -> String {
    let Explained {
        detection,
        sentence: _,
        now,
        tightenings,
    } = explained;
    let mut text = detections::text(detection);
    // The command that led here.
    if let Some(end) = text.find("\nwhy: ") {
        text.truncate(end + 1);
    }
    push(&mut text, format_args!("{}", cause(detection)));
    if let Some(now) = now {
        rules(&mut text, now);
    } else {
        push(
            &mut text,
            format_args!("what the profile says of it now is not known"),
        );
    }
    for overlay in tightenings {
        let state = match overlay.state {
            OverlayState::Proposed => "would take away",
            OverlayState::OnTrial => "is on trial, and would take away",
            OverlayState::Applied => "took away",
            OverlayState::Reverted => "was taken back; it took away",
        };
        let removals = crate::agent::removals_text(&overlay.removals);
        push(
            &mut text,
            format_args!("the tightening {} {state} {removals}", overlay.id),
        );
    }
    text
}

/// Says why it was refused, or told.
fn cause(detection: &Detection) -> String {
    let by_reason = |reason: Reason| detection.reason == reason.name();
    if by_reason(Reason::Watched) {
        return match &detection.rule {
            Some(rule) => format!("it was granted, and a rule wants that told: {rule}"),
            None => "it was granted, and a rule wants that told".to_owned(),
        };
    }
    if detection.is_permitted() {
        return match &detection.rule {
            Some(rule) => format!("no rule granted it, but a permit did: {rule}"),
            None => "no rule granted it, but a permit let everything through".to_owned(),
        };
    }
    if by_reason(Reason::OnTrial) {
        return "it was granted, and a tightening on trial would take that away".to_owned();
    }
    if by_reason(Reason::Contained) {
        return "the process is contained: the detection before it with the response \
                `contained` tells why, and `enforcer release` lets it go on"
            .to_owned();
    }
    match (&detection.rule, &detection.privilege) {
        (Some(rule), _) => format!("a rule denied it: {rule}"),
        (None, _) if by_reason(Reason::RightsGrow) => {
            "the object would have more rights under its new name; a copy would be judged by itself"
                .to_owned()
        }
        (None, _) if !by_reason(Reason::NotGranted) => format!(
            "it could not be judged by the profile: {}",
            detection.reason
        ),
        (None, Some(privilege)) => {
            format!("the profile's list `privileges` did not name {privilege}")
        }
        (None, None) => "no rule granted it".to_owned(),
    }
}

/// Says which rules speak about the path now.
fn rules(text: &mut String, now: &Judged) {
    let Judged {
        granted,
        granting,
        denying,
        nearest,
    } = now;
    let answer = if *granted { "grants" } else { "does not grant" };
    push(text, format_args!("the profile {answer} it now"));
    for (what, rules) in [
        ("denied by", denying),
        ("granted in part by", granting),
        ("nearest", nearest),
    ] {
        for rule in rules {
            push(text, format_args!("  {what}: {}", line(rule)));
        }
    }
}

/// Returns a rule on one line.
pub(super) fn line(rule: &RuleView) -> String {
    let RuleView {
        origin,
        pattern,
        allow,
        deny,
        ends,
        reason,
    } = rule;
    let ends = ends.as_ref().map(|ends| format!(", {ends}"));
    let ends = ends.unwrap_or_default();
    let (verb, rights) = if deny.is_empty() {
        ("allow", allow)
    } else {
        ("deny", deny)
    };
    let reason = reason
        .as_ref()
        .map(|reason| format!(" ({})", Escaped(reason.as_bytes())))
        .unwrap_or_default();
    let pattern = Escaped(pattern.as_bytes());
    // A right that this version does not know is shown as it came.
    let rights = match access_from_names(rights) {
        Ok(allowed) if deny.is_empty() => access_text(allowed),
        _ => rights.join(", "),
    };
    format!("{origin}: {verb} {rights} on {pattern}{ends}{reason}")
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _written = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::cause;
    use crate::detection::{Detection, sample};

    #[test]
    fn causes() {
        let of = |reason: &str, rule: Option<&str>, privilege: Option<&str>| Detection {
            reason: reason.to_owned(),
            rule: rule.map(str::to_owned),
            privilege: privilege.map(str::to_owned),
            ..sample::detection()
        };
        let rule = Some("p.yaml:3:5");
        #[rustfmt::skip]
        let cases = [
            (of("not-granted", None, None),        "no rule granted it"),
            (of("not-granted", rule, None),        "a rule denied it: p.yaml:3:5"),
            (of("not-granted", None, Some("bpf")), "the profile's list `privileges` did not name bpf"),
            (of("rights-grow", None, None),        "the object would have more rights"),
            (of("escaped", None, None),            "it could not be judged by the profile: escaped"),
            (of("watched", rule, None),            "it was granted, and a rule wants that told: p.yaml:3:5"),
            (of("on-trial", None, None),           "it was granted, and a tightening on trial"),
            (of("contained", None, Some("bpf")),   "the process is contained"),
        ];
        for (detection, want) in cases {
            let got = cause(&detection);
            assert!(got.starts_with(want), "{}: {got}", detection.reason);
        }
    }
}
