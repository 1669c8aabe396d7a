//! System calls for which nobody has a safe function: the only unsafe code of
//! this program.

#![expect(
    unsafe_code,
    reason = "what is tried here is what system calls do, by themselves"
)]

use std::{
    ffi::{CStr, CString, c_int, c_long, c_void},
    fs::File,
    io,
    os::{
        fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::{io::Errno, process::Pid};

/// An argument of a system call.
pub(crate) enum Arg<'a> {
    /// A number, or a descriptor.
    Number(c_long),
    /// A pointer to text.
    Text(&'a CStr),
    /// A pointer to what the kernel reads.
    Bytes(&'a [u8]),
    /// A pointer to what the kernel writes.
    Buffer(&'a mut [u8]),
    /// A null pointer.
    Null,
}

macro_rules! numbers {
    ($($type:ty),*) => {
        $(impl From<$type> for Arg<'_> {
            fn from(number: $type) -> Self {
                Self::Number(c_long::from(number))
            }
        })*
    };
}

numbers!(i32, u32, c_long);

impl From<u64> for Arg<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number.cast_signed())
    }
}

impl<'a> From<&'a CString> for Arg<'a> {
    fn from(text: &'a CString) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a CStr> for Arg<'a> {
    fn from(text: &'a CStr) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a mut [u8]> for Arg<'a> {
    fn from(bytes: &'a mut [u8]) -> Self {
        Self::Buffer(bytes)
    }
}

impl From<&OwnedFd> for Arg<'_> {
    fn from(fd: &OwnedFd) -> Self {
        Self::from(fd.as_raw_fd())
    }
}

impl From<BorrowedFd<'_>> for Arg<'_> {
    fn from(fd: BorrowedFd<'_>) -> Self {
        Self::from(fd.as_raw_fd())
    }
}

/// Makes a system call.
///
/// Not for those that change this program's memory map: [`Mapping`] has them.
pub(crate) fn call<const N: usize>(number: c_long, args: [Arg<'_>; N]) -> Result<c_long, Errno> {
    const { assert!(N <= 6) };
    let mut words: [c_long; 6] = [0; 6];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = match arg {
            Arg::Number(number) => number,
            Arg::Text(text) => address(text.as_ptr()),
            Arg::Bytes(bytes) => address(bytes.as_ptr()),
            Arg::Buffer(bytes) => address(bytes.as_mut_ptr().cast_const()),
            Arg::Null => 0,
        };
    }
    let [first, second, third, fourth, fifth, sixth] = words;
    // SAFETY: each pointer is to memory that its argument borrows until the
    // call is over. That the kernel does not go beyond it is what the callers'
    // lengths say, which are those of the memory or constants of the call.
    let result = unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) };
    checked(result)
}

/// The same for a call that makes a descriptor.
pub(crate) fn open<const N: usize>(number: c_long, args: [Arg<'_>; N]) -> Result<OwnedFd, Errno> {
    let fd = call(number, args)?;
    let fd = RawFd::try_from(fd).map_err(|_number| Errno::BADF)?;
    // SAFETY: the kernel has just made it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn checked(result: c_long) -> Result<c_long, Errno> {
    if result == -1 {
        return Err(last_error());
    }
    Ok(result)
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// The address of something that outlives its use.
pub(crate) fn address<T>(pointer: *const T) -> c_long {
    c_long::try_from(pointer.expose_provenance()).expect("user space is the lower half")
}

/// A path as the kernel takes it.
pub(crate) fn text(path: &Path) -> Result<CString, Errno> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_nul| Errno::INVAL)
}

