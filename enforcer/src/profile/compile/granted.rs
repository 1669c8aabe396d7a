//! What rules that match one path come to together.

use enforcer_abi::Access;

use crate::profile::{Profile, Telling};

/// What a profile says of paths that match these of its rules.
pub(in crate::profile) fn granted(profile: &Profile, set: &[usize]) -> Granted {
    let mut granted = Granted::default();
    let mut deny = Access::NONE;
    let mut loud = Access::NONE;
    for rule in profile.rules_at(set) {
        if rule.owner {
            granted.owned |= rule.allow;
        } else {
            granted.allow |= rule.allow;
        }
        deny |= rule.deny;
        match rule.telling {
            Telling::Audit => granted.audit |= rule.allow,
            Telling::Quiet => granted.quiet |= rule.deny,
            Telling::Usual => loud |= rule.deny,
        }
    }
    granted.allow = granted.allow & !deny;
    if !profile.metadata {
        granted.allow |= Access::METADATA;
    }
    granted.owned = granted.owned & !deny & !granted.allow;
    granted.audit = granted.audit & granted.all();
    granted.quiet = granted.quiet & !loud & !granted.all();
    granted
}

/// What a profile says of some paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::profile) struct Granted {
    /// The rights on them.
    pub(in crate::profile) allow: Access,
    /// The rights besides on what belongs to the task's user.
    pub(in crate::profile) owned: Access,
    /// The rights of which a use is told, though it is granted.
    pub(in crate::profile) audit: Access,
    /// The rights of which a refusal is not told.
    pub(in crate::profile) quiet: Access,
}

impl Granted {
    /// The rights that anybody has there.
    pub(in crate::profile) fn all(self) -> Access {
        self.allow | self.owned
    }
}
