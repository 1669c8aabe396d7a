//! The rights that an operation on one path asks for.

use enforcer_abi::{Access, Operation};

use super::access_names::{AccessNameError, from_name};

/// The rights that `operation` asks for on its path. None for one that asks for what a
/// file is opened for, or that is not about one path.
pub(super) const fn rights_of(operation: Operation) -> Option<Access> {
    Some(match operation {
        Operation::Open
        | Operation::Receive
        | Operation::Inherit
        | Operation::Rename
        | Operation::Link
        | Operation::Privilege => return None,
        Operation::Create | Operation::Mkdir | Operation::Symlink | Operation::Socket => {
            Access::CREATE
        }
        Operation::Mknod => Access(Access::CREATE.0 | Access::WRITE.0),
        Operation::Unlink | Operation::Rmdir => Access::REMOVE,
        Operation::Truncate | Operation::Fcntl => Access::WRITE,
        Operation::Chmod
        | Operation::Chown
        | Operation::Utimes
        | Operation::Xattr
        | Operation::Ioctl => Access::ATTRIBUTES,
        Operation::Execute => Access::EXECUTE,
        Operation::Map => Access::MAP,
        Operation::Connect => Access::CONNECT,
        Operation::Bind => Access::BIND,
        Operation::Watch => Access::READ,
        Operation::Stat => Access::METADATA,
    })
}

/// Returns the rights that a name stands for: those of an operation, or the right of
/// that name.
///
/// # Errors
///
/// If it is neither, or the operation asks for what depends.
pub fn rights_from_name(name: &str) -> Result<Access, AccessNameError> {
    let operation = Operation::ALL
        .iter()
        .find(|operation| operation.name() == name);
    if let Some(&operation) = operation {
        return rights_of(operation).ok_or_else(|| AccessNameError::Depends {
            name: name.to_owned(),
        });
    }
    let others: Vec<_> = Operation::ALL.iter().map(|other| other.name()).collect();
    from_name(name, Access::ALL, &others)
}

#[cfg(test)]
mod tests {
    use enforcer_abi::Access;

    use super::rights_from_name;

    #[test]
    fn names() {
        #[rustfmt::skip]
        let cases = [
            ("a right",             "append", Ok(Access::APPEND)),
            ("an operation",        "chmod",  Ok(Access::ATTRIBUTES)),
            ("of two rights",       "mknod",  Ok(Access::CREATE | Access::WRITE)),
            ("both",                "create", Ok(Access::CREATE)),
            ("of one path",         "stat",   Ok(Access::METADATA)),
            ("what depends",        "open",   Err("`open` does not say what is asked for; name the rights: read, write, append, create, remove, execute, map, attributes, metadata, connect, bind")),
            ("of no path",          "privilege", Err("`privilege` does not say what is asked for; name the rights: read, write, append, create, remove, execute, map, attributes, metadata, connect, bind")),
            ("misspelt right",      "raed",   Err("unknown access `raed`; did you mean `read`?")),
            ("misspelt operation",  "unlnik", Err("unknown access `unlnik`; did you mean `unlink`?")),
        ];
        for (name, text, want) in cases {
            let got = rights_from_name(text).map_err(|error| error.to_string());
            assert_eq!(got, want.map_err(str::to_owned), "{name}");
        }
    }
}
