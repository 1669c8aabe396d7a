//! The most that a profile may say. Each is far above what profiles need, and keeps what one
//! costs to read within bounds; what it costs to compile is bounded where that is done.

/// Longest profile or abstraction, in bytes.
pub const FILE_LEN: usize = 1 << 20;
/// Most rules in a profile, those that it includes among them.
pub const RULES: usize = 10_000;
/// Longest name of a profile or an abstraction, in letters.
pub const NAME_LEN: usize = 64;
/// Longest name of a unit, in bytes: that of a file.
pub const UNIT_LEN: usize = 255;
/// Longest name of a user, in bytes. `useradd` takes 32, directories have longer ones.
pub const USER_LEN: usize = 256;
/// Longest pattern after its variables are expanded, in bytes.
pub const PATTERN_LEN: usize = 4096;
/// Most that the patterns of a profile have together, in bytes. What a pattern takes until
/// it is compiled is some 50 times that, and variables may make it out of little.
pub const PATTERNS_LEN: usize = 1 << 20;
/// How many bytes a `*`, `?`, `[`, `{` or `,` counts for among those of all patterns.
pub const SIGN_LEN: usize = 4;
/// Deepest nesting of alternatives in a pattern.
pub const BRACES_DEPTH: usize = 16;
/// Longest chain of variables that need one another.
pub const VARIABLES_DEPTH: usize = 16;
/// Longest chain of abstractions that include one another.
pub const INCLUDES: usize = 16;
/// Most errors that are told of a profile, before one that says that there are more.
pub const ERRORS: usize = 100;
