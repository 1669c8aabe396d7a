//! What rules that match one path come to together.

use enforcer_abi::Access;

use crate::profile::{Profile, Telling};

/// What a profile says of paths that match these of its rules.
pub(in crate::profile) fn granted(profile: &Profile, set: &[usize]) -> Granted {
    let mut granted = Granted::default();
    let mut deny = Access::NONE;
    let mut loud = Access::NONE;
    // What would be left, if the tightening on trial held.
    let [mut kept, mut kept_owned] = [Access::NONE; 2];
    let [mut permitted, mut written] = [Access::NONE; 2];
    for rule in profile.rules_at(set) {
        if rule.telling != Telling::Permit {
            written |= rule.allow;
        }
        let left = rule.allow & !rule.trial;
        if rule.owner {
            granted.owned |= rule.allow;
            kept_owned |= left;
        } else {
            granted.allow |= rule.allow;
            kept |= left;
        }
        deny |= rule.deny;
        match rule.telling {
            Telling::Audit => granted.audit |= rule.allow,
            Telling::Quiet => granted.quiet |= rule.deny,
            Telling::Permit => permitted |= rule.allow,
            Telling::Usual => loud |= rule.deny,
        }
    }
    granted.allow = granted.allow & !deny;
    if !profile.metadata {
        granted.allow |= Access::METADATA;
        kept |= Access::METADATA;
    }
    granted.owned = granted.owned & !deny & !granted.allow;
    // What only an owner would keep is lost to others.
    granted.trial = granted.allow & !kept | granted.owned & !kept & !kept_owned;
    granted.audit |= permitted & !written;
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
    /// The rights that a tightening on trial would take away.
    pub(in crate::profile) trial: Access,
}

impl Granted {
    /// The rights that anybody has there.
    pub(in crate::profile) fn all(self) -> Access {
        self.allow | self.owned
    }
}
