//! The kernel side of `enforcer`: BPF LSM programs that confine tasks to their
//! profiles.
//!
//! - [`hooks`]: one file per kind of hook; a hook names the object and the rights
//! - [`judge`]: decides an access for every layer of a domain, and reports it
//! - [`subject`]: who is confined: labels of tasks, and how they change
//! - [`walk`]: names an object by its path
//! - [`automaton`]: runs a profile's table over a path
//! - [`report`]: violations and events
//! - [`maps`]: every map, each behind safe functions
//! - [`kernel`]: reads of kernel memory and helpers
//! - [`scratch`]: the memory that one decision needs
//!
//! Calls go down this list. `unsafe` is in [`maps`], [`kernel`], [`scratch`]
//! and in the panic handler's neighbourhood here, nowhere else.

#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![expect(
    clippy::inline_always,
    reason = "a call is dear, and the verifier forgets at one what it knew"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the kernel's words are taken apart on purpose"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "a panic that can be reached is an endless loop, which the verifier refuses"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "the macro of a hook passes the context so"
)]
#![expect(
    internal_features,
    reason = "the target has no atomics in core, and BPF has them"
)]

mod automaton;
mod hooks;
mod judge;
mod kernel;
mod maps;
mod report;
mod scratch;
mod subject;
mod walk;

/// Never runs: a program with a reachable panic loops, and the verifier refuses
/// it.
#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[expect(unsafe_code, reason = "the kernel reads the licence from this section")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
