use super::{BUILT_IN, Definition, Variables, Word, is_name};
use crate::profile::{Origin, Pattern};

fn variables(definitions: &[(&str, &[&str])]) -> Variables {
    let mut variables = Variables::default();
    for (name, values) in definitions {
        variables.define(
            name,
            Definition {
                values: values.iter().map(ToString::to_string).collect(),
                places: vec![Origin::start_of("x.yaml".as_ref()); values.len()],
                origin: Origin::start_of("x.yaml".as_ref()),
            },
        );
    }
    variables
}

#[test]
fn expand() {
    let many = "x".repeat(1000);
    let mut variables = variables(&[
        ("a", &["/srv"]),
        ("b", &["${a}/www"]),
        ("list", &["p", "q"]),
        ("self_", &["${self_}"]),
        ("p", &["${q}"]),
        ("q", &["${p}"]),
        ("lost", &["${alist}"]),
        ("k", &[&many]),
        ("homes", &["/data/*"]),
        ("long", &["${k}${k}${k}${k}${k}"]),
    ]);
    #[rustfmt::skip]
    let cases = [
        ("no variable",       "/etc/*",        Ok("/etc/*")),
        ("one",               "${a}/**",       Ok("/srv/**")),
        ("in the middle",     "/x${a}y",       Ok("/x/srvy")),
        ("two in a row",      "${a}${a}",      Ok("/srv/srv")),
        ("by way of another", "${b}/x",        Ok("/srv/www/x")),
        ("a list",            "/${list}/x",    Ok("/{p,q}/x")),
        ("a lone dollar",     "/$a$",          Ok("/$a$")),
        ("escaped",           r"/\${a}",       Ok(r"/\${a}")),
        ("behind an escape",  r"/\\${a}",      Ok(r"/\\/srv")),
        ("beyond ascii",      r"/\é${a}",      Ok(r"/\é/srv")),
        ("built in",          "${temp}/x",     Ok("{/tmp,/var/tmp,/dev/shm}/x")),
        ("defined otherwise", "${homes}/x",    Ok("/data/*/x")),
        ("a built-in one",    "${home}",       Err((0, "there is no variable `home`; did you mean `homes`?"))),
        ("not defined",       "/é${aa}",       Err((3, "there is no variable `aa`; did you mean `a`?"))),
        ("like no other",     "/${zzzzzz}",    Err((1, "there is no variable `zzzzzz`; define it under `variables`"))),
        ("not closed",        "/x${a",         Err((2, "a `${` without its `}`; write `\\${` for these two letters"))),
        ("itself",            "/${self_}",     Err((1, "the variable `self_` is part of its own value; write there what is meant"))),
        ("in a circle",       "/${p}",         Err((1, "the variable `p` is part of its own value; write there what is meant"))),
        ("inside another",    "/${lost}",      Err((1, "there is no variable `alist`; did you mean `list`?"))),
        ("too long",          "/${long}",      Err((1, "with its variables expanded, the text has more than 4096 bytes; make several rules of it"))),
    ];
    for (name, text, want) in cases {
        let got = variables
            .expand(text)
            .map(|expanded| expanded.text)
            .map_err(|(at, fault)| (at, fault.to_string()));
        let want = want
            .map(str::to_owned)
            .map_err(|(at, fault)| (at, fault.to_owned()));
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn words() {
    let mut variables = variables(&[
        ("one", &["10.0.0.1"]),
        ("two", &["10.0.0.2", "::1"]),
        ("all", &["${one}", "${two}", "10.0.0.3"]),
        ("part", &["10.${one}"]),
        ("p", &["${q}"]),
        ("q", &["${p}"]),
    ]);
    #[rustfmt::skip]
    let cases: [(&str, Result<&[&str], &str>); 7] = [
        ("one",   Ok(&["10.0.0.1"])),
        ("two",   Ok(&["10.0.0.2", "::1"])),
        ("all",   Ok(&["10.0.0.1", "10.0.0.2", "::1", "10.0.0.3"])),
        ("part",  Ok(&["10.${one}"])),
        ("temp",  Ok(&["/tmp", "/var/tmp", "/dev/shm"])),
        ("p",     Err("the variable `p` is part of its own value; write there what is meant")),
        ("on",    Err("there is no variable `on`; did you mean `one`?")),
    ];
    for (name, want) in cases {
        let got = variables
            .words(name)
            .map_err(|(_, fault)| fault.to_string());
        let has_places = |words: &Vec<Word>| words.iter().all(|word| word.place.is_some());
        assert_eq!(
            got.as_ref().is_ok_and(has_places),
            got.is_ok() && name != "temp",
            "{name}"
        );
        let got = got.map(|words| words.into_iter().map(|word| word.text).collect::<Vec<_>>());
        let want = want.map(|words| words.iter().map(ToString::to_string).collect());
        assert_eq!(got, want.map_err(str::to_owned), "{name}");
    }
}

#[test]
fn what_is_built_in_is_patterns() {
    for (name, values) in BUILT_IN {
        assert!(is_name(name), "{name}");
        assert!(!values.is_empty(), "{name}");
        for value in values {
            assert!(Pattern::parse(value).is_ok(), "{value}");
        }
    }
}

#[test]
fn a_chain_of_any_length_ends() {
    let names: Vec<String> = (0..10_000).map(|number| format!("v{number}")).collect();
    let mut variables = Variables::default();
    for pair in names.windows(2) {
        let [name, next] = pair else { continue };
        let value = format!("${{{next}}}");
        let origin = Origin::start_of("x.yaml".as_ref());
        variables.define(
            name,
            Definition {
                values: vec![value],
                places: vec![origin.clone()],
                origin,
            },
        );
    }
    let (_, fault) = variables.expand("/${v0}").unwrap_err();
    assert!(fault.to_string().contains("deep"), "{fault}");
}

#[test]
fn places() {
    let mut variables = variables(&[("a", &["/srv"])]);
    let expanded = variables.expand("/x${a}yz").unwrap();
    assert_eq!(expanded.text, "/x/srvyz");
    // By place in the expanded text, the places in the written one.
    let written: Vec<usize> = (0..9).map(|at| expanded.written_at(at)).collect();
    assert_eq!(written, [0, 1, 2, 2, 2, 2, 6, 7, 8]);
}
