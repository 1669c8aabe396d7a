use std::collections::BTreeSet;

use enforcer_abi::Access;

use super::{Entry, Existing, Nothing, learned, observed};
use crate::profile::Lint;

/// A host on which these paths are.
pub(super) struct Host(pub(super) &'static [&'static str]);

impl Existing for Host {
    fn names(&self, folder: &[u8]) -> Option<Vec<Entry>> {
        let folder = String::from_utf8(folder.to_owned()).unwrap();
        let inside = self.0.iter().filter_map(|path| {
            let rest = path.strip_prefix(&folder)?.strip_prefix('/')?;
            let (name, is_folder) = match rest.split_once('/') {
                Some((name, _)) => (name, true),
                None => (rest, false),
            };
            Some((name.as_bytes().to_owned(), is_folder))
        });
        let entries: BTreeSet<(Vec<u8>, bool)> = inside.collect();
        let entry = |(name, is_folder)| Entry { name, is_folder };
        (!entries.is_empty()).then(|| entries.into_iter().map(entry).collect())
    }
}

/// What becomes of what was seen: the rules on paths, without those that deny.
fn rules(lines: &str, host: &dyn Existing) -> Vec<String> {
    let (learned, profile, _) = learned(&observed(lines), &BTreeSet::new(), host, None);
    let own = profile.rules.iter().filter(|rule| {
        *rule.origin.file == *profile.source
            && rule.deny.is_empty()
            && !rule.pattern.is_of_network()
    });
    let text = own.map(|rule| {
        let rights: Vec<&str> = rule.allow.without_implied().names().collect();
        let owner = if rule.owner { " owner" } else { "" };
        format!("{} {}{owner}", rights.join(","), rule.pattern)
    });
    // What may not have been meant was not seen, but for programs in what is written.
    let mut warnings = learned.warnings.iter();
    assert!(
        warnings.all(|warning| matches!(warning.lint, Lint::WriteAndExecute { .. })),
        "{:?}",
        learned.warnings
    );
    text.collect()
}

fn each(line: &str, names: &[&str]) -> String {
    let lines = names.iter().map(|name| format!("{line}{name}\n"));
    lines.collect()
}

#[test]
fn files_of_a_folder() {
    let made = "open create,write /srv/a/";
    let read = "open read /srv/a/";
    let lib = "open read /usr/share/a/";
    let etc = "open read /etc/";
    let changed = ["1/a", "1/b", "1/c", "1/d", "2/a", "2/b", "2/c", "2/d"];
    // Columns: what it shows, what was seen, rules.
    #[rustfmt::skip]
    let cases: &[(&str, String, &[&str])] = &[
        ("two are read",           each(read, &["a", "b"]),                      &["read /srv/a/{a,b}"]),
        ("three are read",         each(read, &["a", "b", "c"]),                 &["read /srv/a/*"]),
        ("in several folders",     each(read, &["a", "b", "c/a", "d/a"]),        &["read /srv/a{,/**}"]),
        ("in one of them",         each(read, &["c/a", "c/b", "c/c", "c/d"]),    &["read /srv/a/c/*"]),
        ("of the system's",        each(lib, &["a", "b", "c", "d/e"]),           &["read /usr/share/a/{a,b,c}", "read /usr/share/a/d/e"]),
        ("many of the system's",   each(lib, &["a", "b", "c", "d", "e", "f", "g", "h"]), &["read /usr/share/a/*"]),
        ("never of a shared one",  each(etc, &["a", "b", "c", "d", "e", "f", "g", "h", "i"]), &["read /etc/{a,b,c,d,e,f,g,h,i}"]),
        ("never of a home",        each("open read /home/ada/", &["a", "b", "c"]), &["read /home/ada/{a,b,c}"]),
        ("never of keys",          each("open read /etc/ssl/private/", &["a", "b", "c", "d", "e", "f", "g", "h"]), &["read /etc/ssl/private/{a,b,c,d,e,f,g,h}"]),
        ("never of the kernel's",  each("open read /proc/sys/net/", &["a", "b", "c", "d"]), &["read /proc/sys/net/{a,b,c,d}"]),
        ("listed",                 "open read,folder /etc/x.d\nopen read /etc/x.d/a".to_owned(), &["read /etc/x.d{,/*}"]),
        ("listed, and nothing read", "open read,folder /etc/x.d".to_owned(),      &["read /etc/x.d"]),
        ("two are made",           each(made, &["a.o", "b.o"]),                  &["read,write,create,remove /srv/a/{a.o,b.o}"]),
        ("three of one end",       each(made, &["a.o", "b.o", "c.o"]),           &["read,write,create,remove /srv/a/*.o"]),
        ("four of several ends",   each(made, &["a.o", "b.o", "c.o", "x"]),      &["read,write,create,remove /srv/a/*"]),
        ("never made at the top",  each("open create,write /srv/", &["a.o", "b.o", "c.o", "x"]), &["read,write,create,remove /srv/{a.o,b.o,c.o,x}"]),
        ("changed beneath",        each("open write /var/lib/a/", &changed),     &["write /var/lib/a{,/**}"]),
        ("changed near the top",   each("open write /srv/a/", &changed),         &["write /srv/a/1/{a,b,c,d}", "write /srv/a/2/{a,b,c,d}"]),
        ("changed, with a log",    each("open write /var/lib/a/", &changed[..]) + "open append /var/lib/a/log\n",
            &["append,create /var/lib/a/log", "write /var/lib/a/1/{a,b,c,d}", "write /var/lib/a/2/{a,b,c,d}"]),
        ("changed settings",       each("open write /etc/a/b/", &changed),       &["write /etc/a/b/1/{a,b,c,d}", "write /etc/a/b/2/{a,b,c,d}"]),
        ("a log",                  "open append /var/log/a.log".to_owned(),      &["append,create /var/log/a.log"]),
        ("programs",               "open read,execute /srv/a/1\nopen read,execute /srv/a/2\nopen read,execute /srv/a/3".to_owned(),
            &["read /srv/a/{1,2,3}", "execute /srv/a/{1,2,3}"]),
        ("libraries",              "map read,map /srv/l/liba.so.1.2".to_owned(), &["read,map /srv/l/liba.so{,.*}"]),
        ("code is not folded",     each("map read,map /srv/l/", &["a", "b", "c", "d"]), &["read,map /srv/l/{a,b,c,d}"]),
        ("temporary, of its own",  "open create,write,own /tmp/ccabcdef.o".to_owned(), &["read,write,create,remove /tmp/cc??????.o owner"]),
        ("temporary, of anybody",  "open create,write /tmp/ccabcdef.o".to_owned(), &["read,write,create,remove /tmp/cc??????.o"]),
        ("other processes",        "open read /proc/412/stat\nopen read /proc/77/stat".to_owned(), &["read /proc/[0-9]*/stat"]),
        ("the first process",      "open read /proc/1/environ".to_owned(),       &["read /proc/1/environ"]),
        ("numbered",               each("open read /sys/x/cpu", &["0/a", "1/a", "2/a"]), &["read /sys/x/cpu[0-9]*/a"]),
        ("two numbers",            each("open read /sys/x/cpu", &["0/a", "1/a"]), &["read /sys/x/cpu0/a", "read /sys/x/cpu1/a"]),
        ("a folder that is made",  format!("mkdir create /srv/a/b\n{}", each("open create,write /srv/a/b/", &["x", "y", "z/z"])),
            &["read,write,create,remove /srv/a/b{,/**}"]),
        ("with little in it",      format!("mkdir create /srv/a/b\n{}", each("open create,write /srv/a/b/", &["x", "y"])),
            &["create /srv/a/b", "read,write,create,remove /srv/a/b/{x,y}"]),
        ("what is run in it",      format!("mkdir create /srv/a/b\nopen create,write /srv/a/b/r\nexecute execute /srv/a/b/p\n{}", each("open create,write /srv/a/b/", &["x", "y", "z/z"])),
            &["read,write,create,remove /srv/a/b{,/**}", "execute /srv/a/b/p"]),
        ("the root",               "open read,folder /".to_owned(),              &["read /"]),
        ("a comma",                each(read, &["a,b", "c"]),                    &["read /srv/a/a,b", "read /srv/a/c"]),
    ];
    for (name, lines, want) in cases {
        assert_eq!(rules(lines, &Nothing), *want, "{name}");
    }
}

