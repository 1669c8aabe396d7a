//! Rules about files.
//!
//! Which of AppArmor's letters stands for what is in the kernel, `map_old_perms` of
//! `security/apparmor/policy_compat.c`: `w` is also to create, to remove and to change
//! mode and owner, and it is what a socket's path asks of who connects; `a` is nothing but
//! to append. Locks are asked of nobody here. A link is a name that is made, which here
//! `create` is for: who has `w` may make it, which takes `l` in AppArmor. Neither lets a file
//! have more rights under a new name.

use enforcer_abi::Access;

use super::{Converter, Made, MadeKind, exec::Draft};
use crate::apparmor::{
    error::Fault,
    glob::{self, Sequence},
    parser::Modes,
    policy::{Rule, RuleKind},
    report::{Finding, Fit},
};

/// What `w` stands for.
const WRITES: Access = Access(
    Access::WRITE.0
        | Access::CREATE.0
        | Access::REMOVE.0
        | Access::ATTRIBUTES.0
        | Access::CONNECT.0,
);

impl Modes {
    /// Our rights for these, but for exec.
    fn rights(self) -> Access {
        let pairs = [
            (self.read, Access::READ),
            (self.write, WRITES),
            (self.append, Access::APPEND),
            (self.map, Access::MAP),
        ];
        let granted = pairs.into_iter().filter(|(has, _)| *has);
        granted.fold(Access::NONE, |all, (_, rights)| all | rights)
    }
}

