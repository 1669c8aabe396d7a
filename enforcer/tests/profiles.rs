//! Every profile that is shipped loads, compiles, and does what its header says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::PathBuf};

use enforcer::profile::{
    ABSTRACTIONS, Profile, ProfileSet, access_from_names, compile, explain, load_abstraction,
};
use enforcer_abi::{Access, Slot, limits::TABLE_WORDS};

/// The folder of the profiles that are shipped.
fn shipped() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles"))
}

/// A line of a header: whether the access is granted, its rights, its path.
struct Claim {
    granted: bool,
    access: Access,
    path: String,
}

/// The claims in the comment at the top of a profile: lines of rights and a path behind
/// `Granted:` and `Refused:`.
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
            && let [access, path] = words[..]
        {
            claims.push(Claim {
                granted,
                access: access_from_names(access.split(',')).unwrap(),
                path: path.to_owned(),
            });
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
        let compiled = compile(profile, &|_| Some(Slot(1))).unwrap();
        assert!(
            compiled.words.len() <= TABLE_WORDS[0],
            "{name} has {} words",
            compiled.words.len()
        );
        let claims = claims(profile);
        for granted in [true, false] {
            let count = claims
                .iter()
                .filter(|claim| claim.granted == granted)
                .count();
            assert!(count >= 5, "{name} claims too little");
        }
        for claim in claims {
            let explanation = explain(profile, &compiled, claim.access, claim.path.as_bytes());
            let names: Vec<_> = claim.access.names().collect();
            assert_eq!(
                explanation.missing.is_empty(),
                claim.granted,
                "{name}: {names:?} {}",
                claim.path
            );
        }
    }
}

#[test]
fn shipped_abstractions_load() {
    let dir = shipped().join(ABSTRACTIONS);
    let mut count = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let file = entry.unwrap().path();
        load_abstraction(&file, &dir).unwrap_or_else(|errors| panic!("{errors:#?}"));
        count += 1;
    }
    assert!(count >= 2);
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
    let compiled = compile(&profile, &|_| Some(Slot(1))).unwrap();
    for (access, path) in seen {
        let access = access_from_names(access.split(',')).unwrap();
        let granted = compiled.judge(path.as_bytes()).outcome.allow;
        let missing: Vec<_> = access.missing_from(granted).names().collect();
        assert!(missing.is_empty(), "{path}: {missing:?}");
    }
}
