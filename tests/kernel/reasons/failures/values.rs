//! The values of an agent's map, whatever they are made of.
#![expect(unsafe_code, reason = "aya wants to know what a value is made of")]

use std::os::fd::{AsFd as _, AsRawFd as _};

use aya::maps::{MapData, loaded_maps};

/// An array that the programs use.
pub(crate) struct Values {
    map: MapData,
    /// Bytes of a value.
    size: usize,
    /// How many there are.
    pub(crate) count: u32,
}

/// What `bpf(2)` takes for one element of a map.
#[repr(C)]
struct Element {
    fd: u32,
    reserved: u32,
    key: u64,
    value: u64,
    flags: u64,
}

const LOOK_UP: i32 = 1;
const UPDATE: i32 = 2;

impl Values {
    /// Those of the map with this name; an agent runs.
    pub(crate) fn of(name: &str) -> Self {
        let info = loaded_maps()
            .filter_map(Result::ok)
            .find(|map| map.name_as_str() == Some(name))
            .unwrap_or_else(|| panic!("there is no map {name}"));
        Self {
            map: MapData::from_id(info.id()).expect("open a map"),
            size: info.value_size() as usize,
            count: info.max_entries(),
        }
    }

    /// A value.
    pub(crate) fn get(&self, key: u32) -> Vec<u8> {
        // The kernel rounds sizes up to 8.
        let mut value = vec![0; self.size.next_multiple_of(8)];
        self.call(LOOK_UP, key, &mut value);
        value
    }

    /// Replaces a value.
    pub(crate) fn set(&self, key: u32, mut value: Vec<u8>) {
        self.call(UPDATE, key, &mut value);
    }

    fn call(&self, command: i32, key: u32, value: &mut [u8]) {
        let mut element = Element {
            fd: self.map.fd().as_fd().as_raw_fd().unsigned_abs(),
            reserved: 0,
            key: (&raw const key) as u64,
            value: value.as_mut_ptr() as u64,
            flags: 0,
        };
        // SAFETY: the key has four bytes, and the value as many as the map says.
        let result = unsafe {
            libc::syscall(
                libc::SYS_bpf,
                command,
                &raw mut element,
                size_of::<Element>(),
            )
        };
        assert_eq!(result, 0, "bpf: {}", std::io::Error::last_os_error());
    }
}
