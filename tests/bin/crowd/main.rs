//! Confined processes that keep the kernel programs busy, with what is granted and
//! with what is refused, and that know which is which.
//!
//! ```text
//! crowd many FOLDER COUNT    COUNT processes, until FOLDER/stop exists; prints what they did
//! crowd one FOLDER           one of them
//! crowd nothing              ends at once: a program to run
//! ```
//!
//! In `FOLDER/granted` files may be read, made and removed, and nothing in
//! `FOLDER/secret`. Exit status 1 if something came out otherwise.

use std::{
    env,
    error::Error,
    fs::{self, OpenOptions},
    io,
    path::Path,
    process::{self, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// Between two rounds, so that the others get something done.
const PAUSE: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        [program, "many", folder, count] => many(program, folder, count),
        [program, "one", folder] => one(program, Path::new(folder)),
        [_, "nothing"] => return ExitCode::SUCCESS,
        _ => Err("usage: crowd many FOLDER COUNT | one FOLDER | nothing".into()),
    };
    match done {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(err) => {
            eprintln!("crowd: {err}");
            ExitCode::FAILURE
        }
    }
}

/// Starts many, and adds up what they did.
fn many(program: &str, folder: &str, count: &str) -> Result<Value, Box<dyn Error>> {
    let count: usize = count.parse()?;
    let processes = (0..count)
        .map(|_| {
            Command::new(program)
                .args(["one", folder])
                .stdout(Stdio::piped())
                .spawn()
        })
        .collect::<io::Result<Vec<_>>>()?;
    println!("ready");
    let mut sums = [0; 2];
    for process in processes {
        let output = process.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("one of them failed: {}", output.status).into());
        }
        let did: Value = serde_json::from_slice(&output.stdout)?;
        for (sum, name) in sums.iter_mut().zip(["rounds", "refused"]) {
            *sum += did[name].as_u64().ok_or("no number")?;
        }
    }
    let [rounds, refused] = sums;
    Ok(json!({ "processes": count, "rounds": rounds, "refused": refused }))
}

/// Does what is granted and what is refused, in turn.
fn one(program: &str, folder: &Path) -> Result<Value, Box<dyn Error>> {
    let name = process::id().to_string();
    let granted = folder.join("granted");
    let secret = folder.join("secret");
    let stop = granted.join("stop");
    let mut rounds = 0;
    let mut refusals = 0;
    while !stop.exists() {
        rounds += 1;
        fs::read(granted.join("file"))?;
        let new = granted.join(&name);
        fs::write(&new, "x")?;
        fs::remove_file(&new)?;
        let ran = Command::new(program).arg("nothing").status()?;
        if !ran.success() {
            return Err(format!("what may be run ended with {ran}").into());
        }
        let mut create = OpenOptions::new();
        create.write(true).create_new(true);
        for (what, tried) in [
            ("read", fs::read(secret.join("file")).map(drop)),
            ("make", create.open(secret.join(&name)).map(drop)),
            (
                "run",
                Command::new(secret.join("program")).status().map(drop),
            ),
        ] {
            match tried {
                Err(err) if err.kind() == io::ErrorKind::PermissionDenied => refusals += 1,
                other => return Err(format!("not refused: {what}: {other:?}").into()),
            }
        }
        thread::sleep(PAUSE);
    }
    Ok(json!({ "rounds": rounds, "refused": refusals }))
}
