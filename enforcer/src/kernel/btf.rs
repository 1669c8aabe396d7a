//! Where the running kernel keeps what the programs read: a reader of BTF.
//!
//! The loader's own reader does not tell the members of a structure, and other
//! crates build a model of all of the kernel's 150,000 types. This one finds a
//! few dozen members and the arguments of the LSM hooks, in one pass, and trusts
//! no length in the file.
//!
//! The format: <https://docs.kernel.org/bpf/btf.html>.

use std::collections::HashMap;

/// Kinds of types, from `include/uapi/linux/btf.h`.
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

const MAGIC: u32 = 0xeb9f;
/// Bytes of a type's record before what its kind adds.
const TYPE_LEN: usize = 12;
/// Bytes of a structure's member.
const MEMBER_LEN: usize = 12;
/// Bytes of a function's parameter.
const PARAMETER_LEN: usize = 8;
/// What the functions to which LSM programs are attached begin with.
const HOOK_PREFIX: &[u8] = b"bpf_lsm_";
/// What the kernel's functions for programs begin with.
const CALLABLE_PREFIX: &[u8] = b"bpf_";
/// How deep structures without a name may lie in one another.
const NESTING: u32 = 16;

/// Types of a kernel.
#[derive(Debug)]
pub struct Types<'a> {
    data: &'a [u8],
    strings: usize,
    /// Where each type's record starts, by id. Id 0 is `void`.
    starts: Vec<usize>,
    structures: HashMap<&'a [u8], usize>,
    /// Functions of LSM hooks, by the hooks' names.
    hooks: HashMap<&'a [u8], usize>,
    /// Functions that programs may call.
    callable: HashMap<&'a [u8], usize>,
}

/// The data is not BTF, or is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kernel's type information is damaged at byte {at}")]
pub struct Damaged {
    /// Where.
    pub at: usize,
}

impl<'a> Types<'a> {
    /// Reads the types in `data`, the contents of `/sys/kernel/btf/vmlinux`.
    ///
    /// # Errors
    ///
    /// [`Damaged`].
    pub fn parse(data: &'a [u8]) -> Result<Self, Damaged> {
        let mut types = Self {
            data,
            strings: 0,
            starts: vec![0],
            structures: HashMap::new(),
            hooks: HashMap::new(),
            callable: HashMap::new(),
        };
        if types.word(0)? & 0xffff != MAGIC {
            return Err(Damaged { at: 0 });
        }
        let header = types.word(4)? as usize;
        let mut at = header.saturating_add(types.word(8)? as usize);
        let end = at.saturating_add(types.word(12)? as usize);
        types.strings = header.saturating_add(types.word(16)? as usize);
        while at < end {
            let (kind, members) = types.kind(at)?;
            types.starts.push(at);
            if kind == kind::STRUCT {
                let name = types.string(types.word(at)?)?;
                types.structures.entry(name).or_insert(at);
            } else if kind == kind::FUNC {
                let name = types.string(types.word(at)?)?;
                if let Some(hook) = name.strip_prefix(HOOK_PREFIX) {
                    types.hooks.entry(hook).or_insert(at);
                } else if name.starts_with(CALLABLE_PREFIX) {
                    types.callable.entry(name).or_insert(at);
                }
            }
            at = at.saturating_add(TYPE_LEN).saturating_add(match kind {
                kind::INT | kind::VAR | kind::DECL_TAG => 4,
                kind::ARRAY => 12,
                kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * members,
                kind::ENUM | kind::FUNC_PROTO => 8 * members,
                _ => 0,
            });
        }
        Ok(types)
    }

    /// Byte offset of `member` in `structure`; structures and unions without a
    /// name are looked into. `None` if there is none, or if it is a bit field
    /// that does not start at a byte.
    ///
    /// # Errors
    ///
    /// [`Damaged`].
    pub fn offset(&self, structure: &str, member: &str) -> Result<Option<u64>, Damaged> {
        let Some(&at) = self.structures.get(structure.as_bytes()) else {
            return Ok(None);
        };
        let bits = self.member(at, member.as_bytes(), NESTING)?;
        Ok(bits
            .filter(|bits| bits % 8 == 0)
            .map(|bits| u64::from(bits / 8)))
    }