impl Converter<'_> {
    pub(super) fn file(
        &mut self,
        at: usize,
        rule: &Rule,
        execs: &mut Vec<Draft>,
    ) -> Result<(), Fault> {
        let RuleKind::File {
            path,
            modes,
            target,
        } = &rule.kind
        else {
            return Ok(());
        };
        let texts = self.expand(path)?;
        let mut all = Vec::new();
        for text in &texts {
            match glob::files(text) {
                Ok(sequences) => {
                    if let Some(exec) = modes.exec
                        && !rule.qualifiers.deny
                    {
                        execs.push(Draft {
                            rule: at,
                            exact: is_exact(text),
                            sequences: sequences.clone(),
                            exec,
                            named: target.clone(),
                        });
                    }
                    all.extend(sequences);
                }
                Err(fault) => {
                    let why = fault.to_string();
                    self.differs(at, Finding::new(rule, "file", Fit::LeftOut, why));
                }
            }
        }
        let mut rights = modes.rights();
        if rule.qualifiers.deny {
            if modes.exec.is_some() {
                rights |= Access::EXECUTE;
            }
            if (modes.link || modes.lock) && rights.is_empty() {
                let why = "links and locks are not refused by themselves";
                self.differs(at, Finding::new(rule, "file", Fit::LeftOut, why));
                return Ok(());
            }
            // Where no file may be made, no link may be.
            if modes.link && !modes.write {
                let why = "links are not refused by themselves: where `w` is granted, they may be \
                           made; to refuse both, deny `w`, too";
                self.differs(at, Finding::new(rule, "link", Fit::Wider, why));
            }
        } else if modes.link && !modes.write {
            rights |= Access::CREATE;
            let why = "who may make a link there may make a file";
            self.differs(at, Finding::new(rule, "link", Fit::Wider, why));
        }
        let links = modes.write && !modes.link && !rule.qualifiers.deny;
        let is_made = self.path_rules(at, rule, &all, rights);
        self.linking += usize::from(is_made && links);
        Ok(())
    }

    /// Takes down that `w` lets links be made, once for all rules: nearly every profile has
    /// some. So it is no finding about a rule, and each counts as equal if it is but for links.
    pub(super) fn links_at_last(&mut self) {
        let rules = match self.linking {
            0 => return,
            1 => "1 rule with `w` and without `l` lets".to_owned(),
            count => format!("{count} rules with `w` and without `l` let"),
        };
        let why = format!(
            "{rules} links be made where files may be made; no link gives more rights than its \
             target has"
        );
        let section = self.section;
        self.differs_as_a_whole("link", Fit::Wider, &why, &section.name);
    }

    /// `link PATH -> OTHER`.
    pub(super) fn link(&mut self, at: usize, rule: &Rule, path: &str) -> Result<(), Fault> {
        if rule.qualifiers.deny {
            let why = "links are not refused by themselves";
            self.differs(at, Finding::new(rule, "link", Fit::LeftOut, why));
            return Ok(());
        }
        let mut all = Vec::new();
        for text in self.expand(path)? {
            all.extend(glob::files(&text).unwrap_or_default());
        }
        let why = "who may make a link there may make a file, and link to whatever has no other \
                   rights";
        self.differs(at, Finding::new(rule, "link", Fit::Wider, why));
        self.path_rules(at, rule, &all, Access::CREATE);
        Ok(())
    }

    /// Makes rules of ours for `rights`, and tells whether there are any.
    fn path_rules(
        &mut self,
        at: usize,
        rule: &Rule,
        sequences: &[Sequence],
        rights: Access,
    ) -> bool {
        // A rule about locks alone, or of which only an exec came.
        if rights.is_empty() || sequences.is_empty() {
            return false;
        }
        let qualifiers = &rule.qualifiers;
        if qualifiers.deny && qualifiers.owner {
            // Without it the owner would have what AppArmor refuses. So it errs on the side of
            // refusing.
            let why = "a deny is for whoever owns the file: what belongs to others is refused, \
                       too; if the program needs that, remove the deny";
            self.differs(at, Finding::new(rule, "file", Fit::Narrower, why));
        }
        let kind = if qualifiers.deny {
            MadeKind::Deny(rights)
        } else {
            MadeKind::Allow(rights)
        };
        let told = self.is_told(qualifiers);
        match glob::patterns(sequences) {
            Ok(patterns) => {
                for pattern in patterns {
                    self.made.add(Made {
                        pattern,
                        kind: kind.clone(),
                        owner: qualifiers.owner && !qualifiers.deny,
                        told,
                        cut: false,
                        from: rule.from.clone(),
                        sources: vec![at],
                    });
                }
                true
            }
            Err(fault) => {
                let why = fault.to_string();
                self.differs(at, Finding::new(rule, "file", Fit::LeftOut, why));
                false
            }
        }
    }

    /// Grants, or with a `deny` refuses, everything: `all`, or a profile's `default_allow`.
    pub(super) fn everything(&mut self, rule: Option<(usize, &Rule)>) {
        let sequences = glob::files(super::super::parser::EVERY_FILE).unwrap_or_default();
        let patterns = glob::patterns(&sequences).unwrap_or_default();
        let qualifiers = rule.map(|(_, rule)| rule.qualifiers.clone());
        let qualifiers = qualifiers.unwrap_or_default();
        let told = self.is_told(&qualifiers);
        let rights = Access::READ | WRITES | Access::MAP;
        let kinds = if qualifiers.deny {
            vec![MadeKind::Deny(rights | Access::EXECUTE)]
        } else {
            vec![
                MadeKind::Allow(rights),
                MadeKind::Exec(crate::profile::Target::Inherit),
            ]
        };
        for pattern in patterns {
            for kind in &kinds {
                self.made.add(Made {
                    pattern: pattern.clone(),
                    kind: kind.clone(),
                    owner: false,
                    told,
                    cut: false,
                    from: rule.and_then(|(_, rule)| rule.from.clone()),
                    sources: rule.map(|(at, _)| at).into_iter().collect(),
                });
            }
        }
        self.every_privilege(rule);
        self.every_network(rule.map(|(_, rule)| rule));
    }
}

/// Whether a text is nothing but paths, so that it wins over patterns: braces are as good as
/// written out. What is escaped is no pattern.
fn is_exact(text: &str) -> bool {
    let mut escaped = false;
    !text.chars().any(|c| {
        let is_pattern = !escaped && "*?[".contains(c);
        escaped = !escaped && c == '\\';
        is_pattern
    })
}
