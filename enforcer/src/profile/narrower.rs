//! Whether a pattern is about no path that another one is not about.

use super::{
    Pattern, compile, walk,
    work::{Exhausted, Work},
};

/// Whether `wide` matches all that `narrow` does. Of patterns that are too much to compare it
/// does not.
pub(super) fn is_within(narrow: &Pattern, wide: &Pattern) -> bool {
    let mut work = Work::of_all(&[]);
    let built = |pattern: &Pattern, work: &mut Work| {
        compile::build("patterns", &[pattern.hir()], work).ok()
    };
    let (Some(inner), Some(outer)) = (built(narrow, &mut work), built(wide, &mut work)) else {
        return false;
    };
    let mut is_within = true;
    let met = walk::all(
        [&inner, &outer],
        &mut work,
        |_| true,
        |(in_narrow, in_wide), _, _| {
            is_within &= inner.set(in_narrow).is_empty() || !outer.set(in_wide).is_empty();
            if is_within { Ok(()) } else { Err(Exhausted) }
        },
    );
    met.is_ok() && is_within
}

#[cfg(test)]
mod tests {
    use super::{Pattern, is_within};

    #[test]
    fn patterns_are_compared_by_what_they_match() {
        #[rustfmt::skip]
        let cases = [
            ("itself",       "/srv/**",      "/srv/**",   true),
            ("a literal",    "/srv/a/b",     "/srv/**",   true),
            ("a folder",     "/srv/a/**",    "/srv/**",   true),
            ("one level",    "/srv/*",       "/srv/**",   true),
            ("the other way", "/srv/**",     "/srv/*",    false),
            ("another",      "/var/a",       "/srv/**",   false),
            ("some of it",   "/{srv,var}/a", "/srv/**",   false),
            ("the folder itself", "/srv{,/**}", "/srv/**", false),
            ("an end",       "/srv/*.html",  "/srv/*",    true),
            ("no end",       "/srv/*",       "/srv/*.html", false),
        ];
        for (name, narrow, wide, want) in cases {
            let [narrow, wide] = [narrow, wide].map(|text| Pattern::parse(text).unwrap());
            assert_eq!(is_within(&narrow, &wide), want, "{name}");
        }
    }
}
