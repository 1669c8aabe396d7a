//! A user that builds what others have written.

use std::{fmt::Write as _, fs};

use super::{Lesson, Misuse, Program, Service, Taught, command, file, run, says, scene};

const PROJECT: &str = "/srv/build/project";

const PROGRAM: Program = Program {
    profiles: &["builder"],
    needs: &[
        "/usr/bin/make",
        "/usr/bin/tcc",
        "/usr/include/stdio.h",
        "/usr/bin/cat",
    ],
    before: || (),
    start,
    work,
    misuses: MISUSES,
};

#[rustfmt::skip]
const MISUSES: &[Misuse] = &[
    // What the author of a project has its recipes do. The modes of all this grant it.
    Misuse::program(
        || make("key"), "/home/builder/.ssh/id_ed25519: Permission denied",
        ("read", "/home/builder/.ssh/id_ed25519"), &["read", "/home/builder/.ssh/id_ed25519"],
    ),
    Misuse::program(
        || make("settings"), "Permission denied",
        ("append", "/home/builder/.bashrc"), &["append", "/home/builder/.bashrc"],
    ),
    Misuse::program(
        || make("send"), "Permission denied",
        ("execute", "/usr/bin/ssh"), &["exec", "/usr/bin/ssh", "-V"],
    ),
    Misuse::program(
        || make("run"), "Permission denied",
        ("execute", "/srv/build/project/program"), &["exec", "/srv/build/project/program"],
    ),
    Misuse::program(
        || make("install"), "Permission denied",
        ("create", "/usr/local/bin/evil"), &["create", "/usr/local/bin/evil"],
    ),
    Misuse::program(
        || make("include"), "/srv/private/notes",
        ("read", "/srv/private/notes"), &["read", "/srv/private/notes"],
    ),
    Misuse::program(
        || make("root"), "Permission denied",
        ("execute", "/usr/bin/su"), &["exec", "/usr/bin/su", "-c", ":"],
    ),
    // What one does who runs code there.
    Misuse::user(
        &["as-user", "30000", "connect", "/run/docker.sock"], &["connect", "/run/docker.sock"],
        ("connect", "/run/docker.sock"),
    ),
    Misuse::user(
        &["as-user", "30000", "read", "/etc/shadow"], &["read", "/etc/shadow"],
        ("read", "/etc/shadow"),
    ),
    Misuse::user(
        &["as-user", "30000", "write", "/etc/planted"], &["write", "/etc/planted"],
        ("write", "/etc/planted"),
    ),
];

#[test]
fn builder() {
    PROGRAM.check();
}

const MAKE: &[&str] = &[
    "/usr/bin/make",
    "-C",
    "/srv/lesson-build",
    "CC=tcc",
    "program",
];

#[rustfmt::skip]
const MAKE_MISUSES: &[Misuse] = &[
    Misuse::domain(&["read", "/etc/shadow"],              ("read", "/etc/shadow")),
    Misuse::domain(&["read", "/root/.ssh/id_ed25519"],    ("read", "/root/.ssh/id_ed25519")),
    Misuse::domain(&["read", "/srv/private/notes"],       ("read", "/srv/private/notes")),
    Misuse::domain(&["append", "/home/ada/.bashrc"],      ("append", "/home/ada/.bashrc")),
    Misuse::domain(&["write", "/etc/planted"],            ("write", "/etc/planted")),
    Misuse::domain(&["create", "/etc/cron.d/evil"],       ("create", "/etc/cron.d/evil")),
    Misuse::domain(&["create", "/usr/local/bin/evil"],    ("create", "/usr/local/bin/evil")),
    Misuse::domain(&["write", "/srv/lesson-build/Makefile"], ("write", "/srv/lesson-build/Makefile")),
    Misuse::domain(&["exec", "/usr/bin/busybox", "id"],   ("execute", "/usr/bin/busybox")),
    Misuse::domain(&["connect", "/run/docker.sock"],      ("connect", "/run/docker.sock")),
    Misuse::domain(&["host-name"],                        ("", "sys_admin")),
];

/// It is learned from one program that is compiled, and holds for another.
#[test]
fn cc_is_learned() {
    let lesson = Lesson {
        name: "builder",
        needs: &["/usr/bin/make", "/usr/bin/tcc"],
        before: || (),
        taught: Taught::Command(sources, MAKE),
        misuses: MAKE_MISUSES,
    };
    lesson.check();
}

