//! The whole product on a real nginx: what is served, what an attack finds, and
//! what is left of it.
//!
//! The nginx is Debian's, badly configured in three ways that are seen in the
//! field: an `alias` without its slash lets a request out of its folder, a
//! maintenance page evaluates what it is sent as Perl, and the workers run as
//! root. So the attacker's code runs inside nginx, and only the profile is in
//! its way. The same attack is made three times.
//!
//! Exits with 1 if any step does not go as told here.

mod attack;
mod scene;

use std::{
    net::TcpListener,
    process::ExitCode,
    time::{Duration, Instant},
};

use enforcer_tests::wait_for;
use serde_json::Value;

use self::{
    attack::STEPS,
    scene::{Agent, Nginx},
};

/// The grant that the attack makes the agent take away: loose, and never used.
const LOOSE: &str = "/srv/legacy/customers.csv";

/// What the demonstration has shown so far.
#[derive(Default)]
struct Show {
    wrong: u32,
}

impl Show {
    /// Prints a line, and counts it if it is not as told.
    fn line(&mut self, as_told: bool, text: &str) {
        let mark = if as_told { "" } else { "   <- NOT AS TOLD" };
        self.wrong += u32::from(!as_told);
        println!("{text}{mark}");
    }

    /// Serves pages; all have to come.
    fn serve(&mut self) {
        let pages = ["/", "/about.html", "/files/logo.svg"];
        let served = pages
            .iter()
            .filter(|page| attack::get(page).status == 200)
            .count();
        let text = format!(
            "  serves    {served} of {} pages ({})",
            pages.len(),
            pages.join(", ")
        );
        self.line(served == pages.len(), &text);
    }

    /// Makes the attack; `found` says which steps have to succeed.
    fn attack(&mut self, found: [bool; STEPS.len()], before_last: impl FnOnce(&mut Self)) {
        let mut before_last = Some(before_last);
        let mut successes = 0;
        for (index, (step, told)) in STEPS.iter().zip(found).enumerate() {
            if index + 1 == STEPS.len()
                && let Some(between) = before_last.take()
            {
                between(self);
            }
            let got = attack::step(step);
            successes += u32::from(got.is_some());
            let outcome = match &got {
                Some(loot) => format!("FOUND     {}: {loot}", step.what),
                None => format!("refused   {}", step.what),
            };
            self.line(got.is_some() == told, &format!("  {outcome}"));
        }
        println!("  => the attack got {successes} of {}", STEPS.len());
    }
}

fn main() -> ExitCode {
    let start = Instant::now();
    let mut show = Show::default();
    scene::build();
    let _home = TcpListener::bind(attack::HOME).expect("listen");

    println!("1. nginx without enforcer");
    let nginx = Nginx::start();
    show.serve();
    show.attack([true; STEPS.len()], |_| ());
    drop(nginx);
    scene::clean();

    println!("2. nginx under profiles/nginx.yaml as shipped: tightening is proposed");
    let agent = Agent::start("propose");
    let nginx = Nginx::start();
    show.serve();
    show.attack([false, false, false, false, false, true], |_| ());
    drop(nginx);
    drop(agent);
    scene::clean();

    println!("3. the same with `tighten: auto`");
    let agent = Agent::start("auto");
    let nginx = Nginx::start();
    show.serve();
    loose_grant(&mut show);
    let (before, _) = rights();
    show.attack([false; STEPS.len()], tightened);
    let (after, tightenings) = rights();
    show.line(
        before != after && tightenings > 0,
        &format!("  rights    {before}… before, {after}… after; {tightenings} tightenings hold"),
    );
    detections(&mut show);
    show.serve();
    drop(nginx);
    drop(agent);

    println!(
        "took {:.0} s in the machine; {} steps not as told",
        start.elapsed().as_secs_f32(),
        show.wrong
    );
    if show.wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Waits for the agent's answer to the first steps, and shows it.
fn tightened(show: &mut Show) {
    let start = Instant::now();
    let entry = wait_for(Duration::from_secs(5), || {
        let log = scene::json(&["tighten", "log", "--json"])?;
        log.as_array()?
            .iter()
            .find(|entry| entry["state"] == "applied")
            .cloned()
    });
    let text = match &entry {
        Some(entry) => format!(
            "  tightened {} of {} ({}), seen after {} ms",
            text(&entry["tightening"]),
            text(&entry["profile"]),
            removals(entry),
            start.elapsed().as_millis(),
        ),
        None => "  no tightening".to_owned(),
    };
    show.line(entry.is_some(), &text);
}

/// What a tightening took away, by the profile's status.
fn removals(entry: &Value) -> String {
    let plans = scene::overlay(&text(&entry["tightening"]));
    plans.unwrap_or_else(|| text(&entry["cause"]))
}

/// What the profile, as it is written, says of the loose grant.
fn loose_grant(show: &mut Show) {
    let (granted, answer) = scene::explain("read", LOOSE);
    show.line(granted, &format!("  explain   {answer}"));
}

/// The rights that are in force, in short, and how many tightenings hold.
fn rights() -> (String, usize) {
    let Some(profile) = scene::status() else {
        return ("unknown".to_owned(), 0);
    };
    let digest = text(&profile["digest"]);
    let tightenings = profile["tightenings"].as_array().map_or(0, Vec::len);
    (digest.chars().take(12).collect(), tightenings)
}

/// The detections, as the user lists them.
fn detections(show: &mut Show) {
    let list = scene::detections();
    println!("  detections:");
    for one in &list {
        println!(
            "    {} {} {} {} by {} (pid {}), {}x",
            text(&one["id"]),
            text(&one["verdict"]),
            one["missing"]
                .as_array()
                .map(|rights| rights.iter().map(text).collect::<Vec<_>>().join("+"))
                .unwrap_or_default(),
            text(&one["path"]),
            text(&one["who"]["exe"]),
            one["who"]["pid"],
            one["count"],
        );
    }
    let refused = STEPS
        .iter()
        .filter(|step| list.iter().any(|one| one["path"] == step.object))
        .count();
    show.line(
        refused == STEPS.len(),
        &format!(
            "  {refused} of {} attack steps are in the list",
            STEPS.len()
        ),
    );
}

/// A JSON string without its quotes.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
