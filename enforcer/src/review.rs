//! What a person may decide of what was refused, and what each decision adds to a profile.
//!
//! Nothing here asks anybody, and nothing is written: the command line does both.
//!
//! - [`item`]: the same access by the same program, which is one question
//! - [`addition`]: rules, as they are added to a profile's text
//! - [`draft`]: a profile with what was accepted so far
//! - [`offer`]: which decisions there are, and why there is none that loosens

pub mod addition;
pub mod draft;
pub mod item;
pub mod offer;

pub use self::{
    addition::{Addition, comment},
    draft::{Draft, Policy},
    item::{Item, Lineages, items},
    offer::{Choice, NoChoice, Obstacle, Offer, Standing, seen, standing},
};

#[cfg(test)]
mod tests;
