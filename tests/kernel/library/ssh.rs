//! `sshd`, and who logs in by it.

use std::{fs, io::Read as _, os::unix::net::UnixStream, path::Path, process::Command, thread};

use super::{Misuse, Program, Service, command, file, run, says, scene, wait};

const PORT: u16 = 22;
const BINARY: &str = "/usr/sbin/sshd";
const KEY: &str = "/srv/client/key";

const PROGRAM: Program = Program {
    profiles: &["sshd", "ssh-session"],
    needs: &[BINARY, "/usr/bin/ssh", "/usr/bin/bash"],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What who is let in does. The modes of all this grant it.
    Misuse::program(
        || ssh(&["cat /srv/private/notes"]), "/srv/private/notes: Permission denied",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || ssh(&["cat /home/bob/letter"]), "/home/bob/letter: Permission denied",
        ("read", "/home/bob/letter"), &["read", "/home/bob/letter"],
    ),
    Misuse::program(
        || ssh(&["cat /etc/shadow"]), "/etc/shadow: Permission denied",
        ("read", "/etc/shadow"), &["read", "/etc/shadow"],
    ),
    Misuse::program(
        || ssh(&["echo key >> .ssh/authorized_keys"]), ".ssh/authorized_keys: Permission denied",
        ("append", "/home/ada/.ssh/authorized_keys"), &["append", "/home/ada/.ssh/authorized_keys"],
    ),
    Misuse::program(
        || ssh(&["echo '* * * * * root id' > /etc/cron.d/evil"]), "/etc/cron.d/evil: Permission denied",
        ("create", "/etc/cron.d/evil"), &["create", "/etc/cron.d/evil"],
    ),
    Misuse::program(
        || ssh(&["cp /usr/bin/id program; chmod 755 program; ./program"]), "./program: Permission denied",
        ("execute", "/home/ada/program"), &["exec", "/usr/bin/id"],
    ),
    Misuse::program(
        || ssh(&["su"]), "su: Permission denied",
        ("execute", "/usr/bin/su"), &["exec", "/usr/bin/su", "-c", ":"],
    ),
    // What the server itself is asked for.
    Misuse::program(
        || forwarded("-L", "/srv/client/here:/run/docker.sock"), "",
        ("connect", "/run/docker.sock"), &["connect", "/run/docker.sock"],
    ),
    Misuse::program(
        || forwarded("-R", "/srv/private/evil:/run/docker.sock"),
        "remote port forwarding failed",
        ("create", "/srv/private/evil"), &["bind", "/srv/private/evil"],
    ),
    // What one does who runs code in either.
    Misuse::domain(&["read", "/home/ada/.ssh/id_ed25519"], ("read", "/home/ada/.ssh/id_ed25519")),
    Misuse::domain(&["write", "/etc/planted"],            ("write", "/etc/planted")),
    Misuse::domain(&["write", "/etc/shadow"],             ("write", "/etc/shadow")),
    Misuse::domain(&["exec", "/usr/bin/id"],              ("execute", "/usr/bin/id")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
    Misuse::under("ssh-session", &["connect", "/run/docker.sock"],             ("connect", "/run/docker.sock")),
    Misuse::under("ssh-session", &["read", "/etc/ssh/ssh_host_ed25519_key"],   ("read", "/etc/ssh/ssh_host_ed25519_key")),
    Misuse::under("ssh-session", &["code-written"],                            ("", "execmem")),
    Misuse::under("ssh-session", &["host-name"],                               ("", "sys_admin")),
];

#[test]
fn ssh_server() {
    PROGRAM.check();
}

fn start() -> Service {
    for folder in ["/run/sshd", "/srv/client", "/home/ada/.ssh"] {
        fs::create_dir_all(folder).expect("make a folder");
    }
    for path in [
        "/run/utmp",
        "/var/log/wtmp",
        "/var/log/lastlog",
        "/var/log/btmp",
    ] {
        fs::write(path, "").expect("write a file");
    }
    let host_key = "/etc/ssh/ssh_host_ed25519_key";
    for path in [KEY, host_key] {
        let args = ["-q", "-t", "ed25519", "-N", "", "-f", path];
        run(&mut command("root", "/usr/bin/ssh-keygen", &args));
    }
    let key = file(&format!("{KEY}.pub"));
    fs::write("/home/ada/.ssh/authorized_keys", key).expect("write a file");
    scene::give_all("ada", &["/home/ada"]);
    scene::mode("/home/ada/.ssh/authorized_keys", 0o666);
    fs::copy("/usr/share/openssh/sshd_config", "/etc/ssh/sshd_config").expect("copy a file");
    // It would not believe keys in a folder that everybody may write to.
    let own = "StrictModes no\nListenAddress 127.0.0.1\n";
    let text = own.to_owned() + &file("/etc/ssh/sshd_config");
    fs::write("/etc/ssh/sshd_config", text).expect("write a file");
    Service::start(&mut command("root", BINARY, &["-D"]))
        .ready()
        .listening(PORT)
}

/// A command of the client's.
fn client(program: &str, words: &[&str]) -> Command {
    let port = if program == "ssh" { "-p" } else { "-P" };
    let mut args = vec!["-i", KEY, port, "22"];
    for option in [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        "BatchMode=yes",
    ] {
        args.extend(["-o", option]);
    }
    args.extend(words);
    command("root", &format!("/usr/bin/{program}"), &args)
}

/// What comes of a session.
fn ssh(words: &[&str]) -> String {
    let mut all = vec!["ada@127.0.0.1"];
    all.extend(words);
    says(&mut client("ssh", &all))
}

fn work(service: Service) -> Service {
    assert_eq!(ssh(&["id -un; pwd"]), "ada\n/home/ada\n");
    assert_eq!(
        ssh(&[
            "echo a letter > letter; mkdir -p letters; mv letter letters/first; cat letters/first"
        ]),
        "a letter\n"
    );
    let listed = ssh(&["ls -la letters | grep first | wc -l; date +%Y > /tmp/year; rm /tmp/year"]);
    assert_eq!(listed, "1\n");
    fs::write("/srv/client/file", "to be sent").expect("write a file");
    run(&mut client(
        "scp",
        &["/srv/client/file", "ada@127.0.0.1:sent"],
    ));
    run(&mut client(
        "scp",
        &["ada@127.0.0.1:sent", "/srv/client/got"],
    ));
    assert_eq!(file("/srv/client/got"), "to be sent");
    // With a terminal, and the records of a login.
    let said = says(&mut client(
        "ssh",
        &["-tt", "ada@127.0.0.1", "tty; bash -lc 'echo $0 $USER'"],
    ));
    assert!(said.contains("/dev/pts/"), "{said}");
    assert!(said.contains("bash ada"), "{said}");
    // An interactive shell, which reads what it does from its terminal.
    // It throws away what was typed before it was ready.
    let typed = "(while sleep 1; do echo 'echo $((40 + 2)); exit'; done)";
    let options = format!("-tt -i {KEY} -p 22 -o StrictHostKeyChecking=no");
    let script = format!("{typed} | ssh {options} -o UserKnownHostsFile=/dev/null ada@127.0.0.1");
    let said = says(&mut command("root", "/usr/bin/dash", &["-c", &script]));
    assert!(said.contains("42"), "{said}");
    wait("the record of a login", || {
        !file("/var/log/wtmp").is_empty()
    });
    let wrong = says(&mut client("ssh", &["bob@127.0.0.1", "id"]));
    assert!(wrong.contains("Permission denied (publickey"), "{wrong}");
    service
}

/// What comes of a forwarding, with something that uses it.
fn forwarded(kind: &str, what: &str) -> String {
    let args = [
        "-o",
        "ExitOnForwardFailure=yes",
        kind,
        what,
        "ada@127.0.0.1",
        "sleep 3",
    ];
    let mut ssh = client("ssh", &args);
    let asking = thread::spawn(move || says(&mut ssh));
    if kind == "-L" {
        let socket = what.split(':').next().expect("a path");
        wait("the forwarding", || Path::new(socket).exists());
        let mut stream = UnixStream::connect(socket).expect("connect");
        let got = stream.read(&mut [0; 8]);
        assert!(matches!(got, Ok(0) | Err(_)), "{got:?}");
    }
    asking.join().expect("a client")
}