/// Several numbers as the bytes of a `struct` of 64-bit fields.
pub(crate) fn fields(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// `setxattrat` or `getxattrat` of the attribute `name`, from or to `value`.
pub(crate) fn xattr_at(
    number: c_long,
    path: &Path,
    name: &str,
    value: &mut [u8],
) -> Result<(), Errno> {
    let (path, name) = (text(path)?, text(Path::new(name))?);
    // `struct xattr_args`: value, size and flags.
    let value_at = address(value.as_mut_ptr().cast_const()).cast_unsigned();
    let request = fields(&[value_at, value.len() as u64]);
    let args = [
        here().into(),
        (&path).into(),
        0.into(),
        (&name).into(),
        request.as_slice().into(),
        16.into(),
    ];
    call(number, args).map(drop)
}

/// A file that was inherited.
pub(crate) fn inherited(fd: RawFd) -> File {
    // SAFETY: this program is told which of its descriptors to use, and opens
    // none of its own before that.
    File::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs `child` in a child process, and returns its exit status, or `EINTR` if a
/// signal ended it.
pub(crate) fn in_child(child: impl FnOnce() -> u8) -> Result<u8, Errno> {
    let pid = start(child)?;
    let waited = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty())?;
    waited
        .and_then(|(_pid, status)| u8::try_from(status.exit_status()?).ok())
        .ok_or(Errno::INTR)
}

/// Starts a child process that does `child` and exits with what it returns.
pub(crate) fn start(child: impl FnOnce() -> u8) -> Result<Pid, Errno> {
    // SAFETY: this process has one thread, so the child may do what it likes.
    match unsafe { libc::fork() } {
        0 => {
            let status = child();
            // SAFETY: ends the process, and nothing of it is needed any more.
            unsafe { libc::_exit(c_int::from(status)) }
        }
        pid => Pid::from_raw(pid)
            .filter(|_pid| pid > 0)
            .ok_or_else(last_error),
    }
}

/// Memory that was mapped.
pub(crate) struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

impl Mapping {
    /// Maps `length` bytes of a file from its start, or of no file.
    pub(crate) fn new(
        file: Option<BorrowedFd<'_>>,
        length: usize,
        protection: c_int,
        flags: c_int,
    ) -> Result<Self, Errno> {
        Self::at(file, length, protection, flags, 0)
    }

    /// The same from `offset` on.
    pub(crate) fn at(
        file: Option<BorrowedFd<'_>>,
        length: usize,
        protection: c_int,
        flags: c_int,
        offset: c_long,
    ) -> Result<Self, Errno> {
        let fd = file.map_or(-1, |file| file.as_raw_fd());
        // SAFETY: without a fixed address, nothing that is mapped is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(last_error());
        }
        let start = NonNull::new(start).ok_or(Errno::NOMEM)?;
        Ok(Self { start, length })
    }

    /// Attaches a System V shared memory segment.
    pub(crate) fn shared(id: c_int, flags: c_int, length: usize) -> Result<Self, Errno> {
        // SAFETY: the kernel chooses where, so nothing that is mapped is replaced.
        let start = unsafe { libc::shmat(id, ptr::null(), flags) };
        if start.addr() == usize::MAX {
            return Err(last_error());
        }
        let start = NonNull::new(start).ok_or(Errno::NOMEM)?;
        Ok(Self { start, length })
    }

    /// Its address.
    pub(crate) fn address(&self) -> c_long {
        address(self.start.as_ptr())
    }

    /// How long it is, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length as u64
    }

    /// Changes what may be done with it.
    pub(crate) fn protect(&self, protection: c_int) -> Result<(), Errno> {
        // SAFETY: the range was mapped by this and is used by nobody else; nobody
        // reads from or writes to it that does not know how it is protected.
        match unsafe { libc::mprotect(self.start.as_ptr(), self.length, protection) } {
            0 => Ok(()),
            _ => Err(last_error()),
        }
    }

    /// The word at `offset`, which others write to.
    pub(crate) fn load(&self, offset: u32) -> u32 {
        self.word(offset).load(Ordering::Acquire)
    }

    /// Writes the word at `offset`.
    pub(crate) fn store(&self, offset: u32, value: u32) {
        self.word(offset).store(value, Ordering::Release);
    }

    /// Writes bytes of whole words.
    pub(crate) fn write(&self, offset: u32, bytes: &[u8]) {
        for (at, word) in (offset..).step_by(4).zip(bytes.chunks_exact(4)) {
            let word: [u8; 4] = word.try_into().expect("a chunk of four");
            self.store(at, u32::from_ne_bytes(word));
        }
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        let offset = offset as usize;
        assert!(
            offset.is_multiple_of(4) && offset + 4 <= self.length,
            "{offset}"
        );
        // SAFETY: inside of the mapping, aligned, and only used as an atomic. Who
        // maps memory that cannot be read or written to does not ask for words.
        unsafe { self.start.cast::<u8>().add(offset).cast().as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: no reference to it outlives the mapping. An attached segment
        // goes away in the same way.
        let _gone = unsafe { libc::munmap(self.start.as_ptr(), self.length) };
    }
}

/// A descriptor for the current folder, for calls that take one.
pub(crate) fn here() -> BorrowedFd<'static> {
    rustix::fs::CWD.as_fd()
}
