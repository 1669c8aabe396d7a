//! A file system that lies over others: rules name what is to be seen, and the
//! layers are nobody's business.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, errno, profile, program, rule};

use super::rows::{ROWS, Row};
use crate::{background::skip, mounts::Mount};

/// `enforcer exec` could not run the command: the exec was refused.
const NOT_RUN: i32 = 126;

/// Where a guest has the module, if its kernel has none of it built in.
const MODULE: &str = "/usr/lib/vm/overlay.ko";

/// Who does a row's thing, each in a folder of their own.
const WHO: [&str; 3] = ["denied", "granted", "outside"];

/// An overlay at `merged`, all layers of which are in memory.
struct Overlay {
    _merged: Mount,
    _memory: Mount,
    folder: Folder,
}

impl Overlay {
    /// Mounts one, of what `fill` puts into the lower layer.
    fn new(name: &str, options: &str, fill: impl FnOnce(&Folder)) -> Self {
        let folder = Folder::new(name);
        let memory = Mount::of_memory(folder.join("layers"));
        for layer in ["lower", "upper", "work"] {
            fs::create_dir(folder.join(&format!("layers/{layer}"))).unwrap();
        }
        fill(&folder);
        let base = folder.join("layers");
        Self {
            _merged: Mount::overlay(&base, options, folder.join("merged")),
            _memory: memory,
            folder,
        }
    }

    fn merged(&self, name: &str) -> String {
        self.folder.join(&format!("merged/{name}"))
    }

    fn lower(&self, name: &str) -> String {
        self.folder.join(&format!("layers/lower/{name}"))
    }

    fn upper(&self, name: &str) -> String {
        self.folder.join(&format!("layers/upper/{name}"))
    }
}

/// Whether there are overlays; loads the module if need be.
fn has_overlays() -> bool {
    let is_there = || {
        let known = fs::read_to_string("/proc/filesystems").unwrap();
        known.lines().any(|line| line.ends_with("\toverlay"))
    };
    if !is_there() && Path::new(MODULE).exists() {
        let status = Command::new("insmod").arg(MODULE).status().unwrap();
        assert!(status.success(), "insmod {MODULE}: {status}");
    }
    let is_there = is_there();
    if !is_there {
        skip("the kernel has no overlayfs");
    }
    is_there
}

/// What a row finds in its folder.
fn fill(folder: &Folder, row: &Row) {
    for who in WHO {
        let path = |name: &str| format!("layers/lower/{}/{who}/{name}", row.folder());
        folder.write(&path("file"), "some contents\n");
        folder.write(&path("folder/file"), "x");
        fs::create_dir(folder.join(&path("empty"))).unwrap();
        symlink("file", folder.join(&path("link"))).unwrap();
        if row.path == "program" {
            fs::copy(program("attempt"), folder.join(&path("program"))).unwrap();
        }
    }
}

/// The rules of a row, for who is granted or denied.
fn rules(overlay: &Overlay, row: &Row, who: &str) -> String {
    let besides = if who == "granted" { row.grants } else { &[] };
    let rules = row.needs.iter().chain(besides);
    let rules = rules.map(|(name, rights)| {
        let path = overlay.merged(&format!("{}/{who}/{name}", row.folder()));
        rule(&path, rights)
    });
    rules.collect()
}

/// What can be seen of a tree: of each object its kind, owner, length and times.
fn tree(path: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let path = path.to_str().unwrap();
        let of = fs::symlink_metadata(path).unwrap();
        let facts = (of.mode(), of.uid(), of.len(), of.mtime(), of.ctime_nsec());
        found.insert(path.to_owned(), format!("{facts:?}"));
        if of.is_dir() {
            found.extend(tree(path));
        }
    }
    found
}

