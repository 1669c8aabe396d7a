//! What two profiles differ in, against what their tables say of single paths.

use enforcer::profile::{Difference, differences};
use enforcer_abi::Access;
use proptest::prelude::*;

use crate::{PATHS, Random, compiled, paths, profile, rule, runner, sketch};

/// What both profiles say of a path.
type Both = (Access, Access);

fn both(difference: &Difference<'_>) -> Both {
    (difference.before.allow, difference.after.allow)
}

/// Every difference is one, and every path on which the tables differ is of one.
#[test]
fn differences_agree_with_the_tables() {
    let (mut differing, mut equal) = (0_u64, 0_u64);
    let sketches = || prop::collection::vec(sketch(), 1..5);
    let strategy = (sketches(), sketches(), sketches(), any::<u64>());
    let counts = std::cell::RefCell::new((&mut differing, &mut equal));
    let result = runner(300).run(&strategy, |(common, old, new, seed)| {
        let joined = |own: &[crate::Sketch]| -> Vec<crate::Sketch> {
            let all = common.iter().chain(own).cloned();
            all.filter(|sketch| rule(sketch).is_some()).collect()
        };
        let [old, new] = [joined(&old), joined(&new)];
        let [before, after] =
            [&old, &new].map(|all| profile(all.iter().filter_map(rule).collect()));
        let [before_table, after_table] = [&before, &after].map(compiled);
        let says = |path: &[u8]| -> Both {
            let of = |table: &enforcer::profile::Compiled| table.judge(path).outcome.allow;
            (of(&before_table), of(&after_table))
        };
        let found = differences(&before, &after).unwrap();
        for difference in &found {
            let shown = difference.example.escape_ascii();
            prop_assert_eq!(says(&difference.example), both(difference), "{}", shown);
            let rights = [difference.gained(), difference.lost()].into_iter();
            let mut rights = rights.chain(difference.audit()).chain(difference.quiet());
            prop_assert!(rights.any(|rights| !rights.is_empty()), "{shown}");
        }
        let mut random = Random(seed);
        let globs: Vec<_> = old
            .iter()
            .chain(&new)
            .map(|sketch| &sketch.glob[..])
            .collect();
        prop_assume!(!globs.is_empty());
        for _ in 0..PATHS {
            let path = paths::near(&globs, &mut random);
            // No object is named so, and no difference is told of it.
            let is_dots = |name: &[u8]| name == b"." || name == b"..";
            if path.split(|&byte| byte == b'/').any(is_dots) {
                continue;
            }
            let said = says(&path);
            let mut counts = counts.borrow_mut();
            if said.0 == said.1 {
                *counts.1 += 1;
            } else {
                *counts.0 += 1;
                let is_told = found.iter().any(|difference| both(difference) == said);
                prop_assert!(is_told, "{}: {said:?}", path.escape_ascii());
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(
        differing > 1000 && equal > 1000,
        "{differing} differ, {equal} do not"
    );
}
