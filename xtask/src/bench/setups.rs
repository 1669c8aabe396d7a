//! The set-ups: what is there besides the process that is measured, and what confines
//! it. What they are made of is in `tests/bin/bench/confine.rs`.

use anyhow::{Result, bail};

/// A set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SetUp {
    /// Its name, which the program in the guest knows.
    pub(crate) name: &'static str,
    /// Words for the kernel's command line.
    pub(crate) append: &'static str,
    /// What it is, for people.
    pub(crate) what: &'static str,
}

/// The set-up that the others are compared with.
pub(crate) const NONE: &str = "none";

/// TOMOYO takes its policy from a loader, once, when a certain program starts.
const TOMOYO: &str = "lsm=tomoyo TOMOYO_loader=/run/tomoyo-loader \
    TOMOYO_trigger=/run/tomoyo-trigger";

/// All of them, in the order of the table.
#[rustfmt::skip]
const SET_UPS: [SetUp; 16] = [
    SetUp { name: NONE,                  append: "lsm=capability", what: "no security module" },
    SetUp { name: "apparmor-unconfined", append: "lsm=apparmor",   what: "AppArmor, a process without a profile" },
    SetUp { name: "apparmor-6",          append: "lsm=apparmor",   what: "AppArmor, 6 rules" },
    SetUp { name: "apparmor-60",         append: "lsm=apparmor",   what: "AppArmor, 60 rules" },
    SetUp { name: "landlock-unused",     append: "lsm=landlock",   what: "Landlock, a process without rules" },
    SetUp { name: "landlock-6",          append: "lsm=landlock",   what: "Landlock, 6 rules" },
    SetUp { name: "landlock-60",         append: "lsm=landlock",   what: "Landlock, 60 rules" },
    SetUp { name: "tomoyo-6",            append: TOMOYO,           what: "TOMOYO, what 6 rules grant" },
    SetUp { name: "tomoyo-60",           append: TOMOYO,           what: "TOMOYO, what 60 rules grant" },
    SetUp { name: "enforcer-empty",      append: "lsm=bpf",        what: "an agent without profiles" },
    SetUp { name: "enforcer-other",      append: "lsm=bpf",        what: "an agent with a profile of 60 rules for somebody else" },
    SetUp { name: "enforcer-6",          append: "lsm=bpf",        what: "one profile of 6 rules" },
    SetUp { name: "enforcer-60",         append: "lsm=bpf",        what: "one profile of 60 rules" },
    SetUp { name: "enforcer-1000",       append: "lsm=bpf",        what: "one profile of 1,000 rules" },
    SetUp { name: "enforcer-layers",     append: "lsm=bpf",        what: "three profiles of 60 rules: user, application, process" },
    SetUp { name: "enforcer-audit",      append: "lsm=bpf",        what: "one profile of 60 rules in audit mode" },
];

/// Returns the set-ups whose name contains one of `parts`, and [`NONE`]; all without
/// parts.
pub(crate) fn chosen(parts: &[String]) -> Result<Vec<SetUp>> {
    if let Some(odd) = parts
        .iter()
        .find(|part| !SET_UPS.iter().any(|one| one.name.contains(*part)))
    {
        let names = SET_UPS.map(|set_up| set_up.name).join(", ");
        bail!("no set-up's name contains {odd:?}; there are {names}");
    }
    let is_wanted = |set_up: &SetUp| {
        set_up.name == NONE
            || parts.is_empty()
            || parts.iter().any(|part| set_up.name.contains(part))
    };
    Ok(SET_UPS.into_iter().filter(is_wanted).collect())
}

/// Tells whether there is a set-up of this name.
pub(crate) fn is_known(name: &str) -> bool {
    SET_UPS.iter().any(|set_up| set_up.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parts: &[&str]) -> Vec<&'static str> {
        let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
        let chosen = chosen(&parts).unwrap();
        chosen.into_iter().map(|set_up| set_up.name).collect()
    }

    #[test]
    fn what_is_compared_with_is_always_there() {
        assert_eq!(names(&["lock-60"]), [NONE, "landlock-60"]);
        assert_eq!(names(&[NONE]), [NONE]);
        assert_eq!(names(&[]).len(), SET_UPS.len());
        assert!(chosen(&["lock".to_owned(), "smack".to_owned()]).is_err());
    }
}