/// Writes sources that no other run has.
fn sources(round: u32) {
    const PLACE: &str = "/srv/lesson-build";
    let _absent = fs::remove_dir_all(PLACE);
    fs::create_dir_all(PLACE).expect("make a folder");
    let parts: Vec<String> = (0..3 + round)
        .map(|part| format!("part{round}{part}"))
        .collect();
    let mut main = "#include <stdio.h>\n#include <stdlib.h>\n".to_owned();
    let mut objects = "main.o".to_owned();
    for part in &parts {
        let text = format!("int {part}(void) {{ return {round}; }}\n");
        fs::write(format!("{PLACE}/{part}.c"), text).expect("write a file");
        writeln!(main, "int {part}(void);").expect("write");
        write!(objects, " {part}.o").expect("write");
    }
    main += "int main(void) { printf(\"%d\\n\", atoi(\"1\")); return 0; }\n";
    fs::write(format!("{PLACE}/main.c"), main).expect("write a file");
    let recipes = format!(
        "program: {objects}\n\t$(CC) -o $@.tmp $^\n\tmv $@.tmp $@\n%.o: %.c\n\t$(CC) -c $< -o $@\n"
    );
    fs::write(format!("{PLACE}/Makefile"), recipes).expect("write a file");
    scene::mode(format!("{PLACE}/Makefile"), 0o666);
}

const RECIPES: &str = "
prefix = /usr/local
objects = main.o part1.o part2.o part3.o part4.o

program: $(objects)
\t$(CC) -o $@.tmp $^
\tmv $@.tmp $@

%.o: %.c all.h
\t$(CC) -c $< -o $@

stage: program
\tinstall -D -m 755 program $(DESTDIR)$(prefix)/bin/program

clean:
\trm -f program $(objects)

key:
\tcat /home/builder/.ssh/id_ed25519
settings:
\techo 'id' >> /home/builder/.bashrc
send:
\tssh example.org
run: program
\t./program
install:
\ttouch /usr/local/bin/evil
include:
\techo '#include \"/srv/private/notes\"' > notes.c; $(CC) -c notes.c
root:
\tsu
";

/// Writes the project, and who builds it is not running: each work starts it.
fn start() -> Service {
    for folder in ["/home/builder/.ssh", PROJECT, "/usr/local/bin"] {
        fs::create_dir_all(folder).expect("make a folder");
        scene::mode(folder, 0o777);
    }
    for name in [".ssh/id_ed25519", ".bashrc"] {
        fs::write(format!("/home/builder/{name}"), "its own\n").expect("write a file");
    }
    let mut main = "#include \"all.h\"\nint main(void) { int sum = 0;\n".to_owned();
    let mut all = "#include <stdio.h>\n#include <stdlib.h>\n".to_owned();
    for part in 1..=4 {
        writeln!(all, "int part{part}(void);").expect("write");
        writeln!(main, "sum += part{part}();").expect("write");
        let text =
            format!("#include \"all.h\"\nint part{part}(void) {{ return atoi(\"{part}\"); }}\n");
        fs::write(format!("{PROJECT}/part{part}.c"), text).expect("write a file");
    }
    main += "printf(\"%d\\n\", sum); return 0; }\n";
    for (name, text) in [("main.c", &*main), ("all.h", &*all), ("Makefile", RECIPES)] {
        fs::write(format!("{PROJECT}/{name}"), text).expect("write a file");
    }
    scene::give_all("builder", &["/srv/build", "/home/builder"]);
    Service::start(&mut command(
        "root",
        "/usr/bin/busybox",
        &["sleep", "100000"],
    ))
}

/// What comes of a target.
fn make(target: &str) -> String {
    let mut make = command(
        "builder",
        "/usr/bin/make",
        &["-C", PROJECT, "CC=tcc", target],
    );
    make.env("HOME", "/home/builder");
    says(&mut make)
}

fn work(service: Service) -> Service {
    for words in [
        &["-j2", "program"][..],
        &["stage", "DESTDIR=/srv/build/out"],
        &["clean"],
        &["program"],
    ] {
        let mut args = vec!["-C", PROJECT, "CC=tcc"];
        args.extend(words);
        run(command("builder", "/usr/bin/make", &args).env("HOME", "/home/builder"));
    }
    for path in [
        &format!("{PROJECT}/program"),
        "/srv/build/out/usr/local/bin/program",
    ] {
        assert_eq!(run(&mut command("root", path, &[])), "10\n");
    }
    assert_eq!(file(&format!("{PROJECT}/program.tmp")), "");
    service
}
