//! Every profile that is shipped loads, compiles, and does what its header says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use enforcer::profile::{
    ABSTRACTIONS, Compiled, FileKind, Move, Owner, Profile, ProfileSet, access_from_names, compile,
    explain, format, growth, lint, load_abstraction, object_name, rights_from_name,
};
use enforcer_abi::{Access, Privilege, Slot, Verdict, limits::TABLE_WORDS};

/// The folder of the profiles that are shipped.
fn shipped() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles"))
}

/// A line of a header.
struct Claim {
    granted: bool,
    what: What,
}

/// What a line of a header is about.
enum What {
    Rights(Owner, Access, String),
    Move(Owner, Move, String, String),
    Privilege(Privilege),
}

impl What {
    /// Reads a line's words: `own` if it is about files of the subject's own user, an
    /// operation or rights, and what they are about.
    fn read(words: &[&str]) -> Option<Self> {
        let path = |path: &str| path.to_owned();
        let (owner, words) = match words {
            ["own", words @ ..] => (Owner::Task, words),
            words => (Owner::Other, words),
        };
        Some(match *words {
            ["privilege", name] => Self::Privilege(Privilege::from_name(name).unwrap()),
            ["rename", old, new] => Self::Move(owner, Move::Rename, path(old), path(new)),
            ["link", old, new] => Self::Move(owner, Move::Link, path(old), path(new)),
            [names, object] => {
                let rights = names.split(',').map(|name| rights_from_name(name).unwrap());
                let all = rights.fold(Access::NONE, |all, right| all | right);
                Self::Rights(owner, all, path(object))
            }
            _ => return None,
        })
    }

    /// Whether the profile grants it, and it in words.
    fn judge(&self, profile: &Profile, compiled: &Compiled) -> (bool, String) {
        match self {
            Self::Rights(owner, access, path) => {
                let name = object_name(path.as_bytes());
                let explanation = explain(profile, compiled, *access, &name, *owner);
                let names: Vec<_> = access.names().collect();
                (explanation.missing.is_empty(), format!("{names:?} {path}"))
            }
            Self::Move(owner, how, old, new) => {
                let paths = [old, new].map(String::as_bytes);
                let growth = growth(profile, compiled, *how, paths, *owner);
                let granted = growth.as_file == Verdict::Allow;
                (granted, format!("{how:?} {old} {new}"))
            }
            Self::Privilege(privilege) => (
                profile.privileges.contains(*privilege),
                format!("{privilege:?}"),
            ),
        }
    }
}

/// The claims in the comment at the top of a profile: lines behind `Granted:` and
/// `Refused:`.
fn claims(profile: &Profile) -> Vec<Claim> {
    let text = fs::read_to_string(&profile.source).unwrap();
    let mut granted = None;
    let mut claims = Vec::new();
    for line in text.lines().map_while(|line| line.strip_prefix('#')) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            Some(&"Granted:") => granted = Some(true),
            Some(&"Refused:") => granted = Some(false),
            _ => {}
        }
        words.retain(|word| !word.ends_with(':'));
        if let Some(granted) = granted
            && let Some(what) = What::read(&words)
        {
            claims.push(Claim { granted, what });
        }
    }
    claims
}

#[test]
fn shipped_profiles_keep_their_claims() {
    let set = ProfileSet::load_dir(&shipped()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(set.get("nginx").is_some());
    for profile in &set {
        let name = &profile.name;
        let compiled = compile(profile, &|_| Some(Slot::FIRST)).unwrap();
        assert!(
            compiled.words.len() <= TABLE_WORDS[0],
            "{name} has {} words",
            compiled.words.len()
        );
        let warnings = lint(profile).unwrap();
        assert!(warnings.is_empty(), "{name}: {warnings:#?}");
        let claims = claims(profile);
        for granted in [true, false] {
            let count = claims
                .iter()
                .filter(|claim| claim.granted == granted)
                .count();
            assert!(count >= 5, "{name} claims too little");
        }
        for claim in claims {
            let (granted, words) = claim.what.judge(profile, &compiled);
            assert_eq!(granted, claim.granted, "{name}: {words}");
        }
    }
}

/// Each is proven in a virtual machine, by the program that it is for.
#[test]
fn shipped_profiles_are_proven() {
    let tests = shipped().join("../tests/kernel/library");
    let files = fs::read_dir(&tests)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let sources: Vec<_> = files
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let tables = sources
        .iter()
        .filter_map(|text| text.split_once("\n    profiles: &["));
    let lists: Vec<_> = tables
        .map(|(_, rest)| rest.split(']').next().unwrap())
        .collect();
    let set = ProfileSet::load_dir(&shipped()).unwrap();
    assert!(set.iter().count() >= 14);
    for profile in &set {
        let name = format!("\"{}\"", profile.name);
        let is_there = lists.iter().any(|list| list.contains(&name));
        assert!(is_there, "{name} is in no test of {}", tests.display());
    }
}

#[test]
fn shipped_abstractions_load() {
    let dir = shipped().join(ABSTRACTIONS);
    let mut count = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        load_abstraction(&file, &dir).unwrap_or_else(|errors| panic!("{errors:#?}"));
        count += 1;
    }
    assert!(count >= 10);
}

