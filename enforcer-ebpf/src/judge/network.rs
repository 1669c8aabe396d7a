//! Decides about an address of a network, or about a socket.
//!
//! It has a name that no path has ([`enforcer_abi::endpoint`]), and the tables are run over
//! that. Nothing of it is remembered: to connect costs a hundred times as much.

use enforcer_abi::{
    Access, Counter, Endpoint, Label, Operation,
    endpoint::{HEAD_LEN, PORT_LEN, PREFIX, V4, V4_LEN, V6_LEN},
};

use super::{Answer, Question, begin, layer::layers, note};
use crate::{
    kernel::global,
    maps,
    report::programs,
    scratch::{BUFFER, Object, Scratch},
};

/// Judges what the current task wants of a network.
#[inline(always)]
pub(crate) fn ask_endpoint(
    label: &mut Label,
    operation: Operation,
    requested: Access,
    endpoint: &Endpoint,
) -> Answer {
    let Some(scratch) = begin() else {
        return Answer::Refused;
    };
    let object = Object {
        vfsmount: 0,
        dentry: 0,
    };
    note(
        scratch,
        label,
        &Question::plain(operation, requested, object),
    );
    scratch.endpoint = *endpoint;
    programs::introduce(label);
    let answer = judge_endpoint(scratch.at);
    maps::give(scratch);
    Answer::from_number(answer)
}

global! {
    /// Judges the request in the scratch for the endpoint there. Returns an [`Answer`].
    fn judge_endpoint(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return Answer::Refused as u32;
        };
        maps::count(Counter::Judged);
        let _len = name_endpoint(at);
        layers(scratch)
    }
}

global! {
    /// Puts the name of the endpoint in the scratch where a path would be. Returns its
    /// length.
    ///
    /// Verifier: what it takes of the stack is free again before the layers are asked.
    fn name_endpoint(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        name(scratch);
        scratch.path_len()
    }
}

/// Puts the name of the endpoint in the scratch where a path would be.
#[inline(always)]
fn name(scratch: &mut Scratch) {
    const PORT: usize = BUFFER - PORT_LEN;
    const V4_AT: usize = PORT - V4_LEN;
    const V6_AT: usize = PORT - V6_LEN;
    scratch.clear_path();
    let Endpoint {
        address,
        port,
        family,
        has_address,
        ..
    } = scratch.endpoint;
    if has_address == 0 {
        head::<BUFFER>(scratch);
        return;
    }
    digits::<PORT, PORT_LEN>(scratch, port.into());
    let [first, second, third, last] = address;
    digits::<{ PORT - 8 }, 8>(scratch, last);
    if u16::from(family) == V4 {
        head::<V4_AT>(scratch);
        return;
    }
    digits::<V6_AT, 8>(scratch, first);
    digits::<{ V6_AT + 8 }, 8>(scratch, second);
    digits::<{ V6_AT + 16 }, 8>(scratch, third);
    head::<V6_AT>(scratch);
}

/// Writes the part of the name that tells the socket, up to `END`, and says that the name
/// begins with it.
#[inline(always)]
fn head<const END: usize>(scratch: &mut Scratch) {
    let Endpoint {
        family, protocol, ..
    } = scratch.endpoint;
    let start = END - HEAD_LEN;
    scratch.buffer[start] = PREFIX;
    let number = u32::from(family) << 8 | u32::from(protocol);
    for at in 0..4 {
        scratch.buffer[start + 1 + at] = digit(number >> (12 - 4 * at));
    }
    scratch.start = start as u32;
}

/// Writes the last `COUNT` digits of a number at `AT`.
#[inline(always)]
fn digits<const AT: usize, const COUNT: usize>(scratch: &mut Scratch, number: u32) {
    for at in 0..COUNT {
        scratch.buffer[AT + at] = digit(number >> (4 * (COUNT - 1 - at)));
    }
}

/// The digit of the lowest four bits.
#[inline(always)]
const fn digit(number: u32) -> u8 {
    let nibble = (number & 0xf) as u8;
    // From 10 on, the letters.
    nibble + b'0' + ((nibble + 6) >> 4) * (b'a' - b'0' - 10)
}
