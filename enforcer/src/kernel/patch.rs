//! Calls of kernel functions, which aya cannot make: they are written into the object.

/// Bytes of an instruction.
const INSTRUCTION: usize = 8;
/// `BPF_JMP | BPF_CALL`.
const CALL: u8 = 0x85;
/// The source register of a call of a kernel function, `BPF_PSEUDO_KFUNC_CALL`, and
/// destination register 0.
const KERNEL: u8 = 2 << 4;

/// Returns the object with each call of the helper number `helper` made one of the
/// kernel function with the BTF id `function`.
///
/// Instructions lie at multiples of their length in every section, and no other data
/// of an object looks like such a call: `helper` is no number of a helper.
pub(super) fn call_kernel(object: &[u8], helper: u32, function: u32) -> Vec<u8> {
    let mut wanted = [CALL, 0, 0, 0, 0, 0, 0, 0];
    wanted[4..].copy_from_slice(&helper.to_le_bytes());
    let mut replaced = [CALL, KERNEL, 0, 0, 0, 0, 0, 0];
    replaced[4..].copy_from_slice(&function.to_le_bytes());
    let mut object = object.to_vec();
    for instruction in object.chunks_exact_mut(INSTRUCTION) {
        if *instruction == wanted {
            instruction.copy_from_slice(&replaced);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::call_kernel;

    #[test]
    fn only_the_calls_are_changed() {
        let call = [0x85, 0, 0, 0, 1, 2, 3, 4];
        let other = [0x85, 0, 0, 0, 1, 2, 3, 5];
        let object = [call, other, call].concat();
        let made = [0x85, 0x20, 0, 0, 9, 0, 0, 0];
        assert_eq!(
            call_kernel(&object, 0x0403_0201, 9),
            [made, other, made].concat()
        );
    }
}
