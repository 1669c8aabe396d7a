use super::{files, patterns, without};
use crate::profile::Pattern;

/// Our patterns for one of AppArmor's.
fn ours(text: &str) -> Vec<String> {
    patterns(&files(text).unwrap()).unwrap()
}

#[test]
fn spelled_as_ours() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str]); 21] = [
        ("literal",             "/etc/passwd",         &["/etc/passwd"]),
        ("the root",            "/",                   &["/"]),
        ("a folder",            "/etc/",               &["/etc"]),
        ("in a folder",         "/etc/*",              &["/etc/*"]),
        ("folders in it",       "/etc/*/",             &["/etc/*"]),
        ("beneath it",          "/etc/**",             &["/etc/**"]),
        ("folders beneath it",  "/etc/**/",            &["/etc/**"]),
        ("it and beneath it",   "/etc/{,**}",          &["/etc{,/**}"]),
        ("the other way",       "/etc{,/,/**}",        &["/etc{,/**}"]),
        ("everything",          "/{,**}",              &["/{,**}"]),
        ("beneath a folder",    "/a/**/b",             &["/a/*/**/b"]),
        ("maybe beneath one",   "/a/{,**/}b",          &["/a/{,*/**/}b"]),
        ("a suffix",            "/a/**.so*",           &["/a/**.so*"]),
        ("a class",             "/a/[0-9a-f]",         &["/a/[0-9a-f]"]),
        ("all but dots",        "/a/[^.]*",            &["/a/[!.]*"]),
        ("a letter or a slash", "/a[^b]c",             &["/a{/,[!b]}c"]),
        ("escapes",             r"/\{a\}\054\x41",     &[r"/\{a\}\,A"]),
        ("a dollar",            "/${a,b}",             &[r"/\${a,b}"]),
        ("processes",           "/proc/[0-9]*/stat",   &["/proc/{self,[0-9]*}/stat"]),
        ("one process",         "/proc/1/stat",        &["/proc/1/stat"]),
        ("all of them",         "/proc/*/stat",        &["/proc/*/stat"]),
    ];
    for (name, text, want) in cases {
        assert_eq!(ours(text), want, "{name}");
    }
}

#[test]
fn mean_the_same() {
    // Columns: what it shows, AppArmor's, paths of ours that match, paths that do not.
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str], &[&str]); 9] = [
        ("stars next to braces", "/a/**{/,x}b",       &["/a/c/b", "/a/cxb", "/a/xb"],         &["/a", "/a/b"]),
        ("stars or a name",      "/a/{**,b}/c",       &["/a/b/c", "/a/x/y/c"],                &["/a/c", "/c"]),
        ("a star or a folder",   "/a/*{,/}",          &["/a", "/a/x"],                        &["/a/x/y", "/"]),
        ("a class and a slash",  "/k[^r]*{,/**}",     &["/k", "/kx", "/k/x", "/kxy/z"],       &["/kr", "/krx"]),
        ("hidden ones",          "/h/[^.]*/{,**/}",   &["/h/a", "/h/a/b"],                    &["/h", "/h/.a"]),
        ("a suffix of folders",  "/a/**b/",           &["/a/b", "/a/c/xb"],                   &["/ab", "/a/c"]),
        ("in a name",            "/a**",              &["/a", "/ab", "/a/b"],                 &["/", "/b"]),
        ("a star and a star",    "/{a*,b}{*c,d}",     &["/a.c", "/ad", "/b.c"],               &["/a/c", "/b/c"]),
        ("three stars",          "/a/***",            &["/a/b", "/a/b/c"],                    &["/a"]),
    ];
    for (name, text, yes, no) in cases {
        let ours: Vec<Pattern> = ours(text)
            .iter()
            .map(|text| Pattern::parse(text).unwrap())
            .collect();
        let matches = |path: &str| ours.iter().any(|one| one.matches(path.as_bytes()));
        for path in yes {
            assert!(matches(path), "{name}: {path} {ours:?}");
        }
        for path in no {
            assert!(!matches(path), "{name}: {path} {ours:?}");
        }
    }
}

#[test]
fn without_some_paths() {
    let paths: [&[u8]; 3] = [b"/usr/bin/man", b"/usr/bin/mandb", b"/usr/bin/x/y"];
    for text in ["/usr/bin/*", "/usr/{s,}bin/**", "/**", "/usr/bin/m*n*"] {
        let all = files(text).unwrap();
        let less = patterns(&without(&all, &paths).unwrap()).unwrap();
        let [all, less] = [patterns(&all).unwrap(), less].map(|texts| {
            let parse = |text: &String| Pattern::parse(text).unwrap();
            texts.iter().map(parse).collect::<Vec<_>>()
        });
        let matches = |patterns: &[Pattern], path: &[u8]| {
            patterns.iter().any(|pattern| pattern.matches(path))
        };
        let others: [&[u8]; 7] = [
            b"/usr/bin/ma",
            b"/usr/bin/manx",
            b"/usr/bin/mandbx",
            b"/usr/bin/x",
            b"/usr/bin/x/yz",
            b"/usr/bin/mxn",
            b"/bin/man",
        ];
        for path in others {
            assert_eq!(matches(&less, path), matches(&all, path), "{text} {path:?}");
        }
        for path in paths {
            assert!(!matches(&less, path), "{text} {}", path.escape_ascii());
        }
    }
}

#[test]
fn refuse() {
    #[rustfmt::skip]
    let cases = [
        ("relative",        "etc/x",   "does not begin"),
        ("an open brace",   "/{a,b",   "without its `}`"),
        ("a stray brace",   "/a}",     "without its `{`"),
        ("one alternative", "/{a}",    "one alternative"),
        ("an open class",   "/[a",     "without its `]`"),
        ("nothing",         "/[]",     "no byte"),
        ("at the end",      "/a\\",    "at the end"),
    ];
    for (name, text, want) in cases {
        let fault = files(text).unwrap_err().to_string();
        assert!(fault.contains(want), "{name}: {fault}");
    }
    let never = patterns(&files("/a/../b").unwrap()).unwrap_err();
    assert!(never.to_string().contains("no path"), "{never}");
}
