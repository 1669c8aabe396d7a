//! The form of a unit's file, and of its values.

use crate::draft::sketch::ANY;

/// A line of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::draft) struct Setting {
    pub(in crate::draft) section: String,
    pub(in crate::draft) key: String,
    pub(in crate::draft) value: String,
}

/// Reads the text of a unit. What is not understood is passed over, as systemd does.
pub(in crate::draft) fn parse(text: &str) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.starts_with(['#', ';']) {
            continue;
        }
        // A line that ends in a backslash goes on; comments in between do not count.
        while line.ends_with('\\') {
            line.pop();
            let mut rest = lines.by_ref().map(str::trim);
            let Some(next) = rest.find(|next| !next.starts_with(['#', ';'])) else {
                break;
            };
            line.push(' ');
            line.push_str(next);
        }
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            settings.push(Setting {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            });
        }
    }
    settings
}

/// The words of a value, without their quotes.
pub(in crate::draft) fn words(value: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// A value of the unit `name` with what `%` stands for. `None` where that is not known
/// before it runs. What is another in each instance becomes [`ANY`].
pub(in crate::draft) fn expand(value: &str, name: &str) -> Option<String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let any = ANY.to_string();
    let is_template = stem.ends_with('@');
    let instance = if is_template { &any } else { instance };
    let mut text = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next()? {
            '%' => text.push('%'),
            'i' | 'I' => text.push_str(instance),
            'n' | 'N' if is_template => return None,
            'n' => text.push_str(name),
            'N' => text.push_str(stem),
            'p' | 'P' => text.push_str(prefix),
            'j' | 'J' => text.push_str(prefix.rsplit('-').next().unwrap_or(prefix)),
            't' => text.push_str("/run"),
            'S' => text.push_str("/var/lib"),
            'C' => text.push_str("/var/cache"),
            'L' => text.push_str("/var/log"),
            'E' => text.push_str("/etc"),
            'T' => text.push_str("/tmp"),
            'V' => text.push_str("/var/tmp"),
            _ => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::{Setting, expand, parse, words};

    #[test]
    fn lines_of_a_unit() {
        let text = "\
# none
[Unit]
Description = a = b
[Service]
ExecStart=/bin/a \\
# between
  --b
; none
nonsense
PIDFile=
";
        let setting = |section: &str, key: &str, value: &str| Setting {
            section: section.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let want = [
            setting("Unit", "Description", "a = b"),
            setting("Service", "ExecStart", "/bin/a  --b"),
            setting("Service", "PIDFile", ""),
        ];
        assert_eq!(parse(text), want);
    }

    #[test]
    fn words_of_a_value() {
        #[rustfmt::skip]
        let cases: [(&str, &str, &[&str]); 5] = [
            ("plain",     " a  b ",             &["a", "b"]),
            ("quotes",    r#"a "b c" 'd "e'"#,  &["a", "b c", "d \"e"]),
            ("in a word", r"-g'x y;'",          &["-gx y;"]),
            ("escapes",   r"a\ b \\",           &["a b", r"\"]),
            ("empty",     "'' ",                &[""]),
        ];
        for (name, value, want) in cases {
            assert_eq!(words(value), want, "{name}");
        }
    }

    #[test]
    fn what_stands_for_something_else() {
        #[rustfmt::skip]
        let cases = [
            ("nothing",          "/run/x",   "a.service",    Some("/run/x")),
            ("a folder",         "%t/%p%%",  "a.service",    Some("/run/a%")),
            ("an instance",      "/x/%i/%n", "a@b.service",  Some("/x/b/a@b.service")),
            ("any instance",     "/x-%i.conf", "a@.service", Some("/x-\u{1}.conf")),
            ("its whole name",   "/x/%N",    "a@.service",   None),
            ("a user's home",    "%h/x",     "a.service",    None),
            ("cut off",          "/x%",      "a.service",    None),
        ];
        for (name, value, unit, want) in cases {
            assert_eq!(expand(value, unit).as_deref(), want, "{name}");
        }
    }
}
