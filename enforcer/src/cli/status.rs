//! `enforcer status`: what is enforced, and how that is known.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use super::{NO, Socket, client, output, permit::sentence};
use crate::{
    detection::TighteningId,
    kernel::hooks::{GROUPS, Group},
    protocol::status::{KernelStatus, ProfileStatus, Status},
};

/// The arguments of `enforcer status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Wait so long for an agent
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u32>,
    #[command(flatten)]
    socket: Socket,
}

/// Prints the status of the agent.
///
/// # Errors
///
/// If there is an agent and it does not tell.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let time = Duration::from_secs(args.wait.unwrap_or(0).into());
    let ask = || client::status(&args.socket.socket);
    let status: Status = match client::patiently(time, ask) {
        Err(error @ client::CallError::NoAgent { .. }) => {
            super::print_error(&error.into());
            return Ok(ExitCode::from(NO));
        }
        answer => answer?,
    };
    if args.json {
        output::json(&status)?;
    } else {
        output::print(&text(&status))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the status as people read it.
fn text(status: &Status) -> String {
    let Status {
        enforced,
        agent,
        kernel,
        profiles,
        permits,
        reasons,
        counters,
        detections,
    } = status;
    let mut text = output::fields(&[
        (
            "enforced",
            Some(if *enforced { "yes" } else { "no" }.to_owned()),
        ),
        (
            "kernel",
            Some(format!("Linux {}, lsm={}", kernel.release, kernel.lsm)),
        ),
        ("hooks", Some(hooks(kernel))),
        (
            "agent",
            Some(format!(
                "{}, pid {}, up {}",
                agent.version,
                agent.pid,
                duration(agent.uptime_seconds)
            )),
        ),
        (
            "detections",
            Some(format!(
                "{}, {} of them open; {} learned",
                detections.total, detections.open, detections.learned
            )),
        ),
    ]);
    text.push('\n');
    text.push_str(&output::fields(&mediated(&kernel.hooks)));
    for gap in &kernel.gaps {
        push(&mut text, format_args!("gap: {gap}"));
    }
    for permit in permits {
        push(
            &mut text,
            format_args!("permitted: {}", sentence(permit).trim_end()),
        );
    }
    let rows: Vec<_> = profiles.iter().map(row).collect();
    text.push('\n');
    text.push_str(&output::table(
        [
            "PROFILE",
            "MODE",
            "SLOT",
            "GENERATION",
            "RULES",
            "WORDS",
            "HITS",
            "TIGHTENINGS",
            "DIGEST",
        ],
        &rows,
    ));
    text.push('\n');
    for (name, count) in counters.iter().chain(reasons) {
        push(&mut text, format_args!("{name} {count}"));
    }
    text
}

/// Returns how many hooks are attached, and how many need not be yet.
fn hooks(kernel: &KernelStatus) -> String {
    let attached = kernel.hooks.len();
    match kernel.idle_hooks.len() {
        0 => attached.to_string(),
        idle => format!("{attached}; {idle} more once a profile needs them"),
    }
}

/// Returns the attached hooks, by what they are about.
fn mediated(attached: &[String]) -> Vec<(&'static str, Option<String>)> {
    let group = |group: &'static Group| {
        let hooks = group.hooks.iter().map(|hook| hook.name);
        let hooks: Vec<_> = hooks
            .filter(|hook| attached.iter().any(|attached| attached == hook))
            .collect();
        (!hooks.is_empty()).then(|| (group.name, Some(hooks.join(", "))))
    };
    GROUPS.iter().filter_map(group).collect()
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _written = writeln!(text, "{line}");
}

fn row(profile: &ProfileStatus) -> [String; 9] {
    let mode = if profile.removed {
        "removed"
    } else {
        profile.mode.name()
    };
    let tightenings = profile.tightenings.iter().map(TighteningId::to_string);
    [
        profile.name.clone(),
        mode.to_owned(),
        profile.slot.to_string(),
        profile.generation.to_string(),
        profile.rules.to_string(),
        profile.words.to_string(),
        profile.hits.to_string(),
        tightenings.collect::<Vec<_>>().join(","),
        profile.digest.chars().take(12).collect(),
    ]
}

/// Returns seconds as people read them.
fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{Status, duration, text};
    use crate::{
        detection::TighteningId,
        profile::ProfileMode,
        protocol::status::{AgentStatus, DetectionTotals, KernelStatus, ProfileStatus},
    };

    #[test]
    fn text_of_status() {
        let status = Status {
            enforced: true,
            agent: AgentStatus {
                version: "0.1.0".to_owned(),
                pid: 7,
                profiles: "/p".to_owned(),
                uptime_seconds: 61,
            },
            kernel: KernelStatus {
                release: "6.12.1".to_owned(),
                lsm: "lockdown,bpf".to_owned(),
                hooks: ["file_open", "task_alloc", "file_receive"]
                    .map(str::to_owned)
                    .to_vec(),
                idle_hooks: vec!["inode_getattr".to_owned()],
                gaps: vec!["no hook x: y".to_owned()],
            },
            profiles: vec![ProfileStatus {
                name: "nginx".to_owned(),
                source: "/p/nginx.yaml".to_owned(),
                slot: 1,
                mode: ProfileMode::Enforce,
                removed: false,
                generation: 2,
                digest: "0123456789abcdef".to_owned(),
                words: 900,
                rules: 12,
                outcomes: 5,
                tightenings: vec![TighteningId(1), TighteningId(2)],
                hits: 40,
            }],
            permits: Vec::new(),
            reasons: [("not-granted".to_owned(), 3)].into(),
            counters: [("denied".to_owned(), 3)].into(),
            detections: DetectionTotals {
                total: 2,
                open: 1,
                learned: 5,
            },
        };
        let want = "\
enforced    yes
kernel      Linux 6.12.1, lsm=lockdown,bpf
hooks       3; 1 more once a profile needs them
agent       0.1.0, pid 7, up 1 min
detections  2, 1 of them open; 5 learned

files      file_open, file_receive
processes  task_alloc
gap: no hook x: y

PROFILE  MODE     SLOT  GENERATION  RULES  WORDS  HITS  TIGHTENINGS  DIGEST
nginx    enforce  1     2           12     900    40    T1,T2        0123456789ab

denied 3
not-granted 3
";
        assert_eq!(text(&status), want);
    }

    #[test]
    fn durations() {
        #[rustfmt::skip]
        let cases = [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_600, "1 h"), (86_400, "1 d")];
        for (seconds, want) in cases {
            assert_eq!(duration(seconds), want);
        }
    }
}
