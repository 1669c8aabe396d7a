//! Files by what they lie on: an overlay, a bind mount, what the kernel makes for
//! itself.
//!
//! - [`overlay`]: a file system that lies over others; [`rows`]: what is done there
//! - [`binds`]: one object by several mounts
//! - [`special`]: procfs, and what has no name
//! - [`spoofs`]: what could give a file another's name

mod binds;
mod overlay;
mod rows;
mod special;
mod spoofs;
