//! One thing after the other, as it is told.
//!
//! `edge obey` does what each line of stdin says, in the words of `edge`, and answers
//! with the errno. These are for it, but can be had on their own:
//!
//! ```text
//! users REAL EFFECTIVE SAVED      changes this task's user ids
//! write FILE TEXT                 opens a file and writes to it
//! thread WORDS…                   does something in a new thread
//! exec PROGRAM ARGS…              becomes another program
//! run PROGRAM ARGS…               runs one, whose exit status is an errno
//! bear                            starts a child that obeys
//! child WORDS…                    has the child do something
//! own-root ROOT moved|pivoted     gets mounts of its own, of which ROOT is the root
//! ```

use std::{
    cell::RefCell,
    error::Error,
    ffi::OsStr,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
};

use rustix::{
    fs::{Mode, OFlags, Uid, open},
    io::Errno,
    mount::{
        MountPropagationFlags, UnmountFlags, mount_bind_recursive, mount_change, mount_move,
        unmount,
    },
    process::{chdir, chroot, pivot_root},
    thread::set_thread_res_uid,
};

use crate::{SENSELESS, Tried, exec, number, raw};

thread_local! {
    /// The child that obeys.
    static CHILD: RefCell<Option<(Child, BufReader<ChildStdout>)>> = const { RefCell::new(None) };
}

pub(crate) fn attempt(what: &OsStr, args: &[&OsStr]) -> Result<Tried, Box<dyn Error>> {
    Ok(match (what.to_str().unwrap_or(""), args) {
        ("obey", []) => {
            obey()?;
            Ok(())
        }
        ("users", [real, effective, saved]) => set_thread_res_uid(
            Uid::from_raw(number(real)?),
            Uid::from_raw(number(effective)?),
            Uid::from_raw(number(saved)?),
        ),
        ("write", [path, text]) => open(*path, OFlags::WRONLY, Mode::empty())
            .and_then(|file| rustix::io::write(file, text.as_encoded_bytes()))
            .map(drop),
        ("thread", words) => thread::scope(|scope| {
            let thread = scope.spawn(|| crate::attempt(words).unwrap_or(Err(Errno::INVAL)));
            thread.join().unwrap_or(Err(Errno::INTR))
        }),
        ("exec", [program, args @ ..]) => exec(program, args),
        ("run", [program, args @ ..]) => run(program, args),
        ("bear", []) => {
            bear()?;
            Ok(())
        }
        ("child", words) => tell_child(words)?,
        ("own-root", [root, how]) => own_root(root, how),
        _ => return Err("no such thing to try".into()),
    })
}

/// Does what each line says, until stdin ends.
fn obey() -> Result<(), Box<dyn Error>> {
    println!("ready");
    // An exec must not lose an order, so that no more is read than what is followed.
    let mut line = String::new();
    while io::stdin().lock().read_line(&mut line)? > 0 {
        let words: Vec<&OsStr> = line.split_whitespace().map(OsStr::new).collect();
        match crate::attempt(&words)? {
            Ok(()) => println!("0"),
            Err(errno) => println!("{}", errno.raw_os_error()),
        }
        line.clear();
    }
    Ok(())
}

fn run(program: &OsStr, args: &[&OsStr]) -> Tried {
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::inherit())
        .status();
    let code = match status {
        Ok(status) => status.code().unwrap_or(SENSELESS.into()),
        Err(err) => err.raw_os_error().unwrap_or(SENSELESS.into()),
    };
    match code {
        0 => Ok(()),
        code => Err(Errno::from_raw_os_error(code)),
    }
}

fn bear() -> Result<(), Box<dyn Error>> {
    let mut child = Command::new("/proc/self/exe")
        .arg("obey")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    answers.read_line(&mut String::new())?;
    CHILD.set(Some((child, answers)));
    Ok(())
}

fn tell_child(words: &[&OsStr]) -> Result<Tried, Box<dyn Error>> {
    CHILD.with_borrow_mut(|child| {
        let (child, answers) = child.as_mut().ok_or("no child")?;
        let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
        let stdin = child.stdin.as_mut().ok_or("no pipe")?;
        writeln!(stdin, "{}", words.join(" "))?;
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        Ok(match answer.trim_end().parse()? {
            0 => Ok(()),
            errno => Err(Errno::from_raw_os_error(errno)),
        })
    })
}

/// Does what a container's runtime does before it runs the program.
fn own_root(root: &OsStr, how: &OsStr) -> Tried {
    raw::unshare_mounts()?;
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    mount_bind_recursive(root, root)?;
    chdir(root)?;
    mount_move(".", "/")?;
    chroot(".")?;
    if how == "pivoted" {
        // The first root of a machine cannot be changed; what lies over it can.
        mount_bind_recursive("/", "/")?;
        chdir("/..")?;
        pivot_root(".", ".")?;
        unmount(".", UnmountFlags::DETACH)?;
    }
    chdir("/")
}
