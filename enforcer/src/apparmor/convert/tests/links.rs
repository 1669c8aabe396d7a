use super::imported;
use crate::apparmor::Fit;

/// Links that may be made where files may be made are told once, with how many rules let them.
#[test]
fn links_where_files_are_made() {
    let tail = "let links be made where files may be made; no link gives more rights than its \
                target has";
    let one = format!(
        "1 rule with `w` and without `l` {}",
        tail.replacen("let", "lets", 1)
    );
    let two = format!("2 rules with `w` and without `l` {tail}");
    // Columns: what it shows, rules, what is told.
    #[rustfmt::skip]
    let cases = [
        ("written",             "/a rw,",                Some(&one)),
        ("and another",         "/a rw, /b/** w,",       Some(&two)),
        ("a file of its own",   "owner /a w,",           Some(&one)),
        ("links are granted",   "/a rwl,",               None),
        ("every file is",       "file,",                 None),
        ("nothing is made",     "/a ra, /b r, /c ix,",   None),
        ("denied",              "deny /a w,",            None),
        ("no path",             "/a/../b w,",            None),
    ];
    for (name, rules, want) in cases {
        let all = imported(&format!("profile p {{ {rules} }}"));
        let report = &all[0].report;
        let told = report.findings.iter().filter(|one| one.kind == "link");
        let told: Vec<_> = told.map(|one| (one.fit, one.why.as_str())).collect();
        let want: Vec<_> = want.iter().map(|why| (Fit::Wider, why.as_str())).collect();
        assert_eq!(told, want, "{name}");
        // Files are compared but for links.
        if name != "no path" {
            assert_eq!(report.files.equal, report.files.rules, "{name}");
        }
    }
}

/// A deny of links without one of files is told, whatever else it denies.
#[test]
fn denied_links() {
    // Columns: what it shows, rule, what is told.
    #[rustfmt::skip]
    let cases = [
        ("alone",              "deny /a l,",          Some(("file", Fit::LeftOut))),
        ("and read",           "deny /a rl,",         Some(("link", Fit::Wider))),
        ("and append",         "audit deny /a al,",   Some(("link", Fit::Wider))),
        ("and exec",           "deny /a lx,",         Some(("link", Fit::Wider))),
        ("of a pair",          "deny link /a -> /b,", Some(("link", Fit::LeftOut))),
        ("no file is made",    "deny /a wl,",         None),
        ("nothing is granted", "deny /a mrwklx,",     None),
        ("no links",           "deny /a r,",          None),
    ];
    for (name, rule, want) in cases {
        let all = imported(&format!("profile p {{ {rule} }}"));
        let report = &all[0].report;
        let told = report.findings.iter();
        let told: Vec<_> = told.map(|one| (one.kind.as_str(), one.fit)).collect();
        assert_eq!(told, Vec::from_iter(want), "{name}");
        assert_eq!(report.files.equal, usize::from(want.is_none()), "{name}");
    }
}
