//! What the demonstration plays on: the files, nginx and the agent.

use std::{
    fs::{self, File},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use enforcer_tests::{start_agent, stop, wait_for};
use serde_json::Value;

use crate::attack::ADDRESS;

const CONFIGURATION: &str = include_str!("nginx.conf");
const PROFILES: &str = "/etc/enforcer/profiles";
const STATE: &str = "/var/lib/enforcer-demo";

/// Writes nginx's configuration and the files that it serves, and those that it
/// should not.
pub(crate) fn build() {
    for (path, contents) in [
        ("/etc/nginx/nginx.conf", CONFIGURATION),
        ("/srv/www/index.html", "<h1>welcome</h1>"),
        ("/srv/www/about.html", "<h1>about</h1>"),
        ("/srv/upload/logo.svg", "<svg/>"),
        ("/srv/keys/deploy.key", "-----BEGIN PRIVATE KEY-----"),
        (
            "/srv/legacy/customers.csv",
            "1,Ada Lovelace,ada@example.org",
        ),
        ("/etc/shadow", "root:$6$planted:19000:0:99999:7:::"),
    ] {
        let folder = path.rsplit_once('/').expect("an absolute path").0;
        fs::create_dir_all(folder).expect("make a folder");
        fs::write(path, contents).expect("write a file");
    }
    for folder in ["/var/log/nginx", "/var/lib/nginx", "/run"] {
        fs::create_dir_all(folder).expect("make a folder");
    }
}

/// Removes what an attack left behind.
pub(crate) fn clean() {
    let _absent = fs::remove_file("/srv/www/shell.html");
}

/// Where nginx says what is wrong before it has read its configuration.
const NGINX_LOG: &str = "/var/log/nginx/start.log";

/// A running nginx, and that it is gone at the end.
pub(crate) struct Nginx(Child);

impl Nginx {
    /// Starts it, and waits until it listens.
    pub(crate) fn start() -> Self {
        // What it inherits, its profile has to grant: it may add to its own logs.
        let log = File::options()
            .create(true)
            .append(true)
            .open(NGINX_LOG)
            .expect("make a log");
        let child = Command::new("/usr/sbin/nginx")
            .args(["-g", "daemon off;"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("start nginx");
        if wait_for(Duration::from_secs(20), || TcpStream::connect(ADDRESS).ok()).is_none() {
            let log = fs::read_to_string(NGINX_LOG).unwrap_or_default();
            panic!("nginx does not come up: {log}");
        }
        Self(child)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// A running agent with the shipped profiles.
pub(crate) struct Agent(Child);

impl Agent {
    /// Starts it with a fresh state; `tighten` replaces the profile's own value.
    pub(crate) fn start(tighten: &str) -> Self {
        let _absent = fs::remove_dir_all(STATE);
        let profile = format!("{PROFILES}/nginx.yaml");
        let shipped = fs::read_to_string(&profile).expect("read the profile");
        let text: String = shipped
            .replace("tighten: auto", &format!("tighten: {tighten}"))
            .replace("tighten: propose", &format!("tighten: {tighten}"));
        fs::write(&profile, text).expect("write the profile");
        let log = File::create("/tmp/enforcer.log").expect("make a log");
        let mut run = Command::new("enforcer");
        run.args(["run", "--state", STATE, "--trial", "0s"])
            .stderr(log);
        let child = start_agent(&mut run).unwrap_or_else(|| {
            let log = fs::read_to_string("/tmp/enforcer.log").unwrap_or_default();
            panic!("the agent does not come up: {log}")
        });
        Self(child)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// What `enforcer ARGS` prints, as JSON.
pub(crate) fn json(args: &[&str]) -> Option<Value> {
    let output = Command::new("enforcer")
        .args(args)
        .output()
        .expect("run enforcer");
    serde_json::from_slice(&output.stdout).ok()
}

/// Whether the profile `nginx` as it is written grants `op` on `path`, and the
/// sentence that says so.
pub(crate) fn explain(op: &str, path: &str) -> (bool, String) {
    let output = Command::new("enforcer")
        .args(["explain", "--profile", "nginx", "--op", op, path])
        .output()
        .expect("run enforcer");
    let text = String::from_utf8_lossy(&output.stdout);
    let sentence = text.lines().next().unwrap_or_default();
    (output.status.success(), sentence.to_owned())
}

/// What the agent says of the profile `nginx`.
pub(crate) fn status() -> Option<Value> {
    let status = json(&["status", "--json"])?;
    status["profiles"]
        .as_array()?
        .iter()
        .find(|one| one["name"] == "nginx")
        .cloned()
}

/// Every detection there is.
pub(crate) fn detections() -> Vec<Value> {
    match json(&["detections", "list", "--json"]) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// What an overlay takes away, in a few words.
pub(crate) fn overlay(id: &str) -> Option<String> {
    let text = fs::read_to_string(format!("{STATE}/overlays/{id}.yaml")).ok()?;
    let patterns: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.trim_start_matches(['-', ' '])
                .strip_prefix("pattern: ")
        })
        .map(|pattern| pattern.trim_matches(['"', '\'']))
        .collect();
    (!patterns.is_empty()).then(|| format!("took away {}", patterns.join(", ")))
}
