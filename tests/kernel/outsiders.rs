//! Nothing that an unconfined process does is ever refused.
//!
//! Beside fifty confined processes, which are granted and refused things all the
//! time, a C program is built, and a package of two thousand files is unpacked and
//! configured by `dpkg`. Every exit status is asserted, and at the end that
//! the kernel counted exactly as many refusals as the confined were given. So
//! nobody else was refused anything, not even something that they did not mind.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use enforcer_tests::{Agent, Folder, profile, program, wait_for};
use serde_json::Value;

use crate::{
    background::{Told, skip},
    limits::confined,
};

/// Confined processes.
const CROWD: u64 = 50;

/// Files of the package.
const FILES: usize = 2_000;

/// Sources of the C program.
const SOURCES: usize = 20;

/// How long the last counts may take to settle.
const SETTLED: Duration = Duration::from_secs(10);

/// Runs a command that has to succeed.
fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|err| panic!("{command:?}: {err}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// The confined processes, at work.
struct Crowd {
    folder: Folder,
    agent: Agent,
    process: Told,
}

impl Crowd {
    fn start() -> Self {
        let folder = Folder::new("crowd");
        folder.write("granted/file", "x");
        folder.write("secret/file", "x");
        let crowd = program("crowd");
        let refused = folder.join("secret/program");
        fs::copy(&crowd, refused).unwrap();
        let rules = format!(
            "  - {{ path: \"{}/granted/**\", allow: [read, write, create, remove] }}\n  - {{ path: {}, allow: [execute] }}",
            folder.path().display(),
            crowd.display()
        );
        let agent = Agent::start(&[("crowd", &profile("enforce", &rules))]);
        let top = folder.path().to_str().unwrap();
        let args = ["many", top, &CROWD.to_string()];
        let process = Told::start(&mut confined("crowd", "crowd", &args));
        Self {
            folder,
            agent,
            process,
        }
    }

    /// Has them end, and checks that nobody else was refused anything.
    fn end(mut self) {
        self.folder.write("granted/stop", "");
        let did: Value = serde_json::from_str(&self.process.answer()).expect("what they did");
        assert!(self.process.go_on().success());
        assert_eq!(did["processes"], CROWD, "{did}");
        let refused = did["refused"].as_u64().expect("a number");
        assert!(refused >= CROWD, "{did}");
        println!("the crowd: {did}");

        let agent = &self.agent;
        assert_eq!(agent.counter("denied"), refused, "{did}");
        let detections = agent.detections();
        for detection in &detections {
            let exe = detection["who"]["exe"].as_str().unwrap_or("");
            assert_eq!(exe, "/usr/lib/enforcer/crowd", "{detection}");
        }
        let told = || -> u64 {
            let all = agent.detections();
            all.iter().filter_map(|one| one["count"].as_u64()).sum()
        };
        let settled = wait_for(SETTLED, || (told() == refused).then_some(()));
        assert!(settled.is_some(), "{} of {refused} told", told());
    }
}

/// Both, one after the other.
#[test]
fn nothing_unconfined_is_refused() {
    if !["tcc", "dpkg"]
        .iter()
        .all(|name| Path::new("/usr/bin").join(name).exists())
    {
        return skip("no compiler or no package manager");
    }
    let crowd = Crowd::start();
    let folder = Folder::new("outsiders");
    let start = Instant::now();
    build(&folder);
    println!("built in {:.1} s", start.elapsed().as_secs_f32());
    let start = Instant::now();
    unpack(&folder);
    println!("unpacked in {:.1} s", start.elapsed().as_secs_f32());
    crowd.end();
}

/// Builds a program of many sources, in two jobs, and runs it.
fn build(folder: &Folder) {
    folder.write("c/sum.h", "#include <stdio.h>\n#include <stdlib.h>\n");
    let mut main = "#include \"sum.h\"\n".to_owned();
    let mut sum = String::new();
    for number in 0..SOURCES {
        let text = format!(
            "#include \"sum.h\"\nint part_{number}(void) {{ return atoi(\"{number}\"); }}\n"
        );
        folder.write(&format!("c/part{number}.c"), &text);
        writeln!(main, "int part_{number}(void);").unwrap();
        write!(sum, " + part_{number}()").unwrap();
    }
    writeln!(
        main,
        "int main(void) {{ printf(\"%d\\n\", 0{sum}); return 0; }}"
    )
    .unwrap();
    folder.write("c/main.c", &main);
    let c = folder.join("c");
    let compile = |name: &str| {
        let mut tcc = Command::new("tcc");
        tcc.current_dir(&c);
        tcc.args(["-c", &format!("{name}.c"), "-o", &format!("{name}.o")]);
        tcc.spawn().expect("start tcc")
    };
    let names: Vec<String> = (0..SOURCES)
        .map(|number| format!("part{number}"))
        .chain(["main".to_owned()])
        .collect();
    for pair in names.chunks(2) {
        let jobs: Vec<_> = pair.iter().map(|name| (name, compile(name))).collect();
        for (name, mut job) in jobs {
            assert!(job.wait().unwrap().success(), "{name}");
        }
    }
    let objects = names.iter().map(|name| format!("{name}.o"));
    run(Command::new("tcc")
        .current_dir(&c)
        .args(["-o", "sum"])
        .args(objects));
    let output = run(&mut Command::new(folder.join("c/sum")));
    let want = SOURCES * (SOURCES - 1) / 2;
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{want}\n"));
}

/// Makes a package of many files, and installs it below a folder.
fn unpack(folder: &Folder) {
    let control = "Package: crowd-test\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: files\n";
    folder.write("package/DEBIAN/control", control);
    for number in 0..FILES {
        let name = format!("package/usr/share/test/{}/file-{number}", number % 40);
        folder.write(&name, &format!("{number}\n"));
    }
    let (package, tree) = (folder.join("package.deb"), folder.join("package"));
    run(Command::new("dpkg-deb").args([
        "--root-owner-group",
        "-Znone",
        "--build",
        &tree,
        &package,
    ]));
    let (root, admin) = (folder.join("root"), folder.join("admin"));
    fs::create_dir_all(&root).unwrap();
    for name in ["info", "updates", "triggers"] {
        fs::create_dir_all(format!("{admin}/{name}")).unwrap();
    }
    folder.write("admin/status", "");
    folder.write("admin/available", "");
    let dpkg = |args: &[&str]| {
        run(Command::new("dpkg")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .arg(format!("--admindir={admin}"))
            .arg(format!("--instdir={root}"))
            .arg("--force-bad-path")
            .args(args))
    };
    // Once more over what is there: then each file is replaced.
    dpkg(&["--install", &package]);
    dpkg(&["--install", &package]);
    let status = dpkg(&["--status", "crowd-test"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("install ok installed"), "{status}");
    for number in 0..FILES {
        let path = format!("{root}/usr/share/test/{}/file-{number}", number % 40);
        assert_eq!(fs::read_to_string(path).unwrap(), format!("{number}\n"));
    }
    dpkg(&["--remove", "crowd-test"]);
}
