//! All rows that a process measures by itself.

use crate::{files, processes, sockets, trees};

/// A row's name, and what measures it.
type Row = (&'static str, fn() -> u64);

/// In this order: what is first is not told apart from what is warm.
const ROWS: [Row; 27] = [
    ("open-1", files::open_deep::<1>),
    ("open-2", files::open_deep::<2>),
    ("open-4", files::open_deep::<4>),
    ("open-8", files::open_deep::<8>),
    ("open-16", files::open_deep::<16>),
    ("open-24", files::open_deep::<24>),
    ("open-long", files::open_long),
    ("open-cold", files::open_cold),
    ("create+unlink", files::create),
    ("rename", files::rename),
    ("link+unlink", files::link),
    ("mkdir+rmdir", files::mkdir),
    ("stat", files::stat),
    ("pread", files::pread),
    ("pwrite", files::pwrite),
    ("getppid", processes::getppid),
    ("clock", processes::clock),
    ("map-code", processes::map_code),
    ("fork+exit", processes::fork),
    ("vfork+exec", processes::exec),
    ("unix-connect", sockets::unix_connect),
    ("udp-connect", sockets::udp_connect),
    ("udp-send", sockets::udp_send),
    ("walk-first", trees::walk_first),
    ("walk-again", trees::walk_again),
    ("unpack", trees::unpack),
    ("shell-loop", processes::shell_loop),
];

/// Measures the rows that a filter names, or all.
pub(crate) fn measure(filters: &[String]) {
    for (name, run) in ROWS {
        if is_wanted(name, filters) {
            tell(name, run());
        }
    }
}

/// Tells what a row came to.
pub(crate) fn tell(row: &str, instructions: u64) {
    println!("{{\"row\":\"{row}\",\"instructions\":{instructions}}}");
}

/// Tells whether a filter names the row, or there is none.
pub(crate) fn is_wanted(row: &str, filters: &[String]) -> bool {
    filters.is_empty() || filters.iter().any(|filter| row.contains(filter.as_str()))
}
