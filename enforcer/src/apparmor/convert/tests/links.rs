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
