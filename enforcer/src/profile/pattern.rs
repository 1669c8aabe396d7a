//! A glob over paths.

use std::fmt;

use enforcer_abi::endpoint;
use regex_automata::nfa::thompson;
use regex_syntax::hir::Hir;

use super::{
    determinize,
    glob::{self, GlobError},
    lower,
};

/// A glob over paths, read and understood.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    prefix: Vec<u8>,
    hir: Hir,
}

impl Pattern {
    /// Reads the glob `text`, in which no variable is left.
    ///
    /// # Errors
    ///
    /// What is wrong, with its place in `text`.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let nodes = glob::parse(text)?;
        let hir = lower::lower(&nodes)?;
        Ok(Self {
            text: text.to_owned(),
            prefix: lower::literal_prefix(&nodes),
            hir,
        })
    }

    /// The pattern of names of networks, which `text` tells from others.
    pub(super) fn of_network(text: String, hir: Hir) -> Self {
        Self {
            text,
            prefix: vec![endpoint::PREFIX],
            hir,
        }
    }

    /// Whether it is about networks, and not about paths.
    pub fn is_of_network(&self) -> bool {
        self.prefix.first() == Some(&endpoint::PREFIX)
    }

    /// The text it was read from. Two patterns with one text are the same.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes with which every path that matches starts.
    pub fn literal_prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The glob as a regular expression over bytes, to be matched against a
    /// whole path.
    pub fn hir(&self) -> &Hir {
        &self.hir
    }

    /// Whether `path` matches. Reads the pattern anew for this one answer: to ask often,
    /// compile a profile.
    pub fn matches(&self, path: &[u8]) -> bool {
        let nfa = thompson::Compiler::new()
            .configure(super::automaton::nfa_config())
            .build_from_hir(&self.hir);
        // The limit on a pattern's text keeps it far from what is too large.
        nfa.is_ok_and(|nfa| determinize::matches(&nfa, path))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

/// Shows the pattern's text.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::Escaped(self.text.as_bytes()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn matches() {
        #[rustfmt::skip]
        let cases: [(&str, &str, &[&str], &[&str]); 31] = [
            ("literal",             "/a/b",             &["/a/b"],                        &["/a", "/a/bc", "/a/b/c", "/A/b"]),
            ("root",                "/",                &["/"],                           &["/a", ""]),
            ("star",                "/a/*.c",           &["/a/.c", "/a/x.c", "/a/x.c.c"], &["/a/b/x.c", "/a/x.cc", "/a/"]),
            ("star as a name",      "/a/*",             &["/a/x", "/a/.x"],               &["/a", "/a/x/y"]),
            ("star at the root",    "/*",               &["/a"],                          &["/", "/a/b"]),
            ("star in the middle",  "/a/*/c",           &["/a/b/c"],                      &["/a/c", "/a/b/b/c"]),
            ("question mark",       "/a?c",             &["/abc", "/a?c"],                &["/ac", "/a/c", "/abbc"]),
            ("bytes, not letters",  "/??",              &["/é", "/ab"],                   &["/a", "/éa"]),
            ("class",               "/[a-cx]",          &["/a", "/c", "/x"],              &["/d", "/-", "/"]),
            ("negated class",       "/a[!a-c]d",        &["/axd", "/a]d"],                &["/abd", "/a/d", "/ad"]),
            ("negated by caret",    "/a[^b]",           &["/ac", "/a^"],                  &["/ab", "/a"]),
            ("bracket in class",    "/[]x]",            &["/]", "/x"],                    &["/["]),
            ("dash in class",       "/[x-]",            &["/-", "/x"],                    &["/y"]),
            ("escape in class",     r"/[\]\\]",         &["/]", r"/\"],                   &["/x"]),
            ("slash in a range",    "/a[--9]b",         &["/a-b", "/a.b", "/a0b"],        &["/a/b"]),
            ("alternatives",        "/{a,bc}/d",        &["/a/d", "/bc/d"],               &["/b/d", "/a,bc/d", "/d"]),
            ("empty alternative",   "/a{,.gz}",         &["/a", "/a.gz"],                 &["/a.", "/a.gz.gz"]),
            ("nested",              "/{a{b,c},d}",      &["/ab", "/ac", "/d"],            &["/a", "/ad"]),
            ("slash in braces",     "/{usr/,}bin/x",    &["/usr/bin/x", "/bin/x"],        &["/usr/x"]),
            ("all in braces",       "{/a,/b/*}",        &["/a", "/b/c"],                  &["/b"]),
            ("beneath",             "/a/**",            &["/a/b", "/a/b/c"],              &["/a", "/ab", "/b"]),
            ("beneath the root",    "/**",              &["/a", "/a/b"],                  &["/"]),
            ("itself and beneath",  "/a{,/**}",         &["/a", "/a/b", "/a/b/c"],        &["/ab"]),
            ("directories",         "/a/**/b",          &["/a/b", "/a/x/b", "/a/x/y/b"],  &["/ab", "/a/xb", "/a/b/c"]),
            ("directories twice",   "/**/a/**/b",       &["/a/b", "/x/a/y/z/b"],          &["/b", "/xa/b"]),
            ("twice in a row",      "/a/**/**/b",       &["/a/b", "/a/x/b", "/a/x/y/b"],  &["/axb"]),
            ("in an alternative",   "/a/{**/,}b",       &["/a/b", "/a/x/b"],              &["/a/xb"]),
            ("the other way",       "/a{/**,}/b",       &["/a/b", "/a/x/b"],              &["/axb"]),
            ("within a name",       "/a**b",            &["/ab", "/axb", "/a/x/b"],       &["/a/x"]),
            ("before a suffix",     "/a/**.c",          &["/a/.c", "/a/x.c", "/a/x/y.c"], &["/a.c"]),
            ("escapes",             r"/\*\{a\,\}\[\\",  &[r"/*{a,}[\"],                   &[r"/x{a,}[\"]),
        ];
        for (name, text, yes, no) in cases {
            let pattern = Pattern::parse(text).unwrap();
            for path in yes {
                assert!(pattern.matches(path.as_bytes()), "{name}: {text} {path}");
            }
            for path in no {
                assert!(!pattern.matches(path.as_bytes()), "{name}: {text} {path}");
            }
        }
    }

    #[test]
    fn any_byte() {
        let pattern = Pattern::parse(r"/\xff\x2f[\x80-\xfe]*").unwrap();
        assert!(pattern.matches(b"/\xff/\x80"));
        assert!(pattern.matches(b"/\xff/\xfe\xff\n"));
        assert!(!pattern.matches(b"/\xff/\xff"));
    }

    #[test]
    fn refuse() {
        let long = format!("/{}", "a".repeat(4096));
        let deep = format!("/{}{}", "{".repeat(17), "a,b}".repeat(17));
        // Columns: what it shows, text, byte offset, part of the message.
        #[rustfmt::skip]
        let cases = [
            ("relative",              "etc/x",      0, "not absolute"),
            ("nothing",               "",           0, "not absolute"),
            ("relative alternative",  "{/a,b}",     0, "not absolute"),
            ("relative by nothing",   "{/a,}b",     0, "not absolute"),
            ("stars first",           "**/a",       0, "not absolute"),
            ("ends in a slash",       "/etc/",      0, "leave out the `/`"),
            ("two slashes",           "/etc//x",    0, "one `/`"),
            ("dot",                   "/etc/./x",   0, "`.` and `..`"),
            ("dot dot",               "/etc/..",    0, "`.` and `..`"),
            ("too long",              &long,        0, "4097 bytes"),
            ("too deep",              &deep,       17, "16 deep"),
            ("escape at the end",     r"/a\",       2, "nothing behind it"),
            ("escape of a letter",    r"/a\n",      2, "unknown escape"),
            ("escape of half a byte", r"/a\xf",     2, "unknown escape"),
            ("escape with a sign",    r"/a\x+f",    2, "unknown escape"),
            ("nul",                   r"/a\x00",    2, "NUL"),
            ("nul itself",            "/a\0",       2, "NUL"),
            ("open class",            "/x[a-",      2, "without its `]`"),
            ("empty class",           "/x[]",       2, "without its `]`"),
            ("reversed range",        "/x[b-a]",    2, "from the greater"),
            ("slash in class",        "/x[a/]",     2, "never matches `/`"),
            ("wide class",            "/x[aé]",     4, "single bytes"),
            ("open braces",           "/x{a,b",     2, "without its `}`"),
            ("stray brace",           "/xa}b",      3, "without its `{`"),
            ("one alternative",       "/x{a}",      2, "single alternative"),
            ("no alternative",        "/x{}",       2, "single alternative"),
            ("stars, maybe a name",   "{/a/,/b}**/c", 8, "may or may not"),
            ("stars between braces",  "/{a,**}/b",  4, "may or may not"),
            ("stars before braces",   "/**{/a,b}",  1, "may or may not"),
        ];
        for (name, text, offset, want) in cases {
            let error = Pattern::parse(text).unwrap_err();
            assert_eq!(error.offset, offset, "{name}: {error}");
            assert!(error.to_string().contains(want), "{name}: {error}");
        }
    }

    #[test]
    fn literal_prefixes() {
        #[rustfmt::skip]
        let cases = [
            ("literal",       "/a/b",       "/a/b"),
            ("star",          "/a/b*",      "/a/b"),
            ("stars",         "/a/**/b",    "/a/"),
            ("braces",        "/a{,/**}",   "/a"),
            ("escape",        r"/a\*/*",    "/a*/"),
        ];
        for (name, text, prefix) in cases {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.literal_prefix(), prefix.as_bytes(), "{name}");
        }
    }
}
