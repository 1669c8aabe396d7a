//! Why a profile grants or refuses an access.

use enforcer_abi::{Access, Verdict, decide};

use super::{Compiled, Profile, Rule, Target};

/// How many rules are named that come near a path which none grants.
const NEAREST: usize = 3;

/// Why a profile grants or refuses an access.
#[derive(Clone, Debug)]
#[must_use]
pub struct Explanation<'a> {
    /// What becomes of the access.
    pub verdict: Verdict,
    /// The rights that it needs.
    pub requested: Access,
    /// The rights that the profile grants on the path.
    pub granted: Access,
    /// The rights that it needs and that are not granted.
    pub missing: Access,
    /// Those of them that are granted on what belongs to the task's user.
    pub owned: Access,
    /// The rights that it needs of which a use is told, though it is granted.
    pub audit: Access,
    /// Whether a rule wants nothing told of it, if it is refused.
    pub is_quiet: bool,
    /// The rules that grant one of the rights that it needs, whether a deny takes it
    /// away again or not.
    pub granting: Vec<&'a Rule>,
    /// The rules that deny one of the rights that it needs.
    pub denying: Vec<&'a Rule>,
    /// If no rule grants what is missing: the rules that come nearest, those first
    /// that match the path with other rights.
    pub nearest: Vec<&'a Rule>,
    /// Where an exec of the path leads, if the profile grants it.
    pub target: Option<&'a Target>,
}

/// To whom an object belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// To the user as whom the task acts; or it is not there yet, and will.
    Task,
    /// To another.
    Other,
}

/// Explains what `profile`, compiled to `compiled`, says to an access of what belongs to
/// `owner` at `path`, which needs the rights `requested`. `path` may be a name of something
/// of a network.
pub fn explain<'a>(
    profile: &'a Profile,
    compiled: &Compiled,
    requested: Access,
    path: &[u8],
    owner: Owner,
) -> Explanation<'a> {
    let judgement = compiled.judge(path);
    let reach = judgement.outcome.reach();
    let granted = reach.granted(owner == Owner::Task);
    let missing = requested.missing_from(granted);
    let matching: Vec<&Rule> = profile.rules_at(&judgement.rules.granting).collect();
    // The table leaves out denies where nothing is allowed anyway; people want to see them.
    let mut decided = requested;
    if !profile.metadata {
        decided = decided.missing_from(Access::METADATA);
    }
    let mut denying: Vec<&Rule> = profile.rules.iter().collect();
    denying.retain(|rule| !(rule.deny & decided).is_empty() && rule.pattern.matches(path));

    let denied = denying
        .iter()
        .fold(Access::NONE, |all, rule| all | rule.deny);
    let nearest = if missing.missing_from(denied).is_empty() {
        Vec::new()
    } else {
        nearest(profile, &matching, path)
    };
    let target = target(&matching, granted);
    Explanation {
        verdict: decide(profile.mode.for_kernel(), requested, granted),
        requested,
        granted,
        missing,
        owned: missing & reach.granted(true),
        audit: requested & granted & judgement.outcome.audit,
        is_quiet: !missing.is_empty() && judgement.outcome.quiet.contains(missing),
        granting: matching
            .into_iter()
            .filter(|rule| !(rule.allow & requested).is_empty())
            .collect(),
        denying,
        nearest,
        target,
    }
}

/// Where an exec leads of paths that match these rules, if that is granted.
pub(super) fn target<'a>(rules: &[&'a Rule], granted: Access) -> Option<&'a Target> {
    let mut running = rules
        .iter()
        .filter(|rule| (rule.allow & granted).contains(Access::EXECUTE));
    running.find_map(|rule| rule.target.as_ref())
}