    /// The id of a structure.
    pub fn structure(&self, name: &str) -> Option<u32> {
        self.id(*self.structures.get(name.as_bytes())?)
    }

    /// The id of a function whose name begins with `bpf_`.
    pub fn function(&self, name: &str) -> Option<u32> {
        self.id(*self.callable.get(name.as_bytes())?)
    }

    /// The id of the type whose record starts at `at`.
    fn id(&self, at: usize) -> Option<u32> {
        u32::try_from(self.starts.binary_search(&at).ok()?).ok()
    }

    /// The names of the arguments of an LSM hook, in order. `None` if the kernel
    /// has no such hook, or none to which programs can be attached.
    ///
    /// # Errors
    ///
    /// [`Damaged`].
    pub fn hook(&self, hook: &str) -> Result<Option<Vec<&'a [u8]>>, Damaged> {
        let Some(&at) = self.hooks.get(hook.as_bytes()) else {
            return Ok(None);
        };
        let prototype = self.word(at.saturating_add(8))? as usize;
        let &at = self.starts.get(prototype).ok_or(Damaged { at })?;
        let (kind, count) = self.kind(at)?;
        if kind != kind::FUNC_PROTO {
            return Err(Damaged { at });
        }
        (0..count)
            .map(|index| {
                let record = at.saturating_add(TYPE_LEN + PARAMETER_LEN * index);
                self.string(self.word(record)?)
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Offset of `member` in the structure at `at`, in bits.
    fn member(&self, at: usize, member: &[u8], nesting: u32) -> Result<Option<u32>, Damaged> {
        let (_, count) = self.kind(at)?;
        let has_bit_fields = self.word(at.saturating_add(4))? >> 31 == 1;
        for index in 0..count {
            let record = at.saturating_add(TYPE_LEN + MEMBER_LEN * index);
            let name = self.string(self.word(record)?)?;
            let bits = self.word(record.saturating_add(8))?;
            let bits = if has_bit_fields {
                bits & 0x00ff_ffff
            } else {
                bits
            };
            if name == member {
                return Ok(Some(bits));
            }
            if name.is_empty() && nesting > 0 {
                let inner = self.resolve(self.word(record.saturating_add(4))?)?;
                if let Some(inner) = inner
                    && let Some(more) = self.member(inner, member, nesting - 1)?
                {
                    return Ok(Some(bits.saturating_add(more)));
                }
            }
        }
        Ok(None)
    }

    /// Where the structure or union `id` starts, behind qualifiers and typedefs.
    fn resolve(&self, mut id: u32) -> Result<Option<usize>, Damaged> {
        // A chain that is longer than this is a circle.
        for _ in 0..64 {
            let Some(&at) = self.starts.get(id as usize) else {
                return Ok(None);
            };
            match self.kind(at)?.0 {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    id = self.word(at.saturating_add(8))?;
                }
                kind::STRUCT | kind::UNION => return Ok(Some(at)),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Kind and number of members of the type at `at`.
    fn kind(&self, at: usize) -> Result<(u32, usize), Damaged> {
        let info = self.word(at.saturating_add(4))?;
        Ok(((info >> 24) & 0x1f, (info & 0xffff) as usize))
    }

    fn word(&self, at: usize) -> Result<u32, Damaged> {
        self.data
            .get(at..at.saturating_add(4))
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_ne_bytes)
            .ok_or(Damaged { at })
    }

    fn string(&self, offset: u32) -> Result<&'a [u8], Damaged> {
        let at = self.strings.saturating_add(offset as usize);
        let rest = self.data.get(at..).ok_or(Damaged { at })?;
        rest.split(|&byte| byte == 0).next().ok_or(Damaged { at })
    }
}

#[cfg(test)]
mod tests;
