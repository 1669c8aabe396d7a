use std::{fs, os::unix::fs::symlink};

use super::{port, rules, user};
use crate::draft::{
    root::Root,
    sketch::Sketch,
    unit::{Unit, Units, parse},
};

fn unit(name: &str, text: &str) -> Unit {
    Unit {
        name: name.to_owned(),
        settings: parse(text),
    }
}

#[test]
fn what_units_say() {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir_all(base.path().join("run")).unwrap();
    fs::create_dir_all(base.path().join("var")).unwrap();
    symlink("/run", base.path().join("var/run")).unwrap();
    let root = Root::at(base.path()).unwrap();
    // Columns: what it shows, what a service says, the rules, the privileges.
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str], &[&str]); 11] = [
        ("a folder",         "RuntimeDirectory=a b/c",          &["/run/a{,/**}", "/run/b/c{,/**}"], &[]),
        ("another name",     "StateDirectory=a:b",              &["/var/lib/a{,/**}"], &[]),
        ("of its own user",  "DynamicUser=yes\nCacheDirectory=a\nRuntimeDirectory=b", &["/run/b{,/**}", "/var/cache/private/a{,/**}"], &[]),
        ("logs",             "LogsDirectory=a",                 &["/var/log/a/**"], &[]),
        ("an instance",      "RuntimeDirectory=a-%i",           &["/run/a-*{,/**}"], &[]),
        ("beneath a link",   "ReadWritePaths=-/var/run/a-%i/",  &["/run/a-*{,/**}"], &[]),
        ("a relative file",  "PIDFile=a.pid",                   &["/run/a.pid"], &[]),
        ("taken back",       "PIDFile=/x\nPIDFile=",            &[], &[]),
        ("what bounds root", "CapabilityBoundingSet=CAP_CHOWN cap_kill", &[], &["chown", "kill"]),
        ("what bounds none", "User=a\nCapabilityBoundingSet=CAP_CHOWN\nAmbientCapabilities=CAP_KILL", &[], &["kill"]),
        ("what it has not",  "CapabilityBoundingSet=~CAP_CHOWN", &[], &[]),
    ];
    for (name, text, patterns, privileges) in cases {
        let units = Units {
            services: vec![unit("a@.service", &format!("[Service]\n{text}\n"))],
            sockets: Vec::new(),
        };
        let mut sketch = Sketch::default();
        rules(&root, &units, &mut sketch);
        let got: Vec<&str> = sketch
            .rules
            .iter()
            .map(|rule| rule.pattern.as_str())
            .collect();
        assert_eq!(got, patterns, "{name}");
        let got: Vec<&str> = sketch
            .privileges
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(got, privileges, "{name}");
        assert!(sketch.notes.is_empty(), "{name}: {:?}", sketch.notes);
    }
}

#[test]
fn users() {
    // Columns: what it shows, what a service says, the user.
    #[rustfmt::skip]
    let cases = [
        ("nobody",            "ExecStart=-/x",               "root"),
        ("somebody",          "User=a\nExecStart=@/x",       "a"),
        ("root by its id",    "User=0",                      "root"),
        ("one of its own",    "DynamicUser=true",            "a user of its own"),
        ("with all it may",   "User=a\nExecStart=-+/x",      "root"),
        ("before it changes", "User=a\nExecStart=!/x",       "root"),
        ("on old kernels",    "User=a\nExecStart=!!/x !",    "a"),
    ];
    for (name, text, want) in cases {
        let unit = unit("a.service", &format!("[Service]\n{text}\n"));
        assert_eq!(user(&unit), want, "{name}");
    }
}

#[test]
fn what_is_for_a_person_to_decide() {
    let base = tempfile::tempdir().unwrap();
    let root = Root::at(base.path()).unwrap();
    // Columns: what it shows, what a service says, what is noted.
    #[rustfmt::skip]
    let cases = [
        ("all",                  "ReadWritePaths=/",       "has /, which is not its own"),
        ("a folder of many",     "ReadWritePaths=-/run/",  "has /run/, which is not its own"),
        ("another",              "ReadWritePaths=/var/spool", "has /var/spool, which is not its own"),
        ("not known yet",        "PIDFile=%h/a.pid",       "has %h/a.pid, which is not known before it runs"),
        ("no capability",        "AmbientCapabilities=CAP_X", "has CAP_X, which is no privilege"),
    ];
    for (name, text, want) in cases {
        let units = Units {
            services: vec![unit("a.service", &format!("[Service]\n{text}\n"))],
            sockets: Vec::new(),
        };
        let mut sketch = Sketch::default();
        rules(&root, &units, &mut sketch);
        assert!(sketch.rules.is_empty(), "{name}: {:?}", sketch.rules);
        assert_eq!(sketch.notes.len(), 1, "{name}");
        assert!(sketch.notes[0].contains(want), "{name}: {:?}", sketch.notes);
    }
}

#[test]
fn sockets() {
    let base = tempfile::tempdir().unwrap();
    let root = Root::at(base.path()).unwrap();
    let text = "[Socket]\nListenStream=80\nListenStream=[::1]:81\nListenDatagram=127.0.0.1:53\n\
                ListenStream=/run/a\nListenStream=@b\nListenNetlink=audit 1\n";
    let units = Units {
        services: Vec::new(),
        sockets: vec![unit("a.socket", text)],
    };
    let mut sketch = Sketch::default();
    rules(&root, &units, &mut sketch);
    let network: Vec<&str> = sketch.network.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        network,
        [
            "{ protocol: tcp, port: 80, allow: [bind] }",
            "{ protocol: tcp, port: 81, allow: [bind] }",
            "{ protocol: udp, port: 53, allow: [bind] }",
        ]
    );
    assert_eq!(sketch.rules.len(), 1);
    assert_eq!(sketch.rules[0].pattern, "/run/a");
    assert!(sketch.notes[0].contains("the abstract socket b"));
    assert_eq!(port("65536"), None);
}
