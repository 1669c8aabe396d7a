//! Whether a task can be preempted in the middle of a program.
//!
//! Before Linux 6.2 the kernel then leaves the same program out for whoever else
//! gets that processor, and task storage cannot be looked up there
//! (271de525e1d7, 4279adb094a1): the confined would pass. Before 5.11 only a
//! real-time kernel preempts programs, and mixes up the scratch of one processor.

use super::series::Series;

/// What `--allow-degraded` calls it.
pub const NAME: &str = "preempt";

/// What it means, for people.
pub(super) const GAP: &str = "tasks are preempted inside this kernel, which before Linux 6.2 \
     leaves programs out now and then: anything may pass";

/// Where the kernel tells its mode, if that can be changed: `none (voluntary) full`.
pub(super) const MODE: &str = "/sys/kernel/debug/sched/preempt";

/// The first kernel whose programs can be preempted without being a real-time one.
const FIRST: Series = Series(5, 11);

/// The first kernel to which it does not matter.
const END: Series = Series(6, 2);

/// Whether programs may be left out on a kernel of this series with this
/// `uname -v`. `mode` is the text of [`MODE`], if there is one, and `command_line`
/// the kernel's. What cannot be told counts as so.
pub(super) fn matters(
    series: Series,
    version: &str,
    mode: Option<&str>,
    command_line: &str,
) -> bool {
    let is_named = |name: &str| version.split(' ').any(|word| word == name);
    if series >= END {
        return false;
    }
    if is_named("PREEMPT_RT") {
        return true;
    }
    if series < FIRST || !is_named("PREEMPT") && !is_named("PREEMPT_DYNAMIC") {
        return false;
    }
    let told = mode.and_then(|text| text.split(['(', ')']).nth(1));
    let asked = command_line
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix("preempt="))
        .next_back()
        .filter(|_| is_named("PREEMPT_DYNAMIC"));
    !matches!(told.or(asked), Some("none" | "voluntary"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matters_table() {
        const DYNAMIC: &str = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2";
        const FULL: &str = "#1 SMP PREEMPT Thu Jan 1";
        let voluntary = Some("none (voluntary) full \n");
        let full = Some("none voluntary (full)\n");
        #[rustfmt::skip]
        let cases = [
            ("not built in",         Series(5, 15), "#1 SMP Debian",      None,      "",                    false),
            ("always",               Series(5, 15), FULL,                 None,      "",                    true),
            ("old and always",       Series(5, 10), FULL,                 None,      "",                    false),
            ("old and real-time",    Series(5, 10), "#1 SMP PREEMPT_RT x", None,     "",                    true),
            ("real-time",            Series(6, 1),  "#1 SMP PREEMPT_RT x", voluntary, "",                   true),
            ("voluntary",            Series(6, 1),  DYNAMIC,              voluntary, "",                    false),
            ("full",                 Series(6, 1),  DYNAMIC,              full,      "",                    true),
            ("changed since",        Series(6, 1),  DYNAMIC,              full,      "preempt=none",        true),
            ("hidden, but asked",    Series(6, 1),  DYNAMIC,              None,      "a preempt=voluntary", false),
            ("the last one counts",  Series(6, 1),  DYNAMIC,              None,      "preempt=none preempt=full", true),
            ("not to be asked",      Series(5, 15), FULL,                 None,      "preempt=none",        true),
            ("dynamic before named", Series(5, 15), FULL,                 voluntary, "preempt=voluntary",   false),
            ("hidden",               Series(6, 1),  DYNAMIC,              None,      "quiet",               true),
            ("new",                  Series(6, 2),  DYNAMIC,              full,      "",                    false),
        ];
        for (name, series, version, mode, command_line, want) in cases {
            assert_eq!(matters(series, version, mode, command_line), want, "{name}");
        }
    }
}
