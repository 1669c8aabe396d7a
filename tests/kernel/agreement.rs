//! The kernel and `explain` say the same of every path.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use enforcer::profile::{Owner, Profile, compile, explain};
use enforcer_abi::{Access, Verdict};
use enforcer_tests::{Agent, EACCES, Folder, cli, profile, program};

/// Paths that are compared.
const PATHS: usize = 1_000;

/// A small generator, so that a failure can be had again: xorshift of 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

#[test]
fn kernel_and_explain_agree() {
    let folder = Folder::new("agree");
    let root = folder.path().display().to_string();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let names = [
        "a", "b", "ab", "a.log", "b.log", "data", "x1", "x2", "xy", ".hid", "d\u{fc}",
    ];
    let globs = [
        "a/**",
        "**/b",
        "*/a.log",
        "**/*.log",
        "data/{a,b}/**",
        "x[12]/*",
        "x[!12]/**",
        "?/??",
        "b{,/**}",
        "**/data",
        "a*b",
        ".*/**",
        "d??/**",
        "**/x1/**/b",
        "[a-d]/*",
        "ab",
    ];

    let mut rules = String::new();
    for _ in 0..24 {
        let glob = random.pick(&globs);
        let right = random.pick(&[
            "allow: [read]",
            "allow: [read]",
            "allow: [write]",
            "deny: [read]",
        ]);
        writeln!(rules, "  - {{ path: \"{root}/{glob}\", {right} }}").unwrap();
    }
    let mut paths = Vec::new();
    while paths.len() < PATHS {
        let depth = 1 + random.below(5);
        let name: Vec<&str> = (0..depth).map(|_| random.pick(&names)).collect();
        // The index keeps files and folders of one name apart.
        let path = if random.below(2) == 0 {
            folder.join(&name.join("/"))
        } else {
            folder.join(&format!("{}/{}", name.join("/"), paths.len()))
        };
        let folder_of = path.rsplit_once('/').unwrap().0;
        if fs::create_dir_all(folder_of).is_ok()
            && (fs::exists(&path).unwrap() || fs::write(&path, "x").is_ok())
        {
            paths.push(path);
        }
    }

    let text = profile("enforce", &rules) + "on_violation: { tighten: off }\n";
    let agent = Agent::start(&[("p", &text)]);
    let mut child = Command::new("enforcer")
        .args(["exec", "--profile", "p", "--"])
        .arg(program("attempt"))
        .arg("read-many")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What it inherits, the profile would have to grant.
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = paths.join("\n");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<i32> = answers.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(answers.len(), PATHS);

    // Nine hundred and more by the library, which the command line calls, and
    // some by the command line itself.
    let source = agent.profile("p")["source"]
        .as_str()
        .expect("its file")
        .to_owned();
    let profile = Profile::load(Path::new(&source), Path::new("/nowhere")).unwrap();
    let compiled = compile(&profile, &|_| None).unwrap();
    let mut granted = 0;
    for (index, (path, errno)) in paths.iter().zip(answers).enumerate() {
        let path_bytes = path.as_bytes();
        let explanation = explain(&profile, &compiled, Access::READ, path_bytes, Owner::Other);
        let want = match explanation.verdict {
            Verdict::Allow => 0,
            Verdict::Deny | Verdict::Audit | Verdict::Learn => EACCES,
        };
        assert_eq!(errno, want, "{path}\n{rules}");
        if index % 50 == 0 {
            let output = cli(&["explain", "--profile", &source, "--op", "read", path]);
            let status = i32::from(want != 0);
            assert_eq!(output.status.code(), Some(status), "{path}: {output:?}");
        }
        granted += usize::from(want == 0);
    }
    // Neither answer can have been given for nothing.
    assert!(
        (PATHS / 10..PATHS * 9 / 10).contains(&granted),
        "{granted} of {PATHS} granted"
    );
}
