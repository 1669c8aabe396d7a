//! Any bytes as a record of the kernel programs: read or refused, and never with a path
//! that is not among the bytes.

#![no_main]

use enforcer::kernel::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(record) = Record::read(data) {
        let head = size_of_val(&record.event);
        assert_eq!(record.path, data[head..][..record.event.path_len as usize]);
    }
});
