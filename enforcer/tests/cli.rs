//! What the command line says and answers, without root and without an agent.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// A profile with one rule of each kind.
const WEB: &str = "\
name: web
mode: enforce
paths:
  - { path: /srv/www/**, allow: [read] }
  - { path: /srv/www/**/.git/**, deny: [all], reason: source leak }
";

/// A folder with files of the test's own.
struct Folder {
    base: tempfile::TempDir,
}

impl Folder {
    /// With these files: name, text.
    fn with(files: &[(&str, &str)]) -> Self {
        let base = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = base.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { base }
    }

    fn path(&self) -> &Path {
        self.base.path()
    }

    /// Runs an agent with the folder's own profiles, state and socket.
    fn run_agent(&self) -> Ran {
        self.run(&[
            "run",
            "--profiles",
            "profiles",
            "--state",
            "state",
            "--socket",
            "a.sock",
        ])
    }

    /// Runs `enforcer` in the folder.
    fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_enforcer"))
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        Ran::from(output)
    }
}

/// What came of it.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Self {
            code: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }
}

#[test]
fn usage() {
    let folder = Folder::with(&[]);
    #[rustfmt::skip]
    let cases: [(&str, &[&str], i32, &str); 20] = [
        ("nothing",                    &[],                                             2, "Usage: enforcer <COMMAND>"),
        ("unknown command",            &["confine"],                                    2, "unrecognized subcommand 'confine'"),
        ("unknown option",             &["status", "--yaml"],                           2, "unexpected argument '--yaml'"),
        ("exec without a profile",     &["exec", "--", "true"],                         2, "--profile <NAME|FILE>"),
        ("exec without a command",     &["exec", "--profile", "web"],                   2, "<CMD>"),
        ("exec without the dashes",    &["exec", "--profile", "web", "true"],           2, "unexpected argument 'true'"),
        ("unknown mode",               &["exec", "--profile", "w", "--mode", "teach", "--", "true"], 2, "invalid value 'teach'"),
        ("a process and a command",    &["exec", "--profile", "w", "--pid", "1", "--", "true"], 2, "cannot be used with"),
        ("no process",                 &["exec", "--profile", "w", "--pid", "init"],    2, "invalid value 'init'"),
        ("unknown hook",               &["run", "--allow-degraded", "path_renmae"],     2, "no program is attached to such a hook"),
        ("no hook",                    &["run", "--allow-degraded"],                    2, "--allow-degraded <HOOK|preempt>"),
        ("no detection",               &["detections", "show", "17"],                   2, "\"17\" is no detection; detections look like D17"),
        ("no tightening",              &["tighten", "revert", "D1"],                    2, "\"D1\" is no tightening"),
        ("neither",                    &["tighten", "apply", "1"],                      2, "is no tightening"),
        ("review without a terminal",  &["review"],                                     2, "without one, use --json, --accept, --deny and --attack"),
        ("review of a path",           &["review", "--accept", "/etc/shadow"],          2, "is no detection; detections look like D17"),
        ("show nothing",               &["review", "--deny", "D1", "--dry-run"],        2, "--accept <ID"),
        ("explain a path by itself",   &["explain", "/etc/shadow"],                     2, "to ask about a path, give --profile and --op"),
        ("explain without --op",       &["explain", "--profile", "web", "/etc/shadow"], 2, "--op <OP>"),
        ("unknown access",             &["explain", "--profile", "w", "--op", "raed", "/"], 2, "did you mean `read`?"),
    ];
    for (name, arguments, code, want) in cases {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(code), "{name}: {ran:?}");
        assert!(ran.err.contains(want), "{name}: {ran:?}");
        assert_eq!(ran.out, "", "{name}");
    }
}

#[test]
fn help_is_no_error() {
    let folder = Folder::with(&[]);
    let commands = [
        "run",
        "exec",
        "status",
        "check",
        "explain",
        "show",
        "who-can",
        "diff",
        "fmt",
        "new",
        "schema",
        "completions",
        "man",
        "detections",
        "review",
        "tighten",
    ];
    let ran = folder.run(&["--help"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    for command in commands {
        assert!(
            ran.out.contains(&format!("\n  {command} ")),
            "{command}: {}",
            ran.out
        );
        assert_eq!(folder.run(&[command, "--help"]).code, Some(0), "{command}");
    }
    let version = format!("enforcer {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(folder.run(&["--version"]).out, version);
}

#[test]
fn check() {
    let wrong = WEB.replace("allow: [read]", "allow: [raed]");
    let folder = Folder::with(&[
        ("good/web.yaml", WEB),
        ("bad/web.yaml", &wrong),
        ("worse/a.yaml", "name: a\n"),
        ("worse/b.yaml", "name: c\nmode: enforce\n"),
    ]);
    #[rustfmt::skip]
    let cases: [(&str, &str, i32, &[&str]); 5] = [
        ("a good file",   "good/web.yaml", 0, &[]),
        ("a good folder", "good",          0, &[]),
        ("a bad file",    "bad/web.yaml",  1, &["bad/web.yaml:4:34: unknown access `raed`; did you mean `read`?"]),
        ("two bad files", "worse",         1, &["worse/a.yaml:1:", "worse/b.yaml:1:"]),
        ("nothing there", "none.yaml",     2, &["none.yaml:1:1: cannot read it"]),
    ];
    for (name, path, code, lines) in cases {
        let ran = folder.run(&["check", path]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(code), ""),
            "{name}: {ran:?}"
        );
        // Beneath each stands its line with a mark.
        let errors: Vec<&str> = ran
            .err
            .lines()
            .filter(|line| line.contains(".yaml:"))
            .collect();
        assert_eq!(errors.len(), lines.len(), "{name}: {ran:?}");
        for (line, want) in errors.iter().zip(lines) {
            assert!(line.starts_with(want), "{name}: {line}");
        }
        let marks = ran
            .err
            .lines()
            .filter(|line| line.contains("| ") && line.ends_with('^'));
        let unreadable = usize::from(code == 2);
        assert_eq!(marks.count(), lines.len() - unreadable, "{name}: {ran:?}");
    }
}

#[test]
fn check_warns() {
    let text = "name: web\nmode: enforce\npaths:\n  - { path: '/**', allow: [read] }\n";
    let folder = Folder::with(&[("web.yaml", text)]);
    let ran = folder.run(&["check", "web.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let want = "web.yaml:4:13: warning: it is about every path; name those that are needed\n";
    assert!(ran.err.starts_with(want), "{ran:?}");
    assert_eq!(folder.run(&["check", "--strict", "web.yaml"]).code, Some(1));
    let json = folder.run(&["check", "--json", "web.yaml"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json[0]["level"], "warning", "{json}");
    assert_eq!(json[0]["line"], 4, "{json}");
    let ran = folder.run(&["check", "--stats", "web.yaml"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(lines[0].starts_with("PROFILE  RULES  STATES"), "{ran:?}");
    assert!(lines[1].starts_with("web      1      "), "{ran:?}");
}

#[test]
fn who_can() {
    let logs = "name: logs\nmode: audit\npaths:\n  - { path: /var/log/**, allow: [read] }\n";
    let folder = Folder::with(&[
        ("p/web.yaml", WEB),
        ("p/logs.yaml", logs),
        ("q/web.yaml", WEB),
    ]);
    // Columns: what it shows, folder, question, exit code, what each line begins with.
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str], i32, &[&str]); 7] = [
        ("one does",           "p", &["read", "/var/log/a"],          0, &["allowed: profile logs"]),
        ("one does, one lets", "p", &["read", "/srv/www/a"],          0, &["audited: profile logs", "allowed: profile web"]),
        ("one only lets",      "p", &["write", "/etc/passwd"],        1, &["audited: profile logs"]),
        ("nobody",             "q", &["write", "/etc/passwd"],        1, &[]),
        ("a privilege",        "q", &["privilege", "sys_admin"],      1, &[]),
        ("a rename",           "q", &["rename", "/srv/www/a", "/b"],  1, &[]),
        ("a denied one",       "q", &["read", "/srv/www/.git/a"],     1, &[]),
    ];
    for (name, profiles, question, code, want) in cases {
        let mut arguments = vec!["who-can", "--profiles", profiles];
        arguments.extend(question);
        let ran = folder.run(&arguments);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(code), ""),
            "{name}: {ran:?}"
        );
        let heads: Vec<&str> = ran
            .out
            .lines()
            .filter(|line| !line.starts_with(' '))
            .collect();
        assert_eq!(heads.len(), want.len(), "{name}: {}", ran.out);
        for (line, want) in heads.iter().zip(want) {
            assert!(line.starts_with(want), "{name}: {line}");
        }
        arguments.push("--json");
        let json: serde_json::Value = serde_json::from_str(&folder.run(&arguments).out).unwrap();
        assert_eq!(
            json.as_array().map(Vec::len),
            Some(want.len()),
            "{name}: {json}"
        );
    }
    for (profiles, path) in [("p", "var/log"), ("p", "/var/../log"), ("none", "/")] {
        let ran = folder.run(&["who-can", "--profiles", profiles, "read", path]);
        assert_eq!(ran.code, Some(2), "{path} of {profiles}: {ran:?}");
    }
}

#[test]
fn diff() {
    let wider = WEB.replace("[read]", "[read, write]");
    let folder = Folder::with(&[("web.yaml", WEB), ("new/web.yaml", &wider)]);
    let ran = folder.run(&["diff", "./web.yaml", "new/web.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
    let want =
        "+ write /srv/www/a\n    granted by new/web.yaml:4:13: /srv/www/** allow read, write\n";
    assert_eq!(ran.out, want);
    let ran = folder.run(&["diff", "--profiles", "new", "./web.yaml", "web", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["paths"][0]["example"], "/srv/www/a", "{json}");
    let ran = folder.run(&["diff", "./web.yaml", "./web.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let ran = folder.run(&["diff", "./web.yaml", "./none.yaml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn explain() {
    let folder = Folder::with(&[("web.yaml", WEB)]);
    let explain = |op: &str, path: &str| {
        folder.run(&["explain", "--profile", "./web.yaml", "--op", op, path])
    };
    #[rustfmt::skip]
    let cases = [
        ("granted",        "read",       "/srv/www/index.html",  0, "web.yaml:4:"),
        ("not granted",    "write",      "/srv/www/index.html",  1, "web.yaml:4:"),
        ("granted in part", "read,write", "/srv/www/index.html", 1, "write"),
        ("denied",         "read",       "/srv/www/a/.git/x",    1, "source leak"),
        ("denied, spelled otherwise", "read", "/srv/www//a/./.git/x/", 1, "source leak"),
        ("no rule",        "read",       "/etc/shadow",          1, "/etc/shadow"),
    ];
    for (name, op, path, code, want) in cases {
        let ran = explain(op, path);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(code), ""),
            "{name}: {ran:?}"
        );
        assert!(ran.out.contains(want), "{name}: {}", ran.out);
    }
    assert_eq!(explain("read", "srv/www").code, Some(2), "a relative path");
}

#[test]
fn no_agent() {
    let folder = Folder::with(&[("web.yaml", WEB)]);
    let message = "enforcer: no agent listens on ./none.sock; start it with `enforcer run`\n";
    #[rustfmt::skip]
    let cases: [(&str, &[&str], i32); 9] = [
        ("status",           &["status"],                                        1),
        ("status, awaited",  &["status", "--wait", "1"],                         1),
        ("exec",             &["exec", "--profile", "web", "--", "touch", "x"],  2),
        ("exec of a file",   &["exec", "--profile", "./web.yaml", "--", "touch", "x"], 2),
        ("list",             &["detections"],                                    2),
        ("follow",           &["detections", "follow"],                          2),
        ("explain",          &["explain", "D1"],                                 2),
        ("plan",             &["tighten", "plan"],                               2),
        ("log",              &["tighten", "log", "--json"],                      2),
    ];
    for (name, arguments, code) in cases {
        let (command, rest) = arguments.split_first().unwrap();
        let arguments = [&[*command, "--socket", "./none.sock"], rest].concat();
        let ran = folder.run(&arguments);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(code), message),
            "{name}"
        );
        assert_eq!(ran.out, "", "{name}");
    }
    assert!(!folder.path().join("x").exists(), "nothing runs unconfined");
}

#[test]
fn exec_reads_the_file_first() {
    let folder = Folder::with(&[]);
    let ran = folder.run(&["exec", "--profile", "./none.yaml", "--", "true"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err
            .starts_with("enforcer: cannot read the profile ./none.yaml: "),
        "{ran:?}"
    );
}

#[test]
fn run_tells_what_is_wrong_with_profiles() {
    let wrong = WEB.replace("mode: enforce", "mode: enfroce");
    let folder = Folder::with(&[
        ("profiles/web.yaml", &wrong),
        ("profiles/b.yaml", "name: b\n"),
    ]);
    let ran = folder.run_agent();
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    let lines: Vec<_> = ran.err.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(lines[0].starts_with("profiles/b.yaml:1:"), "{ran:?}");
    assert!(lines[1].starts_with("profiles/web.yaml:2:"), "{ran:?}");
    assert!(!folder.path().join("state").exists(), "nothing is begun");
}

#[test]
fn run_tells_of_users_that_there_are_not() {
    let web = WEB.replace(
        "paths:",
        "applies_to: { users: [no-such-user-here] }\npaths:",
    );
    let folder = Folder::with(&[("profiles/web.yaml", &web)]);
    let ran = folder.run_agent();
    let want = "profiles/web.yaml:3:23: /etc/passwd has no user no-such-user-here; write the \
                user's id\n";
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), want));
}

#[test]
fn run_without_programs_or_rights_does_not_pretend() {
    let folder = Folder::with(&[("profiles/web.yaml", WEB)]);
    // An agent with programs in it, on a machine where they load, would run.
    if option_env!("ENFORCER_BPF_OBJECT").is_some() {
        return;
    }
    let ran = folder.run_agent();
    let want = "enforcer: built without the kernel programs; build with `cargo xtask build`\n";
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), want));
    assert!(
        !folder.path().join("a.sock").exists(),
        "nobody can take it for a running agent"
    );
}
