//! The rules that make a difference.

use enforcer_abi::Access;

use crate::profile::{Difference, Rule, Telling};

/// Rules that make a difference, each with what it has to do with it.
pub(super) type Reasons<'a> = Vec<(&'static str, &'a Rule)>;

/// The rules that make a difference.
pub(super) fn reasons<'a>(difference: &Difference<'a>) -> Reasons<'a> {
    let Difference { before, after, .. } = difference;
    let (mut gained, mut lost) = (difference.gained(), difference.lost());
    if difference.leads_elsewhere() {
        gained |= Access::EXECUTE;
        lost |= Access::EXECUTE;
    }
    for other in &difference.ends {
        gained |= other.rights;
        lost |= other.rights;
    }
    let mut reasons = Vec::new();
    let mut add = |role, rules: &[&'a Rule], which: &dyn Fn(&Rule) -> bool| {
        reasons.extend(
            rules
                .iter()
                .filter(|rule| which(rule))
                .map(|&rule| (role, rule)),
        );
    };
    let meets = |one: Access, other: Access| !(one & other).is_empty();
    add("granted by", &after.rules, &|rule| {
        meets(rule.allow, gained)
    });
    add("denied by", &after.rules, &|rule| meets(rule.deny, lost));
    add("was granted by", &before.rules, &|rule| {
        meets(rule.allow, lost)
    });
    add("was denied by", &before.rules, &|rule| {
        meets(rule.deny, gained)
    });
    let [audited, unaudited] = difference.audit();
    let [quieted, unquieted] = difference.quiet();
    let is_audit =
        |rule: &Rule, rights| rule.telling == Telling::Audit && meets(rule.allow, rights);
    let is_quiet = |rule: &Rule, rights| rule.telling == Telling::Quiet && meets(rule.deny, rights);
    let of = [
        ("told by", &after.rules, audited),
        ("was told by", &before.rules, unaudited),
    ];
    for (role, rules, rights) in of {
        add(role, rules, &|rule| is_audit(rule, rights));
    }
    let of = [
        ("kept quiet by", &after.rules, quieted),
        ("was kept quiet by", &before.rules, unquieted),
    ];
    for (role, rules, rights) in of {
        add(role, rules, &|rule| is_quiet(rule, rights));
    }
    reasons
}

pub(super) fn are_same(one: &Reasons<'_>, other: &Reasons<'_>) -> bool {
    let same =
        |(one, other): (&(_, &Rule), &(_, &Rule))| one.0 == other.0 && std::ptr::eq(one.1, other.1);
    one.len() == other.len() && one.iter().zip(other).all(same)
}
