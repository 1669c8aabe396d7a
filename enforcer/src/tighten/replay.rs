//! Replay: what the history shows in use, judged by what a tightening would leave.
//!
//! Hit counters say which rules were used since a profile was loaded. The history knows
//! objects, and those from before as well.

use std::collections::BTreeMap;

use enforcer_abi::Access;
use jiff::Timestamp;

use crate::{
    history::Use,
    profile::{CompileError, Compiled, Profile, compile_alone},
};

/// Whether a use counts as what the program is for: `suspects` are the lineages of open
/// detections, with the time of the first. What one of them used for the first time since then
/// may have been an attack.
pub fn is_legitimate(one: &Use, suspects: &BTreeMap<u64, Timestamp>) -> bool {
    let detected = suspects.get(&one.lineage);
    detected.is_none_or(|&first| one.first < first)
}

/// Returns the objects that a profile grants `before`, that were used, and that it would
/// not grant `after`; of each the rights that it would lose. What is not legitimate beside
/// `suspects` counts for nothing ([`is_legitimate`]).
///
/// Whose an object was, the history does not say: what a rule grants owners, it grants.
///
/// # Errors
///
/// If what is left makes no table.
pub fn lost(
    before: &Compiled,
    after: &Profile,
    uses: &[Use],
    suspects: &BTreeMap<u64, Timestamp>,
) -> Result<Vec<Use>, CompileError> {
    let after = compile_alone(after)?;
    let loses = |one: &Use| -> Access {
        let granted = |table: &Compiled| table.judge(&one.path).outcome.reach().granted(true);
        one.access & granted(before) & !granted(&after)
    };
    let legitimate = uses
        .iter()
        .filter(|one| one.is_granted && is_legitimate(one, suspects));
    let lost = legitimate.filter_map(|one| {
        let access = loses(one);
        (!access.is_empty()).then(|| Use {
            access,
            ..one.clone()
        })
    });
    Ok(lost.collect())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use enforcer_abi::{Access, Operation};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::{Use, lost};
    use crate::profile::{Profile, Removal, compile_alone};

    fn profile() -> Profile {
        let text = "\
name: p
mode: enforce
paths:
  - { path: \"/srv/**\", allow: [read, write] }
  - { path: /srv/both, allow: [read] }
  - { path: \"/home/*\", allow: [read], owner: true }
";
        Profile::parse(text, Path::new("p.yaml"), Path::new("")).unwrap()
    }

    fn used(path: &str, access: Access) -> Use {
        Use {
            profile: "p".to_owned(),
            program: b"/bin/a".to_vec(),
            build: None,
            lineage: 1,
            path: path.as_bytes().to_vec(),
            operations: [Operation::Open].into(),
            access,
            is_granted: true,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
            told: 1,
        }
    }

    fn removal(pattern: &str, access: Access) -> Removal {
        Removal {
            pattern: pattern.to_owned(),
            access,
            except: Vec::new(),
        }
    }

    #[test]
    fn what_would_be_lost() {
        let [detected, before] = [20, 19].map(|second| Timestamp::from_second(second).unwrap());
        let suspect = Use {
            lineage: 2,
            first: detected,
            ..used("/srv/b", Access::READ)
        };
        let earlier = Use {
            path: b"/srv/e".to_vec(),
            first: before,
            ..suspect.clone()
        };
        let watched = Use {
            is_granted: false,
            ..used("/srv/c", Access::READ)
        };
        let uses = [
            used("/srv/a", Access::READ | Access::WRITE),
            used("/srv/both", Access::READ),
            used("/home/x", Access::READ),
            used("/gone", Access::READ),
            suspect,
            earlier,
            watched,
        ];
        #[rustfmt::skip]
        let cases: [(&str, Removal, &[(&str, Access)]); 4] = [
            ("all",         removal("/srv/**", Access::READ | Access::WRITE), &[("/srv/a", Access::READ | Access::WRITE), ("/srv/e", Access::READ)]),
            ("one right",   removal("/srv/**", Access::WRITE),                &[("/srv/a", Access::WRITE)]),
            ("an owner's",  removal("/home/*", Access::READ),                 &[("/home/x", Access::READ)]),
            ("granted twice", removal("/srv/both", Access::READ),             &[]),
        ];
        let profile = profile();
        let before = compile_alone(&profile).unwrap();
        for (name, removal, want) in cases {
            let after = profile.without(&[removal]);
            let got = lost(&before, &after, &uses, &BTreeMap::from([(2, detected)])).unwrap();
            let got: Vec<_> = got
                .iter()
                .map(|one| (str::from_utf8(&one.path).unwrap(), one.access))
                .collect();
            assert_eq!(got, want, "{name}");
        }
    }

    proptest! {
        /// Nothing is told lost that the profile without its removals grants, and nothing that
        /// it does not grant is left out: by a matcher that knows no tables.
        #[test]
        fn as_rule_by_rule(
            removed in prop::sample::subsequence(vec![0, 1, 2], 0..3),
            rights in 1..4_u32,
            paths in prop::collection::vec(prop::sample::select(vec![
                "/srv/a", "/srv/both", "/srv/d/e", "/home/x", "/home/x/y", "/etc",
            ]), 1..6),
        ) {
            let profile = profile();
            let access = [Access::READ, Access::WRITE]
                .into_iter()
                .enumerate()
                .filter(|(at, _)| rights & 1 << at != 0)
                .fold(Access::NONE, |all, (_, one)| all | one);
            let removals: Vec<Removal> = removed
                .iter()
                .map(|&at: &usize| removal(profile.rules[at].pattern.text(), access))
                .collect();
            let after = profile.without(&removals);
            let uses: Vec<Use> = paths.iter().map(|path| used(path, access)).collect();
            let before = compile_alone(&profile).unwrap();
            let got = lost(&before, &after, &uses, &BTreeMap::new()).unwrap();
            let granted = |profile: &Profile, path: &[u8]| {
                let rules = profile.rules.iter().filter(|rule| rule.pattern.matches(path));
                rules.fold(Access::NONE, |all, rule| all | rule.allow.with_implied())
            };
            let want: Vec<(Vec<u8>, Access)> = uses
                .iter()
                .map(|one| {
                    let lost = granted(&profile, &one.path) & !granted(&after, &one.path);
                    (one.path.clone(), one.access & lost)
                })
                .filter(|(_, lost)| !lost.is_empty())
                .collect();
            let got: Vec<_> = got.into_iter().map(|one| (one.path, one.access)).collect();
            prop_assert_eq!(got, want);
        }
    }
}
