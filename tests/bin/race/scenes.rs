//! The scenes.
//!
//! A file that holds `secret` is one that no state lets the reader read by the
//! name that it then has, or not by the one that the reader uses.

use crate::scene::{
    Change::{Exchange, Link, Move, Point, Remove, Write},
    Outcome::{Missing, Reads, Refused},
    Scene,
    Start::{Held, Top},
    Try,
};

/// A name that the kernel keeps apart from the dentry, for its length.
macro_rules! long {
    () => {
        "a-name-that-is-too-long-to-be-kept-in-a-dentry-itself"
    };
}

const GRANTED: &str = "granted";
const SECRET: &str = "secret";

/// Every scene.
pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "symlink-swap",
        rules: &["granted/**"],
        files: &[("granted/file", GRANTED), ("secret/file", SECRET)],
        folders: &[],
        links: &[("link", "granted/file"), ("way", "granted")],
        changes: &[
            Point("link", "secret/file"),
            Point("way", "secret"),
            Point("link", "granted/file"),
            Point("way", "granted"),
        ],
        tries: &[
            Try {
                from: Top,
                path: "link",
                stable: &[Reads(GRANTED), Refused, Refused, Reads(GRANTED)],
                also: &[],
            },
            Try {
                from: Top,
                path: "way/file",
                stable: &[Reads(GRANTED), Reads(GRANTED), Refused, Refused],
                also: &[],
            },
        ],
        refusals: &["secret/file"],
    },
    Scene {
        name: "parent-leaves",
        rules: &["open/**"],
        files: &[("open/in/file", GRANTED)],
        folders: &[],
        links: &[],
        changes: &[Move("open", "shut"), Move("shut", "open")],
        tries: &[
            Try {
                from: Held("open/in"),
                path: "file",
                stable: &[Reads(GRANTED), Refused],
                also: &[],
            },
            Try {
                from: Top,
                path: "open/in/file",
                stable: &[Reads(GRANTED), Missing],
                // Found under this name, and judged under the next.
                also: &[Refused],
            },
            Try {
                from: Top,
                path: "shut/in/file",
                stable: &[Missing, Refused],
                also: &[Reads(GRANTED)],
            },
        ],
        refusals: &["shut/in/file"],
    },
    Scene {
        name: "parent-stays-granted",
        rules: &["granted/**"],
        files: &[("granted/one/in/file", GRANTED)],
        folders: &[],
        links: &[],
        changes: &[
            Move("granted/one", concat!("granted/", long!())),
            Move(concat!("granted/", long!()), "granted/one"),
        ],
        tries: &[
            Try {
                from: Held("granted/one/in"),
                path: "file",
                stable: &[Reads(GRANTED), Reads(GRANTED)],
                also: &[],
            },
            Try {
                from: Top,
                path: "granted/one/in/file",
                stable: &[Reads(GRANTED), Missing],
                also: &[],
            },
        ],
        refusals: &[],
    },
    Scene {
        // What is granted are mixtures of names from before and after.
        name: "parents-never-granted",
        rules: &[concat!("left/", long!(), "/**"), "right/in/**"],
        files: &[("left/in/file", SECRET)],
        folders: &[],
        links: &[],
        changes: &[
            Move("left", "between"),
            Move("between/in", concat!("between/", long!())),
            Move("between", "right"),
            Move("right", "between"),
            Move(concat!("between/", long!()), "between/in"),
            Move("between", "left"),
        ],
        tries: &[Try {
            from: Held("left/in"),
            path: "file",
            stable: &[Refused, Refused, Refused, Refused, Refused, Refused],
            also: &[],
        }],
        refusals: &[
            "left/in/file",
            "between/in/file",
            concat!("between/", long!(), "/file"),
            concat!("right/", long!(), "/file"),
        ],
    },
    Scene {
        name: "hard-link",
        rules: &["granted/**"],
        files: &[("secret/file", SECRET)],
        folders: &["granted"],
        links: &[],
        changes: &[Link("secret/file", "granted/name"), Remove("granted/name")],
        tries: &[
            Try {
                from: Top,
                path: "secret/file",
                stable: &[Refused, Refused],
                also: &[],
            },
            Try {
                // Whoever may make a link there grants the file by that name.
                from: Top,
                path: "granted/name",
                stable: &[Missing, Reads(SECRET)],
                also: &[],
            },
        ],
        refusals: &["secret/file"],
    },
    Scene {
        name: "replacement",
        rules: &["granted/**"],
        files: &[("granted/file", GRANTED)],
        folders: &["staging"],
        links: &[],
        changes: &[
            Write("staging/new", GRANTED),
            Move("staging/new", "granted/file"),
        ],
        tries: &[
            Try {
                from: Top,
                path: "granted/file",
                stable: &[Reads(GRANTED), Reads(GRANTED)],
                also: &[],
            },
            Try {
                from: Top,
                path: "staging/new",
                stable: &[Missing, Refused],
                // Found under this name, and judged under the next.
                also: &[Reads(GRANTED)],
            },
        ],
        refusals: &["staging/new"],
    },
    Scene {
        name: "exchange-in-and-out",
        rules: &["granted/**"],
        files: &[("granted/file", "one"), ("secret/file", "other")],
        folders: &[],
        links: &[],
        changes: &[
            Exchange("granted/file", "secret/file"),
            Exchange("granted/file", "secret/file"),
        ],
        tries: &[
            Try {
                from: Top,
                path: "granted/file",
                stable: &[Reads("one"), Reads("other")],
                // Found under this name, and judged under the next.
                also: &[Refused],
            },
            Try {
                from: Top,
                path: "secret/file",
                stable: &[Refused, Refused],
                also: &[Reads("one"), Reads("other")],
            },
        ],
        refusals: &["secret/file"],
    },
    Scene {
        name: "exchange-among-granted",
        rules: &["granted/**"],
        files: &[
            ("granted/one/file", GRANTED),
            (concat!("granted/", long!(), "/file"), GRANTED),
        ],
        folders: &[],
        links: &[],
        changes: &[
            Exchange("granted/one", concat!("granted/", long!())),
            Exchange("granted/one", concat!("granted/", long!())),
        ],
        tries: &[
            Try {
                from: Top,
                path: "granted/one/file",
                stable: &[Reads(GRANTED), Reads(GRANTED)],
                also: &[],
            },
            Try {
                from: Held("granted/one"),
                path: "file",
                stable: &[Reads(GRANTED), Reads(GRANTED)],
                also: &[],
            },
        ],
        refusals: &[],
    },
    Scene {
        // What is granted are mixtures of names from before and after.
        name: "exchange-among-denied",
        rules: &[concat!("left/", long!(), "/**"), "right/in/**"],
        files: &[
            ("left/in/file", SECRET),
            (concat!("right/", long!(), "/file"), SECRET),
        ],
        folders: &[],
        links: &[],
        changes: &[
            Exchange("left/in", concat!("right/", long!())),
            Exchange("left/in", concat!("right/", long!())),
        ],
        tries: &[
            Try {
                from: Held("left/in"),
                path: "file",
                stable: &[Refused, Refused],
                also: &[],
            },
            Try {
                from: Top,
                path: "left/in/file",
                stable: &[Refused, Refused],
                also: &[],
            },
        ],
        refusals: &["left/in/file", concat!("right/", long!(), "/file")],
    },
];