#[test]
fn the_name_of_a_folder_that_is_made() {
    let lines = "mkdir create /srv/a/b\nopen create,write /srv/a/b/x\nopen create,write /srv/a/b/y\nopen create,write /srv/a/b/z\n";
    // Columns: what it shows, what is there, rules.
    #[rustfmt::skip]
    let cases: &[(&str, &'static [&'static str], &str)] = &[
        ("alone",               &["/srv/a/b/x"],              "read,write,create,remove /srv/a/*{,/**}"),
        ("beside another's",    &["/srv/a/b/x", "/srv/a/c"],  "read,write,create,remove /srv/a/b{,/**}"),
        ("not known",           &[],                          "read,write,create,remove /srv/a/b{,/**}"),
    ];
    for (name, host, want) in cases {
        assert_eq!(rules(lines, &Host(host)), [*want], "{name}");
    }
    let at_the_top = lines.replace("/srv/a/", "/srv/");
    let got = rules(&at_the_top, &Host(&["/srv/b/x"]));
    assert_eq!(got, ["read,write,create,remove /srv/b{,/**}"]);
}

#[test]
fn comments_tell_the_evidence() {
    let host = Host(&[
        "/srv/www/a",
        "/srv/www/b",
        "/srv/www/c",
        "/srv/www/x",
        "/srv/www/y",
    ]);
    let lines = each("open read /srv/www/", &["a", "b", "c"]) + "open read /proc/412/stat\n";
    let none = BTreeSet::new();
    let (learned, _, compiled) = learned(&observed(&lines), &none, &host, None);
    for want in [
        "\n  # {pid}: 1 seen, such as /proc/412/stat\n",
        "\n  # it reads many: 3 seen, such as /srv/www/c\n",
        "\n  # admits 2 existing beyond those, such as /srv/www/x\n",
    ] {
        assert!(learned.text.contains(want), "{}", learned.text);
    }
    let admitted: Vec<usize> = learned
        .summary
        .generalisations
        .iter()
        .filter_map(|one| Some(one.admitted.as_ref()?.count))
        .collect();
    assert_eq!(admitted, [2]);
    // Secrets beside them are not admitted.
    for path in ["/srv/www/.git/config", "/srv/www/site.key", "/srv/www/.env"] {
        let reach = compiled.judge(path.as_bytes()).outcome.reach();
        assert!(!reach.allow.contains(Access::READ), "{path}");
    }
}
