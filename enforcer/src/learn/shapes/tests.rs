use super::{Evidence, Kind, shape};
use crate::profile::Pattern;

const FOUND: Evidence = Evidence {
    is_made: false,
    is_gone: false,
    is_mapped: false,
    is_several: false,
};
const MADE: Evidence = Evidence {
    is_made: true,
    ..FOUND
};
const GONE: Evidence = Evidence {
    is_gone: true,
    ..MADE
};
const MAPPED: Evidence = Evidence {
    is_mapped: true,
    ..FOUND
};
const SEVERAL: Evidence = Evidence {
    is_several: true,
    ..FOUND
};

/// Names that are another the next day, and those that are not, as alike as they are.
#[test]
fn shapes() {
    // Columns: folder, name, what is known of it, pattern, what is volatile in it.
    #[rustfmt::skip]
    let cases: &[(&str, &str, Evidence, &str, &[Kind])] = &[
        ("/proc",             "4242",                 FOUND,   "[0-9]*",                     &[Kind::Pid]),
        ("/proc",             "1",                    FOUND,   "1",                          &[]),
        ("/proc",             "self",                 FOUND,   "self",                       &[]),
        ("/proc/self/task",   "77",                   FOUND,   "[0-9]*",                     &[Kind::Pid]),
        ("/proc/self/fd",     "3",                    FOUND,   "[0-9]*",                     &[Kind::Digits]),
        ("/proc/sys/net",     "4242",                 FOUND,   "4242",                       &[]),
        ("/data/task",        "77",                   FOUND,   "77",                         &[]),

        ("/a", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", FOUND,  "????????-????-????-????-????????????", &[Kind::Uuid]),
        ("/a", "x-1b4e28ba-2fa1-11d2-883f-0016d3cca427.log", FOUND, "x-????????-????-????-????-????????????.log", &[Kind::Uuid]),
        ("/a", "1b4e28ba-2fa1-11d2-883f-0016d3cca42",  FOUND,  "1b4e28ba-2fa1-11d2-883f-0016d3cca42", &[]),
        ("/a", "1b4e28bz-2fa1-11d2-883f-0016d3cca427", FOUND,  "1b4e28bz-2fa1-11d2-883f-0016d3cca427", &[]),

        ("/a", "d41d8cd98f00b204e9800998ecf8427e",    FOUND,   "[0-9a-f]*",                  &[Kind::Hash]),
        ("/a", "pack-da39a3ee5e6b4b0d3255bfef95601890afd80709.idx", FOUND, "pack-[0-9a-f]*.idx", &[Kind::Hash]),
        ("/a", "d41d8cd98f00b204e9800998ecf8427",     FOUND,   "d41d8cd98f00b204e9800998ecf8427", &[]),
        ("/a", "d41d8cd98f00b204e9800998ecf8427g",    FOUND,   "d41d8cd98f00b204e9800998ecf8427g", &[]),
        ("/a", "abcdefabcdefabcdefabcdefabcdefab",    FOUND,   "abcdefabcdefabcdefabcdefabcdefab", &[]),
        ("/r/.git/objects",   "ab",                   FOUND,   "[0-9a-f][0-9a-f]",           &[Kind::Hash]),
        ("/r/.git/objects",   "info",                 FOUND,   "info",                       &[]),
        ("/r/.git/things",    "ab",                   FOUND,   "ab",                         &[]),

        ("/a", "2026-11-30",                          FOUND,   "[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]", &[Kind::Date]),
        ("/a", "app_2026.11.30.log",                  FOUND,   "app_[12][0-9][0-9][0-9].[01][0-9].[0-3][0-9].log", &[Kind::Date]),
        ("/a", "20261130",                            FOUND,   "[12][0-9][0-9][0-9][01][0-9][0-3][0-9]", &[Kind::Date]),
        ("/a", "d-20261130120000.sql",                FOUND,   "d-[12][0-9][0-9][0-9][01][0-9][0-3][0-9][0-9]*.sql", &[Kind::Date]),
        ("/a", "2026-13-30",                          FOUND,   "2026-13-30",                 &[]),
        ("/a", "20269999",                            FOUND,   "20269999",                   &[]),
        ("/a", "2026-11_30",                          FOUND,   "2026-11_30",                 &[]),

        ("/a", "temp-7361.rdb",                       MADE,    "temp-[0-9]*.rdb",            &[Kind::Digits]),
        ("/a", "temp-7361.rdb",                       FOUND,   "temp-7361.rdb",              &[]),
        ("/a", "access.log.1",                        MADE,    "access.log.[0-9]*",          &[Kind::Digits]),
        ("/a", "access.log.1",                        SEVERAL, "access.log.[0-9]*",          &[Kind::Digits]),
        ("/a", "access.log.1",                        FOUND,   "access.log.1",               &[]),
        ("/a", "img001.jpg",                          MADE,    "img[0-9]*.jpg",              &[Kind::Digits]),
        ("/a", "song.mp3",                            MADE,    "song.mp3",                   &[]),
        ("/a", "x.sha256",                            MADE,    "x.sha256",                   &[]),
        ("/a", "f1.txt",                              SEVERAL, "f[0-9]*.txt",                &[Kind::Digits]),
        ("/a", "a-1-b-2",                             MADE,    "a-[0-9]*-b-[0-9]*",          &[Kind::Digits, Kind::Digits]),
        ("/usr/lib/gcc/x86_64-linux-gnu", "12",       FOUND,   "12",                         &[]),

        ("/tmp", "ccXa81kQ.o",                        MADE,    "cc??????.o",                 &[Kind::TempName]),
        ("/tmp", "ccabcdef.s",                        MADE,    "cc??????.s",                 &[Kind::TempName]),
        ("/tmp", "ccabcdef.s",                        FOUND,   "ccabcdef.s",                 &[]),
        ("/tmp", "ccache.conf",                       MADE,    "ccache.conf",                &[]),
        ("/tmp", "tmp.Xa81kQ",                        MADE,    "tmp.??????",                 &[Kind::TempName]),
        ("/tmp", "tmp.Xa81kQ29Zz",                    MADE,    "tmp.??????????",             &[Kind::TempName]),
        ("/tmp", "tmpk3v9x2_q",                       MADE,    "tmp????????",                &[Kind::TempName]),
        ("/tmp", "tmp_config1",                       MADE,    "tmp_config1",                &[]),
        ("/o",   "tmp_obj_abCdef",                    MADE,    "tmp_obj_??????",             &[Kind::TempName]),
        ("/o",   "tmp_pack_abcdef",                   MADE,    "tmp_pack_??????",            &[Kind::TempName]),
        ("/a",   "aBcDeF",                            MADE,    "??????",                     &[Kind::TempName]),
        ("/a",   "abCDef",                            MADE,    "abCDef",                     &[]),
        ("/a",   "abCDef",                            GONE,    "??????",                     &[Kind::TempName]),
        ("/a",   "README",                            GONE,    "README",                     &[]),
        ("/a",   "nobody",                            GONE,    "nobody",                     &[]),
        ("/a",   "Makefile",                          GONE,    "Makefile",                   &[]),
        ("/a",   "ReadMe",                            MADE,    "ReadMe",                     &[]),
        ("/a",   "Makefile2",                         MADE,    "Makefile2",                  &[]),
        ("/a",   "temp-appendonly.aof",               MADE,    "temp-appendonly.aof",        &[]),
        ("/a",   "config.lock",                       GONE,    "config.lock",                &[]),
        ("/a",   "Xa81kQ",                            FOUND,   "Xa81kQ",                     &[]),

        ("/usr/lib", "libfoo.so.1.2.3",               MAPPED,  "libfoo.so{,.*}",             &[Kind::Version]),
        ("/usr/lib", "libfoo.so",                     MAPPED,  "libfoo.so",                  &[]),
        ("/usr/lib", "libfoo.so.1.2.3",               FOUND,   "libfoo.so.1.2.3",            &[]),

        ("/a",   "a*b{c}",                            MADE,    r"a\*b\{c\}",                 &[]),
        ("/a",   "é-1234",                            MADE,    "é-[0-9]*",                   &[Kind::Digits]),
    ];
    for &(folder, name, evidence, text, kinds) in cases {
        let got = shape(folder, name.as_bytes(), evidence);
        assert_eq!(got.text, text, "{folder}/{name}");
        assert_eq!(got.kinds, kinds, "{folder}/{name}");
        let pattern = Pattern::parse(&format!("/{text}")).unwrap();
        let path = format!("/{name}");
        assert!(pattern.matches(path.as_bytes()), "{path}");
    }
}

#[test]
fn bytes_that_are_no_text() {
    let got = shape("/a", b"\xff-12\xc3", MADE);
    assert_eq!(got.text, r"\xff-[0-9]*\xc3");
}
