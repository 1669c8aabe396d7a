//! What lets a type of [`enforcer_abi`] be a map's key or value.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A map's key, value or global.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub(super) struct Plain<T>(pub(super) T);

#[expect(unsafe_code, reason = "aya::Pod is an unsafe trait, and foreign")]
// SAFETY: `IntoBytes` says that every byte of a `T` is initialised, padding
// included, and `FromBytes` that any bytes the kernel hands back are a `T`.
unsafe impl<T: Copy + FromBytes + IntoBytes + 'static> aya::Pod for Plain<T> {}
