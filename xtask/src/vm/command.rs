//! Words for the guest: the kernel's command line, and the command to run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::kernel::Kernel;

/// What every guest's kernel is told.
///
/// A warning and worse go to the console; an oops ends the guest, and the end
/// of the guest ends QEMU. The rest saves time at boot.
const BASE: &str = "console=ttyS0 rdinit=/init loglevel=5 oops=panic panic=-1 \
    cryptomgr.notests random.trust_cpu=on no_timer_check tsc=reliable";

/// What makes instruction counts come out the same every time.
const COUNTING: &str = "init_on_alloc=0 mitigations=off audit=0";

/// Security modules for a kernel whose configuration is not at hand.
const USUAL_LSM: &str = "landlock,lockdown,yama,integrity,apparmor";

/// Folders that are searched for the command's program, in order.
const PATH: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// Returns the command line for `kernel`. `append` comes last, so it wins.
pub(crate) fn kernel_line(kernel: &Kernel, append: &str, icount: bool) -> String {
    let mut words = vec![BASE.to_owned()];
    if icount {
        words.push(COUNTING.to_owned());
    }
    words.extend(lsm(kernel.lsm.as_deref(), append));
    if !append.is_empty() {
        words.push(append.to_owned());
    }
    words.join(" ")
}

/// Returns the `lsm=` that adds bpf to a kernel that starts `default`, if that
/// is needed and `append` does not have its own.
fn lsm(default: Option<&str>, append: &str) -> Option<String> {
    if append
        .split_whitespace()
        .any(|word| word.starts_with("lsm="))
    {
        return None;
    }
    let default = default.unwrap_or(USUAL_LSM);
    if default.split(',').any(|name| name == "bpf") {
        return None;
    }
    Some(format!("lsm={default},bpf").replace("=,", "="))
}

/// Returns the shell script that runs `argv` with `env`, word for word.
///
/// The program is searched for here and not by the shell, which would prefer
/// its own applets to the programs of packages.
pub(crate) fn script(argv: &[OsString], env: &[(String, String)]) -> Vec<u8> {
    let mut script = Vec::new();
    for (name, value) in env {
        script.extend(format!("export {name}=").as_bytes());
        quote(value.as_ref(), &mut script);
        script.push(b'\n');
    }
    let Some((program, rest)) = argv.split_first() else {
        return script;
    };
    let mut words = Vec::new();
    for arg in rest {
        words.push(b' ');
        quote(arg, &mut words);
    }
    let mut name = Vec::new();
    quote(program, &mut name);
    if program.as_bytes().contains(&b'/') {
        script.extend([b"exec ", &*name, &*words, b"\n"].concat());
        return script;
    }
    for dir in PATH {
        let path = [dir.as_bytes(), b"/", &*name].concat();
        script.extend([b"[ -x ", &*path, b" ] && exec ", &*path, &*words, b"\n"].concat());
    }
    script.extend([b"echo ", &*name, b": not found >&2\nexit 127\n"].concat());
    script
}

/// Appends `word` to `script` so that a shell takes it as it is.
fn quote(word: &OsStr, script: &mut Vec<u8>) {
    script.push(b'\'');
    for &byte in word.as_bytes() {
        if byte == b'\'' {
            script.extend(b"'\\''");
        } else {
            script.push(byte);
        }
    }
    script.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn bpf_is_added_where_it_is_missing() {
        #[rustfmt::skip]
        let cases = [
            ("missing",          Some("yama,tomoyo"), "",            Some("lsm=yama,tomoyo,bpf")),
            ("there",            Some("yama,bpf"),    "",            None),
            ("another's name",   Some("yama,bpfx"),   "",            Some("lsm=yama,bpfx,bpf")),
            ("no default",       Some(""),            "",            Some("lsm=bpf")),
            ("not known",        None,                "",            Some("lsm=landlock,lockdown,yama,integrity,apparmor,bpf")),
            ("the user's own",   Some("yama"),        "a lsm=yama",  None),
            ("not the user's",   Some("yama"),        "a.lsm=x",     Some("lsm=yama,bpf")),
        ];
        for (name, default, append, want) in cases {
            assert_eq!(lsm(default, append).as_deref(), want, "{name}");
        }
    }

    /// Runs the script of `argv` and returns what it printed.
    fn output(argv: &[&[u8]]) -> Vec<u8> {
        let argv: Vec<OsString> = argv
            .iter()
            .map(|arg| OsStr::from_bytes(arg).to_owned())
            .collect();
        let env = [("GREETING".to_owned(), "it's".to_owned())];
        let script = script(&argv, &env);
        let mut sh = Command::new("sh");
        sh.arg("-c").arg(OsStr::from_bytes(&script));
        sh.output().unwrap().stdout
    }

    #[test]
    fn arguments_arrive_as_they_are() {
        let odd: [&[u8]; 8] = [
            b"",
            b"it's",
            b"$HOME `id` \"\\\"",
            b"two\nlines\n",
            b"*",
            b"-n",
            b"\xff\x81\x88",
            b"'",
        ];
        let mut argv: Vec<&[u8]> = vec![b"printf", b"%s|"];
        argv.extend(odd);
        let mut want = odd.join(&b'|');
        want.push(b'|');
        assert_eq!(output(&argv), want);
    }

    #[test]
    fn environment_arrives_as_it_is() {
        assert_eq!(output(&[b"/bin/sh", b"-c", b"echo $GREETING"]), b"it's\n");
    }
}