/// If this fails, `cargo run --package enforcer -- fmt profiles` writes the files anew.
#[test]
fn shipped_files_are_formatted() {
    let profiles = shipped();
    let abstractions = profiles.join(ABSTRACTIONS);
    let mut count = 0;
    for (dir, kind) in [
        (&profiles, FileKind::Profile),
        (&abstractions, FileKind::Abstraction),
    ] {
        for entry in fs::read_dir(dir).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_none_or(|end| end != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let formatted = format(&text, &file, kind, &abstractions).unwrap();
            let name = Path::new(file.file_name().unwrap()).display();
            assert_eq!(text, formatted, "{name}");
            count += 1;
        }
    }
    assert!(count >= 4);
}

/// Abstractions are of use in profiles that decide on metadata and in those that do not.
#[test]
fn abstractions_serve_both_kinds_of_profiles() {
    let abstractions = shipped().join(ABSTRACTIONS);
    let load = |metadata: bool| {
        let text = format!(
            "name: p\nmode: enforce\nmetadata: {metadata}\ninclude: [base, logging, nameservice]\n"
        );
        let profile = Profile::parse(&text, "p.yaml".as_ref(), &abstractions).unwrap();
        compile(&profile, &|_| None).unwrap()
    };
    let [decides, grants] = [true, false].map(load);
    // Columns: path, rights where metadata is granted on every path.
    #[rustfmt::skip]
    let cases = [
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "read,map"),
        ("/dev/pts/0",                          "read,write"),
        ("/dev/tty",                            "read,write"),
        ("/dev/null",                           "read,write"),
        ("/dev/log",                            "connect"),
        ("/run/systemd/journal/socket",         "connect"),
        ("/run/systemd/resolve/io.systemd.Resolve", "connect"),
        ("/run/nscd/socket",                    "read,connect"),
    ];
    for (path, rights) in cases {
        let rights = access_from_names(rights.split(',')).unwrap();
        let allow = |table: &Compiled| table.judge(path.as_bytes()).outcome.allow;
        assert!(allow(&grants).contains(rights), "{path}");
        assert_eq!(allow(&decides), allow(&grants), "{path}");
    }
    let shadow = |table: &Compiled| table.judge(b"/etc/shadow").outcome.allow;
    assert_eq!(shadow(&grants), Access::METADATA);
    assert_eq!(shadow(&decides), Access::NONE);
    let journal = grants.judge(b"/run/systemd/journal/io.systemd.journal");
    assert!(
        !journal.outcome.allow.contains(Access::CONNECT),
        "it can rotate logs"
    );
}

/// What nginx 1.22 of Debian 12 was seen to do (strace, from its start to its end with one
/// page served): the paths that file descriptors came to have.
#[test]
fn nginx_may_do_what_it_does() {
    #[rustfmt::skip]
    let seen = [
        ("read",              "/etc/ld.so.cache"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/libcrypt.so.1.1.0"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/libpcre2-8.so.0.11.2"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/libssl.so.3"),
        ("read,map",          "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13"),
        ("read",              "/sys/devices/system/cpu/online"),
        ("read",              "/proc/sys/kernel/ngroups_max"),
        ("read",              "/etc/ssl/openssl.cnf"),
        ("read",              "/etc/nsswitch.conf"),
        ("read",              "/etc/passwd"),
        ("read",              "/etc/group"),
        ("read",              "/etc/nginx/nginx.conf"),
        ("read",              "/etc/nginx/mime.types"),
        ("read",              "/etc/nginx/conf.d"),
        ("read",              "/etc/nginx/modules-enabled"),
        ("read",              "/etc/nginx/sites-enabled"),
        ("read",              "/etc/nginx/sites-available/default"),
        ("read,write",        "/dev/null"),
        ("create,append",     "/var/log/nginx/access.log"),
        ("create,append",     "/var/log/nginx/error.log"),
        ("create,read,write", "/run/nginx.pid"),
        ("remove",            "/run/nginx.pid"),
        ("create,attributes", "/var/lib/nginx/body"),
        ("create,read,write", "/var/lib/nginx/body/0000000001"),
        ("read",              "/srv/www/index.html"),
        ("read",              "/srv/www"),
    ];
    let dir = shipped();
    let profile = Profile::load(&dir.join("nginx.yaml"), &dir.join(ABSTRACTIONS)).unwrap();
    let compiled = compile(&profile, &|_| Some(Slot::FIRST)).unwrap();
    for (access, path) in seen {
        let access = access_from_names(access.split(',')).unwrap();
        let granted = compiled.judge(path.as_bytes()).outcome.allow;
        let missing: Vec<_> = access.missing_from(granted).names().collect();
        assert!(missing.is_empty(), "{path}: {missing:?}");
    }
}
