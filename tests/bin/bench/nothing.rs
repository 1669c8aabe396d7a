//! A program that ends at once, so that what is counted is the kernel's part.

/// Where its bytes are mapped.
const ADDRESS: u64 = 0x40_0000;
/// Length of the header of the file, and of the one part that it has.
const HEADER: u16 = 64;
const PART: u16 = 56;

/// `mov edi, 0; mov eax, 60; syscall`: `exit(0)`.
const CODE: [u8; 12] = [
    0xbf, 0, 0, 0, 0, // its status
    0xb8, 60, 0, 0, 0, // the number of `exit`
    0x0f, 0x05,
];

/// Returns the file: an ELF program for x86-64, static, of one page.
///
/// A program that is compiled spends ten times as much on its own start.
pub(crate) fn program() -> Vec<u8> {
    let start = u64::from(HEADER + PART);
    let length = start + CODE.len() as u64;
    let mut file = Vec::new();
    // 64 bits, little-endian, version 1, System V.
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // A program (ET_EXEC) for x86-64, version 1.
    file.extend([2, 62].map(u16::to_le_bytes).concat());
    file.extend(1_u32.to_le_bytes());
    // Where it starts, where its parts are listed, and no sections.
    file.extend(
        [ADDRESS + start, HEADER.into(), 0]
            .map(u64::to_le_bytes)
            .concat(),
    );
    file.extend(0_u32.to_le_bytes());
    file.extend([HEADER, PART, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
    // One part to load (PT_LOAD), to be read and executed (PF_R | PF_X).
    file.extend([1, 5].map(u32::to_le_bytes).concat());
    let part = [0, ADDRESS, ADDRESS, length, length, 0x1000];
    file.extend(part.map(u64::to_le_bytes).concat());
    file.extend(CODE);
    file
}