/// Does all rows on an overlay that is mounted with `options`.
fn run(options: &str) {
    if !has_overlays() {
        return;
    }
    let overlay = Overlay::new("overlay", options, |folder| {
        for row in ROWS {
            fill(folder, row);
        }
    });
    let rules: String = ROWS
        .iter()
        .flat_map(|row| ["denied", "granted"].map(|who| rules(&overlay, row, who)))
        .collect();
    let text = profile("enforce", &rules);
    let privileged = text.clone() + "privileges: [chown, sys_admin]\n";
    let agent = Agent::start(&[("p", &text), ("privileged", &privileged)]);
    let before = tree(&overlay.lower(""));
    let mut wrong = Vec::new();
    for row in ROWS {
        for who in WHO {
            let place = format!("{}/{who}", row.folder());
            let dir = overlay.merged(&place);
            if row.copied_up {
                assert_eq!(attempt_outside(&["append", &format!("{dir}/file")]), 0);
            }
            let upper = Path::new(&overlay.upper(&place)).exists();
            let words: Vec<String> = row
                .attempt
                .iter()
                .map(|w| w.replace("{dir}", &dir))
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let profile = if row.privileged { "privileged" } else { "p" };
            let (got, want) = match who {
                "denied" => (agent.attempt(profile, &words), row.denied),
                "granted" => (agent.attempt(profile, &words), 0),
                _ => (attempt_outside(&words), 0),
            };
            if got != want {
                wrong.push(format!("{}, {who}: {got} and not {want}", row.name));
            }
            if who == "denied" && Path::new(&overlay.upper(&place)).exists() != upper {
                wrong.push(format!("{}: it was copied up", row.name));
            }
        }
    }
    assert_eq!(tree(&overlay.lower("")), before, "the lower layer");
    let detections = agent.detections();
    for row in ROWS {
        let path = overlay.merged(&format!("{}/denied/{}", row.folder(), row.path));
        let told = detections.iter().any(|one| {
            one["path"] == path
                && one["operation"] == row.operation
                && one["missing"] == serde_json::json!(row.missing)
        });
        if !told {
            wrong.push(format!("{}: no detection of {path}", row.name));
        }
    }
    for one in &detections {
        let path = one["path"].as_str().unwrap_or_default();
        if !path.contains("/denied/") {
            wrong.push(format!("a detection: {one}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whatever is done to a file of the lower layer is judged by its merged path, and
/// changes nothing below.
#[test]
fn an_overlay_is_judged_by_what_it_shows() {
    run("redirect_dir=on");
}

/// Likewise where a file is copied up without its contents at first.
#[test]
fn an_overlay_with_metadata_of_its_own() {
    run("redirect_dir=on,metacopy=on");
}

/// The layers are other files, which no rule about the merged tree grants.
#[test]
fn the_layers_are_not_granted() {
    if !has_overlays() {
        return;
    }
    let overlay = Overlay::new("layers", "redirect_dir=on", |folder| {
        folder.write("layers/lower/file", "x");
        folder.write("layers/lower/other", "x");
        folder.write("layers/upper/new", "x");
    });
    let rules = format!(
        "  - {{ path: \"{}**\", allow: [read, write, create, remove, attributes, map] }}",
        overlay.merged("")
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    #[rustfmt::skip]
    let rows = [
        ("read", overlay.merged("file"),  0),
        ("read", overlay.merged("new"),   0),
        ("read", overlay.lower("file"),   EACCES),
        ("read", overlay.lower("other"),  EACCES),
        ("map-code", overlay.lower("other"),  EACCES),
        ("write", overlay.lower("file"),  EACCES),
        ("read", overlay.upper("new"),    EACCES),
        ("write", overlay.upper("new"),   EACCES),
        ("write", overlay.merged("file"), 0),
        ("read", overlay.upper("file"),   EACCES),
        ("list", overlay.upper(""),       EACCES),
        ("list", overlay.merged(""),      EACCES),
    ];
    for (what, path, want) in rows {
        assert_eq!(agent.attempt("p", &[what, &path]), want, "{what} {path}");
        assert_eq!(attempt_outside(&[what, &path]), 0, "{what} {path}: outside");
        let path = path.trim_end_matches('/');
        assert_eq!(agent.detection(path).is_some(), want != 0, "{what} {path}");
    }
}

/// A descriptor that comes along is judged by the merged path, be its file copied up
/// since it was opened or not.
#[test]
fn a_descriptor_of_an_overlay() {
    if !has_overlays() {
        return;
    }
    let files = ["granted", "denied"];
    let overlay = Overlay::new("kept", "redirect_dir=on", |folder| {
        for file in files {
            folder.write(&format!("layers/lower/{file}"), "x");
        }
    });
    let rules = format!(
        "  - {{ path: \"{}\", allow: [read] }}",
        overlay.merged("granted")
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    let attempt = program("attempt");
    let attempt = attempt.to_str().unwrap();
    let within = ["enforcer", "exec", "--profile", "p", "--"];
    for (what, copied_up) in [("of the lower layer", false), ("of a copy", true)] {
        for (file, want) in [("granted", 0), ("denied", NOT_RUN)] {
            let path = overlay.merged(file);
            if copied_up {
                assert_eq!(attempt_outside(&["append", &path]), 0);
            }
            let holding = ["holding", &path];
            let used = [attempt, "use-inherited", "9"];
            let confined = [&holding[..], &within, &used].concat();
            assert_eq!(attempt_outside(&confined), want, "{file} {what}");
            let outside = [&holding[..], &used].concat();
            assert_eq!(attempt_outside(&outside), 0, "{file} {what}: outside");
            let told = agent.detection(&path).is_some();
            assert_eq!(told, want != 0, "{file} {what}");
        }
    }
}

/// Memory of a file that is copied up only then is the merged file's as well.
#[test]
fn memory_from_before_the_copy() {
    if !has_overlays() {
        return;
    }
    let files = ["granted", "denied", "outside"];
    let overlay = Overlay::new("mapped", "redirect_dir=on", |folder| {
        for file in files {
            folder.write(&format!("layers/lower/{file}"), "x");
        }
    });
    let [granted, denied, outside] = files.map(|file| overlay.merged(file));
    let rules = format!(
        "  - {{ path: \"{granted}\", allow: [read, append, map] }}\n  - {{ path: \"{denied}\", allow: [read, append] }}"
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    let map = |path| ["map-code-after-append", path];
    assert_eq!(agent.attempt("p", &map(&granted)), 0, "granted");
    assert_eq!(agent.attempt("p", &map(&denied)), EACCES, "denied");
    assert_eq!(attempt_outside(&map(&outside)), 0, "outside");
    for file in files {
        let copy = overlay.upper(file);
        assert!(Path::new(&copy).exists(), "{file} is copied up");
    }
    let detection = agent.detection(&denied).expect("a detection");
    assert_eq!(detection["operation"], "map", "{detection}");
    assert_eq!(detection["missing"][0], "map", "{detection}");
    assert_eq!(agent.detections().len(), 1, "of nothing else");
}

/// A profile names a program by its merged path. What runs from a layer is another.
#[test]
fn a_program_on_an_overlay() {
    if !has_overlays() {
        return;
    }
    let overlay = Overlay::new("program", "redirect_dir=on", |folder| {
        for name in ["named", "copied"] {
            let path = folder.join(&format!("layers/lower/{name}"));
            fs::copy(program("attempt"), path).unwrap();
        }
    });
    let secret = overlay.folder.write("secret", "x");
    let named = overlay.merged("*");
    let applies = format!("applies_to: {{ executables: [\"{named}\"] }}\n");
    let rules = format!("  - {{ path: \"{named}\", allow: [read, map] }}");
    let agent = Agent::start(&[("p", &(applies + &profile("enforce", &rules)))]);
    // Copied up, it is the same program.
    assert_eq!(attempt_outside(&["chmod", &overlay.merged("copied")]), 0);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(overlay.merged("copied"), mode).unwrap();
    #[rustfmt::skip]
    let rows = [
        ("the program",           overlay.merged("named"),  EACCES),
        ("a copied one",          overlay.merged("copied"), EACCES),
        ("the lower layer's",     overlay.lower("named"),   0),
        ("the upper layer's",     overlay.upper("copied"),  0),
    ];
    for (name, program, want) in rows {
        let run = |path: &str| {
            let output = Command::new(&program).args(["read", path]).output();
            errno(&output.unwrap())
        };
        assert_eq!(run(&secret), want, "{name}");
        assert_eq!(run("/dev/null"), 0, "{name}: what all may read");
        let exe = |one: &serde_json::Value| one["who"]["exe"] == program.as_str();
        let told = agent.detections().iter().any(exe);
        assert_eq!(told, want != 0, "{name}");
    }
}
