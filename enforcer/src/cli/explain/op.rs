//! What `--op` asks about.

use enforcer_abi::{Access, Operation};

use crate::profile::{AccessNameError, Move, rights_from_name};

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Rights on a path.
    Rights(Access),
    /// A name for what has one.
    Move(Move),
    /// A privilege.
    Privilege,
}

/// Reads the value of `--op`.
///
/// # Errors
///
/// The first name that says nothing.
pub(in crate::cli) fn parse(text: &str) -> Result<Op, AccessNameError> {
    let alone = [
        (Operation::Rename, Op::Move(Move::Rename)),
        (Operation::Link, Op::Move(Move::Link)),
        (Operation::Privilege, Op::Privilege),
    ];
    if let Some((_, op)) = alone.into_iter().find(|(alone, _)| alone.name() == text) {
        return Ok(op);
    }
    let mut names = text.split(',').map(str::trim);
    names
        .try_fold(Access::NONE, |all, name| Ok(all | rights_from_name(name)?))
        .map(Op::Rights)
}

#[cfg(test)]
mod tests {
    use enforcer_abi::Access;

    use super::{Op, parse};
    use crate::profile::Move;

    #[test]
    fn ops() {
        #[rustfmt::skip]
        let cases = [
            ("a right",           "read",        Some(Op::Rights(Access::READ))),
            ("rights",            "read, write", Some(Op::Rights(Access::READ | Access::WRITE))),
            ("operations",        "mkdir,chmod", Some(Op::Rights(Access::CREATE | Access::ATTRIBUTES))),
            ("a rename",          "rename",      Some(Op::Move(Move::Rename))),
            ("a link",            "link",        Some(Op::Move(Move::Link))),
            ("a privilege",       "privilege",   Some(Op::Privilege)),
            ("a rename and more", "rename,read", None),
            ("an open",           "open",        None),
            ("nothing",           "",            None),
        ];
        for (name, text, want) in cases {
            assert_eq!(parse(text).ok(), want, "{name}");
        }
    }
}
