//! Whether something would have more rights under another name.
//!
//! A rename or a link asks for rights at the names like anything else, and then that
//! the object has no right at the new name that it had not at the old one: else a
//! program could give itself what its profile withholds, by moving it to where the
//! profile is generous.

use enforcer_abi::{Access, Verdict, policy::refusal};

use super::{Compiled, Explanation, Owner, Profile, explain};

/// How something gets another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The old name goes.
    Rename,
    /// The old name stays.
    Link,
}

/// What a profile says to a rename or a link.
#[derive(Clone, Debug)]
#[must_use]
pub struct Growth<'a> {
    /// The rights at the old name.
    pub old: Explanation<'a>,
    /// The rights at the new name, where nothing is yet.
    pub new: Explanation<'a>,
    /// The rights that a file would have under the new name and has not under the old
    /// one.
    pub gained: Access,
    /// Whether an exec of a file would lead to another profile.
    pub other_target: bool,
    /// Whether a directory, or something beneath it, would have other rights.
    pub directory_grows: bool,
    /// What becomes of it if it is a file.
    pub as_file: Verdict,
    /// What becomes of it if it is a directory, whose contents move with it. Only a
    /// rename can be of one.
    pub as_directory: Verdict,
}

/// Explains what `profile`, compiled to `compiled`, says to a move from `old` to
/// `new` of what belongs to `owner`.
pub fn growth<'a>(
    profile: &'a Profile,
    compiled: &Compiled,
    how: Move,
    [old, new]: [&[u8]; 2],
    owner: Owner,
) -> Growth<'a> {
    let leaves = match how {
        Move::Rename => Access::REMOVE,
        Move::Link => Access::NONE,
    };
    let [before, after] = [old, new].map(|path| compiled.judge(path).outcome.reach());
    let old = explain(profile, compiled, leaves, old, owner);
    // Who makes something owns it.
    let new = explain(profile, compiled, Access::CREATE, new, Owner::Task);

    let names = stricter(old.verdict, new.verdict);
    let verdict = |is_directory| {
        if before.grows_to(after, is_directory) {
            stricter(names, refusal(profile.mode.for_kernel()))
        } else {
            names
        }
    };
    Growth {
        gained: after.allow.missing_from(before.allow)
            | after.granted(true).missing_from(before.granted(true)),
        other_target: after.granted(true).contains(Access::EXECUTE)
            && after.target != before.target,
        directory_grows: before.grows_to(after, true),
        as_file: verdict(false),
        as_directory: verdict(true),
        old,
        new,
    }
}

/// The verdict that lets through less.
fn stricter(one: Verdict, other: Verdict) -> Verdict {
    if one as u8 > other as u8 { one } else { other }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use enforcer_abi::{Access, Slot, Verdict};

    use super::{Move, growth};
    use crate::profile::{Owner, Profile, compile};

    const TEXT: &str = r#"
name: p
mode: enforce
paths:
  - { path: "/in/**", allow: [read, create, remove] }
  - { path: "/in/x/**", deny: [read] }
  - { path: "/out/**", allow: [read, create, remove] }
  - { path: "/work/**", allow: [read, write, create, remove] }
  - { path: "/drop/**", allow: [create] }
exec:
  - { path: "/work/q", profile: q }
  - { path: "/work/r" }
"#;

    #[test]
    fn moves() {
        use Move::{Link, Rename};
        const YES: Verdict = Verdict::Allow;
        const NO: Verdict = Verdict::Deny;
        let write = Access::WRITE | Access::APPEND;
        let run = Access::EXECUTE | Access::MAP;
        // Columns: what it shows, how, old, new, what is gained, as a file, as a directory.
        #[rustfmt::skip]
        let cases = [
            ("equal rights",           Rename, "/in/a",   "/out/a",  Access::NONE,         YES, YES),
            ("a directory with a deny", Rename, "/in",    "/drop/a", Access::CREATE,       NO,  NO),
            ("a file from a deny",     Rename, "/in/x/a", "/in/a",   Access::READ,         NO,  NO),
            ("contents from a deny",   Rename, "/in/x",   "/in/a",   Access::NONE,         YES, NO),
            ("more rights",            Rename, "/in/a",   "/work/a", write,                NO,  NO),
            ("fewer rights",           Rename, "/work/a", "/in/a",   Access::NONE,         YES, NO),
            ("no right to remove",     Rename, "/drop/a", "/drop/b", Access::NONE,         NO,  NO),
            ("no right to create",     Rename, "/in/a",   "/root/a", Access::NONE,         NO,  NO),
            ("a program",              Rename, "/work/a", "/work/r", run,                  NO,  NO),
            ("another's program",      Rename, "/work/r", "/work/q", Access::NONE,         NO,  NO),
            ("a link",                 Link,   "/work/a", "/in/a",   Access::NONE,         YES, NO),
            ("a link of nothing",      Link,   "/root/a", "/in/a",   Access::READ | Access::CREATE | Access::REMOVE, NO, NO),
            ("a link needs no remove", Link,   "/drop/a", "/drop/b", Access::NONE,         YES, YES),
        ];
        let profile = Profile::parse(TEXT, Path::new("p.yaml"), Path::new("")).unwrap();
        let compiled = compile(&profile, &|_| Some(Slot(7))).unwrap();
        for (name, how, old, new, gained, as_file, as_directory) in cases {
            let paths = [old, new].map(str::as_bytes);
            let got = growth(&profile, &compiled, how, paths, Owner::Other);
            assert_eq!(got.gained, gained, "{name}");
            assert_eq!(
                (got.as_file, got.as_directory),
                (as_file, as_directory),
                "{name}"
            );
            assert_eq!(got.other_target, name == "another's program", "{name}");
        }
    }

    #[test]
    fn audit_lets_through() {
        let text = TEXT.replace("enforce", "audit");
        let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
        let compiled = compile(&profile, &|_| Some(Slot(7))).unwrap();
        let paths: [&[u8]; 2] = [b"/in/a", b"/work/a"];
        let got = growth(&profile, &compiled, Move::Rename, paths, Owner::Other);
        assert_eq!(got.as_file, Verdict::Audit);
    }
}
