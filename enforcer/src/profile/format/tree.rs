//! A file as its author sees it: values with the comments and blank lines around them.

/// A file.
#[derive(Debug)]
pub(super) struct Document {
    /// What stands above all keys, and belongs to none.
    pub(super) header: Vec<Line>,
    /// The keys.
    pub(super) top: Collection,
}

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    /// A word.
    Scalar(Scalar),
    /// A list; its entries have no keys.
    List(Collection),
    /// Keys with their values.
    Map(Collection),
}

/// What is in a list or a mapping.
#[derive(Debug, Default)]
pub(super) struct Collection {
    /// In their order.
    pub(super) entries: Vec<Entry>,
    /// Below the last entry.
    pub(super) below: Vec<Line>,
}

/// A value in its place.
#[derive(Debug)]
pub(super) struct Entry {
    /// Directly above it.
    pub(super) above: Vec<Line>,
    /// Its key, in a mapping.
    pub(super) key: Option<Scalar>,
    /// The comment behind the key, on the key's line, with the value below.
    pub(super) after_key: Option<String>,
    /// The value.
    pub(super) value: Value,
    /// The comment behind the value, on its last line.
    pub(super) after: Option<String>,
}

/// A line that is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing; several are one.
    Blank,
    /// A comment, from its `#`.
    Comment(String),
}

/// A word or a text.
#[derive(Debug)]
pub(super) struct Scalar {
    /// What it says.
    pub(super) text: String,
    /// Whether it had no quotes, and so may be more than text: a number, `true`.
    pub(super) plain: bool,
    /// Its lines, if its author wrote it as a block.
    pub(super) block: Option<Block>,
}

/// A text as a block of lines.
#[derive(Debug)]
pub(super) struct Block {
    /// Whether its line ends are spaces.
    pub(super) folded: bool,
    /// Whether the text ends with a line end.
    pub(super) ends: bool,
    /// Without their indentation, and without blank lines at the end.
    pub(super) lines: Vec<String>,
}

impl Document {
    /// Whether two files say the same in the same order, and have the same comments.
    pub(super) fn says_same(&self, other: &Self) -> bool {
        self.comments() == other.comments() && is_same_collection(&self.top, &other.top)
    }

    /// The comments. One that has no room behind its rule changes places with those in it,
    /// so they are in no order of the file's.
    fn comments(&self) -> Vec<&str> {
        let mut all = Vec::new();
        comments_of(&self.header, &mut all);
        collect(&self.top, &mut all);
        all.sort_unstable();
        all
    }
}

impl Line {
    /// The comment, if it is one.
    pub(super) fn comment(&self) -> Option<&str> {
        match self {
            Self::Blank => None,
            Self::Comment(text) => Some(text),
        }
    }
}

impl Collection {
    /// Whether there are comments in it.
    pub(super) fn has_comments(&self) -> bool {
        let mut all = Vec::new();
        collect(self, &mut all);
        !all.is_empty()
    }
}

fn comments_of<'a>(lines: &'a [Line], all: &mut Vec<&'a str>) {
    all.extend(lines.iter().filter_map(Line::comment));
}

fn collect<'a>(collection: &'a Collection, all: &mut Vec<&'a str>) {
    for entry in &collection.entries {
        comments_of(&entry.above, all);
        all.extend(entry.after_key.as_deref());
        match &entry.value {
            Value::Scalar(_) => {}
            Value::List(inner) | Value::Map(inner) => collect(inner, all),
        }
        all.extend(entry.after.as_deref());
    }
    comments_of(&collection.below, all);
}

fn is_same_collection(one: &Collection, other: &Collection) -> bool {
    let same = |(one, other): (&Entry, &Entry)| {
        let keys = match (&one.key, &other.key) {
            (Some(one), Some(other)) => is_same_scalar(one, other),
            (None, None) => true,
            _ => false,
        };
        keys && match (&one.value, &other.value) {
            (Value::Scalar(one), Value::Scalar(other)) => is_same_scalar(one, other),
            (Value::List(one), Value::List(other)) | (Value::Map(one), Value::Map(other)) => {
                is_same_collection(one, other)
            }
            _ => false,
        }
    };
    one.entries.len() == other.entries.len() && one.entries.iter().zip(&other.entries).all(same)
}

/// Whether both say the same, and have the same type.
fn is_same_scalar(one: &Scalar, other: &Scalar) -> bool {
    one.text == other.text
        && (one.plain == other.plain || !super::scalar::may_be_no_text(&one.text))
}
