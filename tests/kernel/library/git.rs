//! `git daemon`.

use std::{fs, os::unix::fs::symlink};

use super::{Lesson, Misuse, Program, Service, Taught, command, file, run, says, scene};

const PORT: u16 = 9418;

const PROGRAM: Program = Program {
    profiles: &["git-daemon"],
    needs: &["/usr/lib/git-core/git-daemon"],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What is beside what it exports, and linked to from there.
    Misuse::program(
        || git("/", &["ls-remote", "git://127.0.0.1/escape.git"]), "fatal",
        ("read", "/srv/private/repository.git*"), &["list", "/srv/git/escape.git/objects"],
    ),
    Misuse::program(
        || git("/", &["clone", "--bare", "git://127.0.0.1/borrowing.git", "/srv/borrowed"]), "fatal",
        ("read", "/srv/private/repository.git/objects*"),
        &["list", "/srv/private/repository.git/objects"],
    ),
    // A repository that lets everybody push.
    Misuse::program(push, "unable to create temporary object directory",
        ("create", "/srv/git/open.git/*"), &["create", "/srv/git/open.git/evil"],
    ),
    // A repository that has what is sent made by its own program.
    Misuse::domain(
        &["exec", "/srv/git/open.git/hooks/post-update"],
        ("execute", "/srv/git/open.git/hooks/post-update"),
    ),
    // What one does who runs code in it.
    Misuse::domain(&["read", "/etc/shadow"],              ("read", "/etc/shadow")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["write", "/srv/git/project.git/HEAD"], ("write", "/srv/git/project.git/HEAD")),
    Misuse::domain(&["exec", "/usr/bin/dash", "-c", ":"], ("execute", "/usr/bin/dash")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["create", "/tmp/evil-file"],         ("create", "/tmp/evil-file")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

#[test]
fn git_daemon() {
    PROGRAM.check();
}

/// The same program under a name for which there is no profile.
const OUTSIDE: &str = "/usr/lib/git-core/git";

const CLONE: &[&str] = &[
    "/usr/bin/git",
    "clone",
    "--quiet",
    // A link would have rights at its new name that the object has not at the old one.
    "--no-hardlinks",
    "/srv/lesson/source",
    "/srv/lesson/copy",
];

#[rustfmt::skip]
const CLONE_MISUSES: &[Misuse] = &[
    Misuse::domain(&["read", "/etc/shadow"],              ("read", "/etc/shadow")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["read", "/srv/private/notes"],       ("read", "/srv/private/notes")),
    Misuse::domain(&["write", "/srv/lesson/source/.git/HEAD"], ("write", "/srv/lesson/source/.git/HEAD")),
    Misuse::domain(&["append", "/home/ada/.bashrc"],      ("append", "/home/ada/.bashrc")),
    Misuse::domain(&["write", "/etc/planted"],            ("write", "/etc/planted")),
    Misuse::domain(&["create", "/etc/cron.d/evil"],       ("create", "/etc/cron.d/evil")),
    Misuse::domain(&["create", "/tmp/evil-file"],         ("create", "/tmp/evil-file")),
    Misuse::domain(&["exec", "/usr/bin/busybox", "id"],   ("execute", "/usr/bin/busybox")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

/// It is learned from one clone, and holds for one with other commits.
#[test]
fn git_clone_is_learned() {
    let lesson = Lesson {
        name: "git-daemon",
        needs: &["/usr/bin/git", OUTSIDE],
        before: || {
            fs::create_dir_all("/srv/lesson").expect("make a folder");
            run(&mut command(
                "root",
                OUTSIDE,
                &["init", "-q", "/srv/lesson/source"],
            ));
        },
        taught: Taught::Command(commits, CLONE),
        misuses: CLONE_MISUSES,
    };
    lesson.check();
}

/// Adds commits, and removes the clone.
fn commits(round: u32) {
    let _absent = fs::remove_dir_all("/srv/lesson/copy");
    for number in 0..4 {
        let folder = format!("/srv/lesson/source/folder-{round}");
        fs::create_dir_all(&folder).expect("make a folder");
        fs::write(
            format!("{folder}/file-{number}"),
            format!("{round} {number}"),
        )
        .expect("write a file");
        let ada = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        for words in [&["add", "."][..], &["commit", "-q", "-m", "more"]] {
            let words = [&ada[..], words].concat();
            run(command("root", OUTSIDE, &words).current_dir("/srv/lesson/source"));
        }
    }
}

/// What comes of git in a folder.
fn git(folder: &str, words: &[&str]) -> String {
    let _absent = fs::remove_dir_all("/srv/borrowed");
    says(
        command("root", "/usr/bin/git", words)
            .current_dir(folder)
            .env("HOME", "/srv/client"),
    )
}

/// The same, which has to succeed.
fn well(folder: &str, words: &[&str]) -> String {
    run(command("root", "/usr/bin/git", words)
        .current_dir(folder)
        .env("HOME", "/srv/client"))
}

fn start() -> Service {
    fs::create_dir_all("/srv/client").expect("make a folder");
    let settings = "[user]\nname = Ada\nemail = ada@example.org\n[safe]\ndirectory = *\n[init]\ndefaultBranch = main\n";
    fs::write("/srv/client/.gitconfig", settings).expect("write a file");
    well("/srv", &["init", "--quiet", "/srv/client/source"]);
    commit("first");
    for place in [
        "/srv/git/project.git",
        "/srv/git/open.git",
        "/srv/private/repository.git",
        "/srv/git/borrowing.git",
    ] {
        well(
            "/srv",
            &["clone", "--quiet", "--bare", "/srv/client/source", place],
        );
        fs::write(format!("{place}/git-daemon-export-ok"), "").expect("write a file");
    }
    symlink("/srv/private/repository.git", "/srv/git/escape.git").expect("make a link");
    // It has no objects of its own.
    fs::remove_dir_all("/srv/git/borrowing.git/objects").expect("remove objects");
    for folder in ["info", "pack"] {
        fs::create_dir_all(format!("/srv/git/borrowing.git/objects/{folder}"))
            .expect("make a folder");
    }
    let alternates = "/srv/git/borrowing.git/objects/info/alternates";
    fs::write(alternates, "/srv/private/repository.git/objects\n").expect("write a file");
    let open = file("/srv/git/open.git/config") + "[daemon]\nreceivepack = true\n";
    fs::write("/srv/git/open.git/config", open).expect("write a file");
    let hook = "/srv/git/open.git/hooks/post-update";
    fs::create_dir_all("/srv/git/open.git/hooks").expect("make a folder");
    fs::write(hook, "#!/bin/sh\nexit 0\n").expect("write a file");
    scene::mode(hook, 0o755);
    scene::give_all("gitdaemon", &["/srv/git", "/srv/private"]);
    scene::mode("/srv/git/project.git/HEAD", 0o666);
    let args = [
        "daemon",
        "--reuseaddr",
        "--user=gitdaemon",
        "--base-path=/srv/git",
        "/srv/git",
    ];
    Service::start(&mut command("root", "/usr/bin/git", &args)).listening(PORT)
}

/// Adds to the source.
fn commit(text: &str) {
    fs::write("/srv/client/source/file", text).expect("write a file");
    well("/srv/client/source", &["add", "file"]);
    well("/srv/client/source", &["commit", "--quiet", "-m", text]);
}

fn work(service: Service) -> Service {
    let there = well("/", &["ls-remote", "git://127.0.0.1/project.git"]);
    assert!(there.contains("refs/heads/main"), "{there}");
    let of_client = "git://127.0.0.1/project.git";
    well("/srv/client", &["clone", "--quiet", of_client, "clone"]);
    assert_eq!(file("/srv/client/clone/file"), "first");
    commit("second");
    well(
        "/srv/client/source",
        &["push", "--quiet", "/srv/git/project.git", "main"],
    );
    well("/srv/client/clone", &["pull", "--quiet"]);
    assert_eq!(file("/srv/client/clone/file"), "second");
    well(
        "/srv/git/project.git",
        &["repack", "-adq", "--write-bitmap-index"],
    );
    well("/srv/git/project.git", &["pack-refs", "--all"]);
    scene::give_all("gitdaemon", &["/srv/git"]);
    well(
        "/srv/client",
        &["clone", "--quiet", "--depth", "1", of_client, "shallow"],
    );
    assert_eq!(file("/srv/client/shallow/file"), "second");
    let absent = git("/", &["ls-remote", "git://127.0.0.1/absent.git"]);
    assert!(
        absent.contains("access denied or repository not exported"),
        "{absent}"
    );
    service
}

fn push() -> String {
    commit("third");
    git(
        "/srv/client/source",
        &["push", "git://127.0.0.1/open.git", "main"],
    )
}
