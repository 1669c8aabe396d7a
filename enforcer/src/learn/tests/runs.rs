//! Two runs each of real programs, with other data, as strace recorded them on Debian 12:
//! what is learned of the first lets the second do all of its work, and refuses attacks.

use std::{collections::BTreeSet, path::Path};

use enforcer_abi::Access;

use super::{folding::Host, learned_with, observed, refused, shipped};
use crate::{
    learn::places::fixed_names,
    profile::{ABSTRACTIONS, Profile, yaml_files},
};

/// A program.
struct Case {
    name: &'static str,
    /// The shipped profile for it.
    shipped: &'static str,
    runs: [&'static str; 2],
    /// What is on the host.
    host: Host,
    /// What it must not be able to do.
    attacks: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        name: "nginx",
        shipped: "nginx",
        runs: [
            include_str!("runs/nginx-1.txt"),
            include_str!("runs/nginx-2.txt"),
        ],
        host: Host(&["/srv/www/index.html", "/srv/www/.git/config"]),
        attacks: "\
open write /srv/www/index.html
open read /srv/www/.git/config
open read /etc/shadow
open read /etc/ssl/private/site.key
execute execute /usr/bin/dash
open write /var/log/nginx/access.log
unlink remove /var/log/nginx/access.log
open create,write /etc/cron.d/job
open create,write /srv/upload/shell.php
connect connect /run/docker.sock
bind bind tcp:0.0.0.0:4444
connect connect tcp:198.51.100.7:443
privilege sys_admin
",
    },
    Case {
        name: "redis-server",
        shipped: "redis-server",
        runs: [
            include_str!("runs/redis-1.txt"),
            include_str!("runs/redis-2.txt"),
        ],
        host: Host(&["/var/lib/redis/dump.rdb"]),
        attacks: "\
open write /etc/redis/redis.conf
open create,write /etc/cron.d/temp-4711.rdb
open create,write /root/.ssh/authorized_keys
open create,write /var/www/shell.php
map map /tmp/module.so
map map /var/lib/redis/module.so
execute execute /usr/bin/dash
open read /etc/shadow
open write /var/log/redis/redis-server.log
connect connect /run/docker.sock
bind bind tcp:0.0.0.0:4444
connect connect tcp:198.51.100.7:6379
privilege execmem
",
    },
    Case {
        name: "postgres",
        shipped: "postgresql",
        runs: [include_str!("runs/pg-1.txt"), include_str!("runs/pg-2.txt")],
        host: Host(&["/var/lib/postgresql/15/main/PG_VERSION"]),
        attacks: "\
execute execute /usr/bin/dash
open read /etc/shadow
open read /root/.ssh/id_ed25519
open create,write /etc/cron.d/job
open create,write /var/www/shell.php
map map /var/lib/postgresql/15/main/function.so
open read /srv/function.so
open create,write /usr/lib/postgresql/15/lib/function.so
connect connect /run/docker.sock
bind bind tcp:0.0.0.0:4444
connect connect tcp:198.51.100.7:5432
privilege setuid
",
    },
    Case {
        name: "python3 -m http.server",
        shipped: "python-http",
        runs: [
            include_str!("runs/pyhttp-1.txt"),
            include_str!("runs/pyhttp-2.txt"),
        ],
        host: Host(&["/srv/http/f1.txt"]),
        attacks: "\
open write /srv/http/f1.txt
open read /srv/http/.env
open read /srv/http/.git/config
open read /etc/shadow
execute execute /usr/bin/dash
open create,write /usr/lib/python3.11/http/__pycache__/server.cpython-311.pyc
open create,write /tmp/file
connect connect /run/docker.sock
bind bind tcp:0.0.0.0:4444
connect connect tcp:198.51.100.7:443
privilege execmem
",
    },
    Case {
        name: "git clone",
        shipped: "git-daemon",
        runs: [
            include_str!("runs/git-1.txt"),
            include_str!("runs/git-2.txt"),
        ],
        host: Host(&["/srv/work/copy/.git", "/srv/git/project/.git"]),
        attacks: "\
open write /srv/git/project/.git/HEAD
open create,write /srv/git/project/.git/hooks/post-update
execute execute /srv/work/copy/.git/hooks/post-checkout
open read /root/.ssh/id_ed25519
open read /home/ada/.git-credentials
open read /etc/shadow
open create,write /etc/cron.d/job
execute execute /usr/bin/curl
connect connect /run/docker.sock
connect connect tcp:198.51.100.7:9418
privilege ptrace
",
    },
    Case {
        name: "cc",
        shipped: "builder",
        runs: [include_str!("runs/cc-1.txt"), include_str!("runs/cc-2.txt")],
        host: Host(&["/srv/build/main.c"]),
        attacks: "\
open read /root/.ssh/id_ed25519
open append /root/.bashrc
execute execute /srv/build/app
execute execute /tmp/app
execute execute /usr/bin/curl
open read /etc/shadow
open create,write /usr/local/bin/make
open create,write,own /tmp/file
connect connect /run/docker.sock
connect connect tcp:198.51.100.7:443
privilege ptrace
",
    },
];

#[test]
fn a_second_run_is_granted_and_attacks_are_refused() {
    let abstractions = shipped().join(ABSTRACTIONS);
    let files = yaml_files(&abstractions).unwrap();
    let stems = files
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap());
    let available: Vec<&str> = stems.collect();
    let mut wrong = Vec::new();
    for case in &CASES {
        let Case {
            name,
            runs,
            host,
            attacks,
            ..
        } = case;
        let [first, second] = runs.map(observed);
        let none = BTreeSet::new();
        let (learned, profile, compiled) = learned_with(&available, &first, &none, host, None);
        if std::env::var_os("ENFORCER_SHOW").is_some() {
            wrong.push(learned.text.clone());
        }
        for (run, seen) in [("the first", first), ("the second", second)] {
            let refused = refused(&seen, &profile, &compiled);
            wrong.extend(
                refused
                    .iter()
                    .map(|what| format!("{name}: {run}: refused: {what}")),
            );
        }
        let tried = observed(attacks);
        assert!(tried.len() >= 10, "{name}");
        for (step, line) in tried.iter().zip(attacks.lines()) {
            if refused(std::slice::from_ref(step), &profile, &compiled).is_empty() {
                wrong.push(format!("{name}: granted: {line}"));
            }
        }
        let file = shipped().join(format!("{}.yaml", case.shipped));
        let by_hand = own_rules(&Profile::load(&file, &abstractions).unwrap());
        let rules = own_rules(&profile);
        if rules > 2 * by_hand {
            wrong.push(format!("{name}: {rules} rules, and {by_hand} by hand"));
        }
        let changes = Access::WRITE | Access::CREATE | Access::REMOVE;
        let wide = profile.rules.iter().filter(|rule| {
            let text = rule.pattern.text();
            let folder = text.split_once("**").map(|(folder, _)| folder);
            let is_wide =
                folder.is_some_and(|folder| fixed_names(folder.trim_end_matches("{,/")) < 2);
            is_wide && !(rule.allow & changes).is_empty()
        });
        wrong.extend(wide.map(|rule| format!("{name}: too wide: {}", rule.pattern)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many rules a profile has itself.
fn own_rules(profile: &Profile) -> usize {
    let source: &Path = &profile.source;
    let own = profile
        .rules
        .iter()
        .filter(|rule| *rule.origin.file == *source);
    own.count()
}
