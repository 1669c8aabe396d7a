//! The rights of a file rule: `rw`, `mrix`, `Px`.

/// Rights on files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a letter each")]
pub struct Modes {
    /// `r`.
    pub read: bool,
    /// `w`.
    pub write: bool,
    /// `a`.
    pub append: bool,
    /// `l`.
    pub link: bool,
    /// `k`.
    pub lock: bool,
    /// `m`.
    pub map: bool,
    /// The modes that end in `x`.
    pub exec: Option<Exec>,
}

/// How a program may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exec {
    /// Where it leads.
    pub to: ExecTo,
    /// Where it leads if there is no such profile.
    pub or: Fallback,
    /// Whether its environment is distrusted: the letter before the `x` is a capital.
    pub scrubs: bool,
}

/// Where an exec leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecTo {
    /// `x`: it does not say. In a deny.
    Unsaid,
    /// `ix`: the profile of who starts it.
    Inherit,
    /// `ux`: none.
    Unconfined,
    /// `px`: the program's own profile, or the one that is named.
    Profile,
    /// `cx`: a child.
    Child,
}

/// Where an exec leads if there is no such profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nowhere: it is refused.
    Nothing,
    /// `pix`: the profile of who starts it.
    Inherit,
    /// `pux`: no profile.
    Unconfined,
}

impl Modes {
    /// Everything but to start programs.
    pub(crate) const BASE: Self = Self {
        read: true,
        write: true,
        append: false,
        link: true,
        lock: true,
        map: true,
        exec: None,
    };

    /// Reads the letters; `None` if they are no rights.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut modes = Self::default();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some((exec, tail)) = exec(rest) {
                // More than one may be given if they are the same.
                if modes.exec.is_some_and(|other| other != exec) {
                    return None;
                }
                modes.exec = Some(exec);
                rest = tail;
                continue;
            }
            let flag = match letter {
                'r' | 'R' => &mut modes.read,
                'w' | 'W' => &mut modes.write,
                'a' => &mut modes.append,
                'l' | 'L' => &mut modes.link,
                'k' | 'K' => &mut modes.lock,
                'm' | 'M' => &mut modes.map,
                _ => return None,
            };
            *flag = true;
            rest = rest.get(1..)?;
        }
        let is_odd = text.is_empty() || modes.write && modes.append;
        (!is_odd).then_some(modes)
    }
}

/// Reads one mode that ends in `x`, and what follows it.
fn exec(text: &str) -> Option<(Exec, &str)> {
    let mut rest = text;
    let mut to = None;
    if let Some(tail) = rest.strip_prefix(['p', 'P']) {
        (to, rest) = (Some(ExecTo::Profile), tail);
    } else if let Some(tail) = rest.strip_prefix(['c', 'C']) {
        (to, rest) = (Some(ExecTo::Child), tail);
    }
    let mut or = None;
    if let Some(tail) = rest.strip_prefix(['i', 'I']) {
        (or, rest) = (Some(Fallback::Inherit), tail);
    } else if let Some(tail) = rest.strip_prefix(['u', 'U']) {
        (or, rest) = (Some(Fallback::Unconfined), tail);
    }
    let letters = text.len().saturating_sub(rest.len());
    let letters = text.get(..letters).unwrap_or_default();
    let scrubs = letters.contains(['P', 'C', 'U']);
    let rest = rest.strip_prefix(['x', 'X'])?;
    let exec = match (to, or) {
        (Some(to), or) => Exec {
            to,
            or: or.unwrap_or(Fallback::Nothing),
            scrubs,
        },
        (None, or) => Exec {
            to: match or {
                Some(Fallback::Inherit) => ExecTo::Inherit,
                Some(Fallback::Unconfined) => ExecTo::Unconfined,
                Some(Fallback::Nothing) | None => ExecTo::Unsaid,
            },
            or: Fallback::Nothing,
            scrubs,
        },
    };
    Some((exec, rest))
}

#[cfg(test)]
mod tests {
    use super::{ExecTo, Fallback, Modes};

    #[test]
    fn letters() {
        let exec = |to, or| Some((to, or));
        let (none, inherit, unconfined) =
            (Fallback::Nothing, Fallback::Inherit, Fallback::Unconfined);
        #[rustfmt::skip]
        let cases = [
            ("mrix", exec(ExecTo::Inherit, none)),       ("rPx",  exec(ExecTo::Profile, none)),
            ("px",   exec(ExecTo::Profile, none)),       ("Pix",  exec(ExecTo::Profile, inherit)),
            ("rmPUx", exec(ExecTo::Profile, unconfined)), ("Cx",  exec(ExecTo::Child, none)),
            ("cix",  exec(ExecTo::Child, inherit)),      ("CUx",  exec(ExecTo::Child, unconfined)),
            ("Ux",   exec(ExecTo::Unconfined, none)),    ("ux",   exec(ExecTo::Unconfined, none)),
            ("x",    exec(ExecTo::Unsaid, none)),        ("ixix", exec(ExecTo::Inherit, none)),
            ("rw",   None),
        ];
        for (text, want) in cases {
            let got = Modes::parse(text).unwrap().exec;
            assert_eq!(got.map(|exec| (exec.to, exec.or)), want, "{text}");
            let scrubs = text.contains(['P', 'C', 'U']);
            assert!(got.is_none_or(|exec| exec.scrubs == scrubs), "{text}");
        }
        let all = Modes::parse("rlkma").unwrap();
        assert!(all.read && all.link && all.lock && all.map && all.append && !all.write);
        for wrong in ["", "rz", "wa", "ixpx", "p", "dbus", "rm-"] {
            assert_eq!(Modes::parse(wrong), None, "{wrong}");
        }
    }
}
