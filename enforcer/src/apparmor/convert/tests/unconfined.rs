use super::{imported, yaml};
use crate::apparmor::Fit::{self, Differs, LeftOut, Narrower};

/// A profile that lets its programs do everything is not written, so nothing leads to one.
#[test]
fn nothing_leads_to_unconfined() {
    // Columns: what it shows, rules, what is told, what is written.
    #[rustfmt::skip]
    let cases: [(&str, &str, &[Fit], &str); 12] = [
        ("named",             "/bin/a Px -> free,",        &[LeftOut],           ""),
        ("stacked",           "/bin/a Px -> &free,",       &[LeftOut],           ""),
        ("maybe without",     "/bin/a PUx -> free,",       &[LeftOut],           ""),
        ("of the folder",     "/bin/a Px -> loose,",       &[LeftOut],           ""),
        ("a child",           "/bin/a Cx -> inner,",       &[LeftOut],           ""),
        ("by the program",    "/bin/free Px,",             &[LeftOut],           ""),
        ("its environment",   "/bin/free px,",             &[LeftOut],           ""),
        ("of the folder, too", "/bin/loose Px,",           &[LeftOut],           ""),
        ("instead of itself", "/bin/free Pix,",            &[LeftOut],           ""),
        ("not by a pattern",  "/bin/free Px, /bin/* ix,",  &[LeftOut],           "path: \"/bin/{"),
        ("one of two",        "/bin/{kept,free} px,",      &[Differs, Narrower], "path: /bin/kept, profile: kept"),
        ("of a pattern",      "/bin/[k-l]* Px,",           &[Narrower],          "path: /bin/kept, profile: kept"),
    ];
    let beside = "
        profile free /bin/free flags=(unconfined) { }
        profile kept /bin/kept { }";
    for (name, rules, told, written) in cases {
        let inner = "profile inner flags=(unconfined) { }";
        let all = imported(&format!("profile p {{ {rules} {inner} }} {beside}"));
        let report = &all[0].report;
        let fits: Vec<_> = report.findings.iter().map(|one| one.fit).collect();
        assert_eq!(fits, told, "{name}: {:?}", report.findings);
        assert!(report.needs.is_empty(), "{name}: {:?}", report.needs);
        let text = yaml(&all[0]);
        let (_, execs) = text.split_once("\nexec:\n").unwrap_or_default();
        assert_eq!(execs.is_empty(), written.is_empty(), "{name}: {text}");
        assert!(execs.contains(written), "{name}: {text}");
        assert!(
            !execs.contains("free,") && !execs.contains("profile: loose"),
            "{name}: {text}"
        );
    }
}

/// Of programs that one rule names, each leads to its own profile, and the others elsewhere.
#[test]
fn programs_with_and_without_profiles() {
    // Columns: what it shows, rules, what is written.
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str]); 3] = [
        ("one without",     "/bin/{a,kept} Px,",              &["{ path: /bin/kept, profile: kept }"]),
        ("and not started", "/bin/{a,kept} Px, /bin/[a-b] ix,", &["{ path: \"/bin/[b]\", inherit: true }", "{ path: /bin/kept, profile: kept }"]),
        ("as the parent",   "/bin/{a,kept} Pix,",             &["{ path: /bin/kept, profile: kept }", "{ path: /bin/a, inherit: true }"]),
    ];
    for (name, rules, written) in cases {
        let all = imported(&format!(
            "profile p {{ {rules} }} profile kept /bin/kept {{ }}"
        ));
        let text = yaml(&all[0]);
        let execs = text.lines().filter_map(|line| line.strip_prefix("  - {"));
        let mut execs: Vec<_> = execs.map(|line| format!("{{{line}")).collect();
        execs.sort();
        let mut written: Vec<_> = written.iter().map(ToString::to_string).collect();
        written.sort();
        assert_eq!(execs, written, "{name}: {text}");
    }
}