/// The allow-rules that come nearest to granting something on `path`: those that
/// match it, then those whose patterns begin most like it.
fn nearest<'a>(profile: &'a Profile, matching: &[&'a Rule], path: &[u8]) -> Vec<&'a Rule> {
    let mut near: Vec<(bool, usize, &Rule)> = profile
        .rules
        .iter()
        .filter(|rule| rule.deny.is_empty())
        .map(|rule| {
            let matches = matching.iter().any(|other| std::ptr::eq(*other, rule));
            (
                matches,
                common_prefix(rule.pattern.literal_prefix(), path),
                rule,
            )
        })
        // Every pattern begins with a `/`, so that much means nothing.
        .filter(|&(matches, common, _)| matches || common > 1)
        .collect();
    near.sort_by_key(|&(matches, common, _)| std::cmp::Reverse((matches, common)));
    near.truncate(NEAREST);
    near.into_iter().map(|(_, _, rule)| rule).collect()
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use enforcer_abi::{Access, Slot, Verdict};

    use super::{Owner, explain};
    use crate::profile::{Profile, Target, compile};

    const TEXT: &str = r"
name: p
mode: enforce
paths:
  - { path: /srv/www/**, allow: [read, write] }
  - { path: /srv/www/index.html, allow: [read] }
  - { path: /srv/logs/*.log, allow: [append] }
  - { path: /**/.git/**, deny: [all] }
  - { path: /srv/www/static/**, deny: [write] }
  - { path: /etc/hosts, allow: [read] }
exec:
  - { path: /bin/x, profile: q }
";

    #[test]
    fn explanations() {
        let (read, write, execute) = (Access::READ, Access::WRITE, Access::EXECUTE);
        // Columns: what it shows, rights, path, verdict, lines of the rules that grant, that
        // deny, that come near.
        #[rustfmt::skip]
        let cases: [(&str, Access, &str, Verdict, &[u32], &[u32], &[u32]); 10] = [
            ("granted",              read,         "/srv/www/a",          Verdict::Allow, &[5],    &[],  &[]),
            ("granted twice",        read,         "/srv/www/index.html", Verdict::Allow, &[5, 6], &[],  &[]),
            ("only what is asked",   write,        "/srv/www/index.html", Verdict::Allow, &[5],    &[],  &[]),
            ("denied",               read,         "/srv/www/.git/a",     Verdict::Deny,  &[],     &[8], &[]),
            ("denied, not granted",  read,         "/root/.git/a",        Verdict::Deny,  &[],     &[8], &[]),
            ("denied in part",       read | write, "/srv/www/static/a",   Verdict::Deny,  &[5],    &[9], &[]),
            ("another right denied", read,         "/srv/www/static/a",   Verdict::Allow, &[5],    &[],  &[]),
            ("not granted",          read,         "/srv/logs/a.log",     Verdict::Deny,  &[],     &[],  &[7, 5, 6]),
            ("nothing like it",      read,         "/root/a",             Verdict::Deny,  &[],     &[],  &[]),
            ("an exec",              execute,      "/bin/x",              Verdict::Allow, &[12],   &[],  &[]),
        ];
        let profile = Profile::parse(TEXT, Path::new("p.yaml"), Path::new("")).unwrap();
        let compiled = compile(&profile, &|_| Some(Slot(3))).unwrap();
        for (name, requested, path, verdict, granting, denying, nearest) in cases {
            let got = explain(
                &profile,
                &compiled,
                requested,
                path.as_bytes(),
                Owner::Other,
            );
            let lines = |rules: &[&super::Rule]| -> Vec<u32> {
                rules.iter().map(|rule| rule.origin.line).collect()
            };
            assert_eq!(got.verdict, verdict, "{name}");
            assert_eq!(lines(&got.granting), granting, "{name}");
            assert_eq!(lines(&got.denying), denying, "{name}");
            assert_eq!(lines(&got.nearest), nearest, "{name}");
            assert_eq!(got.missing, requested.missing_from(got.granted), "{name}");
            let target = (path == "/bin/x").then(|| Target::Profile("q".to_owned()));
            assert_eq!(got.target, target.as_ref(), "{name}");
        }
    }

    #[test]
    fn metadata_is_granted_by_no_rule() {
        let profile = Profile::parse(TEXT, Path::new("p.yaml"), Path::new("")).unwrap();
        let compiled = compile(&profile, &|_| Some(Slot(3))).unwrap();
        for path in ["/root/a", "/srv/www/.git/a"] {
            let path = path.as_bytes();
            let got = explain(&profile, &compiled, Access::METADATA, path, Owner::Other);
            assert_eq!(got.verdict, Verdict::Allow, "{path:?}");
            assert!(
                got.granting.is_empty() && got.denying.is_empty(),
                "{path:?}"
            );
        }
    }

    #[test]
    fn audit_lets_through() {
        let text = TEXT.replace("enforce", "audit");
        let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
        let compiled = compile(&profile, &|_| Some(Slot(3))).unwrap();
        let path = b"/etc/shadow";
        let got = explain(&profile, &compiled, Access::READ, path, Owner::Other);
        assert_eq!((got.verdict, got.missing), (Verdict::Audit, Access::READ));
    }
}
