//! What `enforcer import apparmor` makes of Debian's profiles, against what AppArmor's
//! language means: its patterns are matched here by a matcher of the test's own.
//!
//! The profiles are not ours to ship. `cargo xtask test` fetches them and names their folder
//! in `ENFORCER_APPARMOR_PROFILES`.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a test fails"
)]

#[path = "apparmor/aare.rs"]
mod aare;
#[path = "apparmor/compare.rs"]
mod compare;
#[path = "apparmor/network.rs"]
mod network;
#[path = "apparmor/paths.rs"]
mod paths;
#[path = "apparmor/rights.rs"]
mod rights;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use enforcer::apparmor::{Imported, Policy, import};

use crate::{
    compare::{Compared, Written},
    paths::Random,
};

/// The variable that names the folder.
const FOLDER: &str = "ENFORCER_APPARMOR_PROFILES";

/// Of a hundred rules about files, how many have to come to the same.
const PERCENT: usize = 90;

/// The files in `folder` that have profiles.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("read the folder of profiles");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        lines.any(|line| line.ends_with('{') && !line.starts_with('#'))
    });
    files.sort();
    files
}

#[test]
fn debians_profiles_come_to_the_same() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else {
        let why = format!("{FOLDER} names no folder of profiles; `cargo xtask test` does");
        assert!(env::var_os("ENFORCER_TEST_NO_SKIP").is_none(), "{why}");
        println!("left out: {why}");
        return;
    };
    let files = files(&folder);
    let imported = import(&files, &folder).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"));
    });
    let all: Vec<(&Policy, &Imported)> = imported
        .iter()
        .flat_map(|file| file.profiles.iter().map(|profile| (&file.policy, profile)))
        .collect();
    assert!(all.len() >= 30, "{} profiles are too few", all.len());

    let profiles: Vec<&Imported> = all.iter().map(|(_, profile)| *profile).collect();
    let written = Written::new(&profiles);
    let compared = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((policy, profile)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = compare::compare(policy, profile, &written);
                    compared.lock().unwrap().push(result);
                }
            });
        }
    });
    let mut compared: Vec<Compared> = compared.into_inner().unwrap();
    compared.sort_by(|one, other| one.name.cmp(&other.name));

    for one in &compared {
        println!("{one}");
    }
    let sum = |of: fn(&Compared) -> usize| compared.iter().map(of).sum::<usize>();
    let (rules, equal) = (sum(|one| one.rules), sum(|one| one.equal));
    let (paths, matched) = (sum(|one| one.paths), sum(|one| one.matched));
    println!(
        "in all: {equal} of {rules} rules about files come to the same ({}), by {paths} paths, \
         {matched} of which some rule matches",
        compare::percent(equal, rules)
    );
    let (sockets, granted) = (
        sum(|one| one.sockets.compared),
        sum(|one| one.sockets.granted),
    );
    println!("{sockets} sockets come to the same, {granted} of which are granted");
    let wrong: Vec<&str> = compared
        .iter()
        .flat_map(|one| one.wrong.iter().map(String::as_str))
        .collect();
    assert!(
        wrong.is_empty(),
        "claimed to be the same:\n{}",
        wrong.join("\n")
    );
    assert!(rules >= 3000, "{rules} rules are too few");
    assert!(equal * 100 >= rules * PERCENT, "{equal} of {rules}");
    assert!(sockets >= 1000, "{sockets} sockets are too few");
    assert!((10..90).contains(&(granted * 100 / sockets)), "{granted}");
    // Neither what always matches nor what never does gets through.
    assert!(
        (30..98).contains(&(matched * 100 / paths)),
        "{matched} of {paths}"
    );
}

/// A pattern as nobody would write it.
fn odd_pattern(random: &mut Random) -> String {
    #[rustfmt::skip]
    let pieces = [
        "a", "b", "a", "/", "/", "/", "*", "**", "?", "[ab]", "[^a]", ".so", "{a,b}", "{,a}",
        "{/,}", "{,/}", "{a,/b/}", "{**/,}", "{,**}", "{a*,b/**}", "@{DIR}", "[0-9]*", r"\{",
    ];
    let roots = ["/", "/", "/a/", "/proc/", "@{DIR}"];
    let mut text = roots[random.below(roots.len())].to_owned();
    // Many of `**` make automata of millions of states.
    let mut stars = 0;
    for _ in 0..random.below(7) {
        let piece = pieces[random.below(pieces.len())];
        stars += usize::from(piece.contains("**"));
        if !piece.contains("**") || stars < 3 {
            text.push_str(piece);
        }
    }
    text
}

#[test]
fn odd_patterns_come_to_the_same() {
    const PROFILES: usize = 60;
    const RULES: usize = 6;
    let mut random = Random::new(1);
    let profiles = (0..PROFILES).map(|number| {
        let rules = (0..RULES).map(|_| {
            let before = ["", "deny ", "owner "][random.below(3)];
            let rights = ["r", "rw", "mrk", "a"][random.below(4)];
            format!("  {before}{} {rights},\n", odd_pattern(&mut random))
        });
        format!("profile p{number} {{\n{}}}\n", rules.collect::<String>())
    });
    let text = format!("@{{DIR}}=/a/ /b/c\n{}", profiles.collect::<String>());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p");
    fs::write(&file, &text).unwrap();
    let imported = import(&[file], folder.path()).expect("import what was made up");
    let [file] = imported.as_slice() else {
        panic!("one file")
    };
    let profiles: Vec<&Imported> = file.profiles.iter().collect();
    let written = Written::new(&profiles);
    let mut equal = 0;
    for profile in &file.profiles {
        let compared = compare::compare(&file.policy, profile, &written);
        assert!(compared.wrong.is_empty(), "{}", compared.wrong.join("\n"));
        equal += compared.equal;
    }
    // What can match no path is left out.
    let rules = PROFILES * RULES;
    assert!(equal * 10 >= rules * 9, "{equal} of {rules}");
}
