//! Profiles as people write them: in every layout, with comments everywhere.

/// A profile.
pub(in crate::profile::format) struct Messy {
    pub(in crate::profile::format) text: String,
    /// How many comments are in it: `# c0.`, `# c1.` and so on.
    pub(in crate::profile::format) comments: usize,
}

/// A text on its way, and the choices that make it.
struct Scribe {
    tape: std::vec::IntoIter<u8>,
    text: String,
    comments: usize,
}

/// Patterns of paths.
const PATHS: [&str; 10] = [
    "/a",
    "/etc/{a,b}/**",
    "/x y",
    "/a#b",
    "/it's",
    "/quo\"te",
    r"/back\\slash",
    "/[a-z]*",
    "/\u{e9}\u{65e5}",
    "/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/name",
];

/// Texts for people.
const TEXTS: [&str; 6] = [
    "plain",
    "with: a colon",
    "'quotes'",
    "yes",
    "# none",
    "words that go on and on, until the line has no room left for them, and that is some way to go",
];

const RIGHTS: [&str; 5] = ["read", "write", "map", "connect", "create"];

impl From<Vec<u8>> for Messy {
    fn from(tape: Vec<u8>) -> Self {
        let mut scribe = Scribe {
            tape: tape.into_iter(),
            text: String::new(),
            comments: 0,
        };
        scribe.file();
        Self {
            text: scribe.text,
            comments: scribe.comments,
        }
    }
}

impl Scribe {
    /// A number below `count`; 0 when the tape is at its end.
    fn choose(&mut self, count: usize) -> usize {
        usize::from(self.tape.next().unwrap_or(0)) % count
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn comment(&mut self) -> String {
        let comment = format!("# c{}. - [x]: {{", self.comments);
        self.comments += 1;
        comment
    }

    /// The end of a line, with or without a comment.
    fn end(&mut self) {
        if self.choose(4) == 1 {
            let comment = self.comment();
            self.put(&format!(" {comment}"));
        }
        self.put("\n");
    }

    /// Lines that are no values.
    fn lines(&mut self, indent: usize) {
        for _ in 0..self.choose(4).saturating_sub(1) {
            if self.choose(2) == 0 {
                self.put("\n");
            } else {
                let comment = self.comment();
                self.put(&format!("{:indent$}{comment}\n", ""));
            }
        }
    }

    /// A text in some quotes.
    fn quoted(&mut self, text: &str) -> String {
        match self.choose(3) {
            0 => format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")),
            1 => format!("'{}'", text.replace('\'', "''")),
            _ if text.starts_with('/') && !text.contains(['{', '[', '#']) => text.to_owned(),
            _ => format!("'{}'", text.replace('\'', "''")),
        }
    }

    fn path(&mut self) -> String {
        let at = self.choose(PATHS.len());
        self.quoted(PATHS[at])
    }

    fn prose(&mut self) -> String {
        let at = self.choose(TEXTS.len());
        self.quoted(TEXTS[at])
    }

    /// A list of words: on a line, on several in brackets, or with dashes.
    fn list(&mut self, words: &[String], indent: usize) {
        match self.choose(3) {
            0 => self.put(&format!(" [{}]", words.join(","))),
            1 => {
                self.put(" [");
                for word in words {
                    self.put(&format!("\n{:indent$}  {word} ,", ""));
                    self.end();
                    self.lines(indent);
                }
                self.put(&format!("{:indent$} ]", ""));
            }
            _ => {
                self.end();
                let inside = indent + 2 * self.choose(2);
                for word in words {
                    self.lines(inside);
                    self.put(&format!("{:inside$}- {word}", ""));
                    self.end();
                }
                // The comments behind are in the list or behind it.
                self.lines(indent);
                return;
            }
        }
        self.end();
    }

    fn rights(&mut self) -> Vec<String> {
        let count = 1 + self.choose(3);
        (0..count)
            .map(|_| {
                let at = self.choose(RIGHTS.len());
                RIGHTS[at].to_owned()
            })
            .collect()
    }

    fn rule(&mut self, indent: usize) {
        let path = self.path();
        let rights = self.rights();
        let reason = (self.choose(3) == 1).then(|| self.prose());
        self.lines(indent);
        self.put(&format!("{:indent$}- ", ""));
        match self.choose(3) {
            0 => {
                self.put(&format!("{{ allow: [{}], path: {path}", rights.join(", ")));
                if let Some(reason) = reason {
                    self.put(&format!(", reason: {reason}"));
                }
                self.put(" }");
                self.end();
            }
            1 => {
                self.put("{");
                self.end();
                self.put(&format!("{:indent$}   path: {path},", ""));
                self.end();
                self.lines(indent + 1);
                self.put(&format!("{:indent$}   allow:", ""));
                self.put(&format!(" [ {} ]", rights.join(" , ")));
                self.end();
                self.put(&format!("{:indent$}   }}", ""));
                self.end();
            }
            _ => {
                let inside = indent + 2;
                if let Some(reason) = reason {
                    self.put(&format!("reason: {reason}"));
                    self.end();
                    self.lines(inside);
                    self.put(&format!("{:inside$}", ""));
                }
                self.put(&format!("path: {path}"));
                self.end();
                self.lines(inside);
                self.put(&format!("{:inside$}allow:", ""));
                self.list(&rights, inside);
                self.lines(inside);
            }
        }
    }

    fn file(&mut self) {
        self.lines(0);
        let mut keys: Vec<usize> = (0..8).collect();
        while !keys.is_empty() {
            let at = self.choose(keys.len());
            let key = keys.remove(at);
            // All but the first two need not be there.
            if key > 1 && self.choose(3) == 0 {
                continue;
            }
            self.lines(0);
            self.key(key);
        }
        self.lines(0);
    }

    fn key(&mut self, key: usize) {
        match key {
            0 => {
                self.put("name: p");
                self.end();
            }
            1 => {
                self.put("mode: \"audit\"");
                self.end();
            }
            2 if self.choose(2) == 0 => {
                let text = self.prose();
                self.put(&format!("description:   {text}"));
                self.end();
            }
            2 => {
                self.put("description: >-");
                self.end();
                self.put("   two words\n\n   # no comment\n");
            }
            3 => {
                self.put("variables:");
                self.end();
                self.lines(3);
                for name in ["zeta", "alpha"] {
                    let value = self.path();
                    self.put(&format!("   {name}: {value}"));
                    self.end();
                    self.lines(3);
                }
            }
            4 => {
                self.put("paths:");
                self.end();
                let indent = 2 * self.choose(2);
                for _ in 0..=self.choose(4) {
                    self.rule(indent);
                }
                self.lines(indent);
            }
            5 => {
                self.put("privileges:");
                self.list(&["setuid".to_owned(), "kill".to_owned()], 0);
            }
            6 => {
                self.put("applies_to:");
                self.end();
                self.put("   executables:");
                let words = [self.path(), "/z".to_owned()];
                self.list(&words, 3);
            }
            _ => {
                self.put("on_violation: { tighten:");
                self.end();
                self.put("  off }");
                self.end();
            }
        }
    }
}
