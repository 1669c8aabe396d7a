//! The list of hooks against the kernels that we know.

use std::collections::HashSet;

use super::{Need, Plan, Series, Signature, all, by_name};
use crate::kernel::Unsupported;

/// Of Debian's kernels.
const ARGUMENTS: &str = include_str!("arguments.txt");
const KERNELS: [Series; 5] = [
    Series(5, 10),
    Series(6, 1),
    Series(6, 12),
    Series(6, 17),
    Series(7, 2),
];

/// The arguments of a hook on a kernel.
fn arguments(series: Series, hook: &str) -> Option<Vec<&'static [u8]>> {
    let line = ARGUMENTS.lines().rfind(|line| {
        let mut words = line.split(' ');
        words.next() == Some(hook) && words.next().and_then(Series::of_release) <= Some(series)
    });
    let (_, names) = line?.split_once(' ')?.1.split_once(' ')?;
    match names {
        "-" => None,
        "()" => Some(Vec::new()),
        names => Some(names.split(' ').map(str::as_bytes).collect()),
    }
}

fn plan(series: Series, hidden: &str, allowed: &[&str]) -> Result<Plan, Unsupported> {
    let allowed: Vec<_> = allowed.iter().map(|&name| name.to_owned()).collect();
    let known = |hook: &str| Ok(arguments(series, hook).filter(|_| hook != hidden));
    Plan::new(series, known, &allowed)
}

/// The program that a kernel gets for a hook.
fn picked(plan: &Plan, hook: &str) -> Option<&'static str> {
    let mut picks = plan.picks.iter();
    picks.find_map(|pick| (pick.hook.name == hook).then_some(pick.program))
}

#[test]
fn names_are_unique() {
    let hooks: HashSet<_> = all().map(|hook| hook.name).collect();
    assert_eq!(hooks.len(), all().count());
    let programs: Vec<_> = all()
        .flat_map(|hook| hook.programs.iter().map(|Signature(program, _)| program))
        .collect();
    assert_eq!(
        programs.iter().collect::<HashSet<_>>().len(),
        programs.len()
    );
    assert!(by_name("file_open").is_some() && by_name("inode_permission").is_none());
}

/// What the list says of versions is what Debian's kernels have.
#[test]
fn every_kernel_has_the_hooks_of_its_series() {
    for series in KERNELS {
        let plan = plan(series, "", &[]).unwrap();
        assert_eq!(plan.metadata_missing, [""; 0], "{series}");
        for hook in all() {
            // Backported to every stable kernel that we know.
            let has = hook.since <= series || hook.name == "file_ioctl_compat";
            let name = hook.name;
            assert_eq!(picked(&plan, name).is_some(), has, "{name} on {series}");
        }
    }
}

/// Whatever is not on this list, every profile needs.
#[test]
fn what_waits_for_more_than_a_profile() {
    let waits = |need: Need| -> Vec<&str> {
        all()
            .filter(|hook| hook.need == need)
            .map(|hook| hook.name)
            .collect()
    };
    let metadata = [
        "inode_getattr",
        "inode_readlink",
        "inode_getxattr",
        "inode_listxattr",
        "inode_get_acl",
    ];
    assert_eq!(waits(Need::Metadata), metadata);
    assert_eq!(waits(Need::Users), ["task_fix_setuid"]);
    assert_eq!(waits(Need::Memory), ["d_instantiate"]);
    let rest = all().count() - metadata.len() - 2;
    assert_eq!(waits(Need::Profile).len(), rest);
}

#[test]
fn the_program_is_that_of_the_arguments() {
    #[rustfmt::skip]
    let cases = [
        ("path_rename",      ["path_rename_plain", "path_rename", "path_rename", "path_rename", "path_rename"]),
        ("inode_setattr",    ["inode_setattr", "inode_setattr", "inode_setattr_idmap", "inode_setattr_idmap", "inode_setattr_idmap"]),
        ("inode_setxattr",   ["inode_setxattr_plain", "inode_setxattr", "inode_setxattr", "inode_setxattr", "inode_setxattr"]),
        ("inode_removexattr", ["inode_removexattr_plain", "inode_removexattr", "inode_removexattr", "inode_removexattr", "inode_removexattr"]),
        ("mmap_file",        ["mmap_file"; 5]),
    ];
    for (hook, programs) in cases {
        for (series, program) in KERNELS.into_iter().zip(programs) {
            let plan = plan(series, "", &[]).unwrap();
            assert_eq!(picked(&plan, hook), Some(program), "{hook} on {series}");
        }
    }
}

#[test]
fn gaps_are_told() {
    #[rustfmt::skip]
    let cases: [(Series, &[&str]); 3] = [
        (Series(5, 10), &["no hook userns_create", "Linux before 5.12"]),
        (Series(6, 1),  &[]),
        (Series(7, 2),  &[]),
    ];
    for (series, starts) in cases {
        let plan = plan(series, "", &[]).unwrap();
        assert_eq!(plan.gaps.len(), starts.len(), "{series}: {:?}", plan.gaps);
        for (gap, start) in plan.gaps.iter().zip(starts) {
            assert!(gap.starts_with(start), "{series}: {gap}");
        }
        assert_eq!(plan.lacks.is_empty(), series >= Series(5, 12), "{series}");
    }
}

#[test]
fn missing_hooks() {
    let new = Series(6, 12);
    #[rustfmt::skip]
    let cases = [
        ("there",                        new,          "",              None),
        ("needed",                       new,          "path_rename",   Some("path_rename")),
        ("needed from 6.2 on",           new,          "file_truncate", Some("file_truncate")),
        ("not yet needed",               Series(6, 1), "file_truncate", None),
        ("depends on the configuration", new,          "key_alloc",     None),
    ];
    for (name, series, hidden, want) in cases {
        match plan(series, hidden, &[]) {
            Ok(plan) => {
                assert_eq!(want, None, "{name}");
                assert_eq!(plan.has("file_open"), hidden != "file_open", "{name}");
            }
            Err(Unsupported::NoHook { hook }) => assert_eq!(Some(hook), want, "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    let degraded = plan(new, "path_rename", &["path_rename"]).unwrap();
    assert_eq!(degraded.gaps.len(), 1, "{:?}", degraded.gaps);
    assert!(degraded.gaps[0].ends_with("rename"), "{:?}", degraded.gaps);

    let blind = plan(new, "inode_getattr", &[]).unwrap();
    assert_eq!(blind.metadata_missing, ["inode_getattr"]);
    let accepted = plan(new, "inode_getattr", &["inode_getattr"]).unwrap();
    assert_eq!(accepted.metadata_missing, [""; 0]);
    assert_eq!(accepted.gaps.len(), 1, "{:?}", accepted.gaps);
}

#[test]
fn unknown_arguments_are_refused() {
    let series = Series(7, 9);
    let odd = |hook: &str| {
        Ok(match hook {
            "path_unlink" => Some(vec![&b"idmap"[..], b"dir", b"dentry"]),
            // One more than any that we know.
            "path_rename" => arguments(series, hook).map(|mut names| {
                names.push(b"more");
                names
            }),
            _ => arguments(series, hook),
        })
    };
    let error = Plan::new(series, odd, &[]).unwrap_err().to_string();
    assert!(
        error.contains("path_unlink") && error.contains("idmap, dir, dentry"),
        "{error}"
    );
    let plan = Plan::new(series, odd, &["path_unlink".to_owned()]).unwrap();
    assert_eq!(picked(&plan, "path_unlink"), None);
    assert_eq!(picked(&plan, "path_rename"), Some("path_rename"));
}
