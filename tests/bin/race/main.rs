//! Both sides of a race: an outsider who changes names, and a confined reader
//! who opens files meanwhile and knows what may come of it.
//!
//! ```text
//! race prepare SCENE FOLDER        makes the scene; prints what its test needs
//! race change SCENE FOLDER         changes names until it is killed
//! race storm SCENE FOLDER          the same, without a pause
//! race read SCENE FOLDER ROUNDS    reads; exit status 1 at the first wrong outcome
//! ```
//!
//! - [`scene`]: what a scene is made of; [`scenes`]: all of them
//! - [`board`]: how the reader knows which state the scene is in
//! - [`change`], [`read`]: the two sides

mod board;
mod change;
mod read;
mod scene;
mod scenes;

use std::{env, error::Error, path::Path, process::ExitCode};

use serde_json::json;

use crate::{change::Pace, scene::Scene};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("race: {err}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<(), Box<dyn Error>> {
    let [what, name, folder, rest @ ..] = args else {
        return Err("usage: race prepare|change|storm|read SCENE FOLDER [ROUNDS]".into());
    };
    let scene = Scene::named(name).ok_or("no such scene")?;
    let folder = Path::new(folder);
    match (*what, rest) {
        ("prepare", []) => {
            scene.prepare(folder)?;
            let needs = json!({
                "rules": scene.rules,
                "refusals": scene.refusals,
            });
            println!("{needs}");
        }
        ("change", []) => change::run(scene, folder, Pace::Paused)?,
        ("storm", []) => change::run(scene, folder, Pace::Storm)?,
        ("read", [rounds]) => {
            let tally = read::run(scene, folder, rounds.parse()?)?;
            println!("{}", tally.to_json());
        }
        _ => return Err("no such side, or too many arguments".into()),
    }
    Ok(())
}
