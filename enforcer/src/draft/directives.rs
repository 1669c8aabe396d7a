//! From what units say to rules and privileges.

use std::path::{Path, PathBuf};

use enforcer_abi::{Access, Privilege};

use super::{
    files::{LOGS, STATE, is_area},
    root::{Kind, Root},
    sketch::{ANY, Group, Scope, Sketch},
    unit::{Unit, Units, expand, words},
};

/// Folders that systemd makes: the key, where they are, what they are for.
const FOLDERS: [(&str, &str, Group, Access); 5] = [
    ("RuntimeDirectory", "/run", Group::State, STATE),
    ("StateDirectory", "/var/lib", Group::State, STATE),
    ("CacheDirectory", "/var/cache", Group::State, STATE),
    ("LogsDirectory", "/var/log", Group::Logs, LOGS),
    (
        "ConfigurationDirectory",
        "/etc",
        Group::Settings,
        Access::READ,
    ),
];

/// Keys of sockets, with what comes over them.
const SOCKETS: [(&str, &str); 4] = [
    ("ListenStream", "tcp"),
    ("ListenDatagram", "udp"),
    ("ListenSequentialPacket", ""),
    ("ListenFIFO", ""),
];

/// Adds rules for what the units of a program say.
pub(super) fn rules(root: &Root, units: &Units, sketch: &mut Sketch) {
    for unit in &units.services {
        let mut reader = Reader { root, unit, sketch };
        reader.folders();
        reader.files();
        reader.arguments();
        reader.privileges();
        reader.abstractions();
    }
    for unit in &units.sockets {
        Reader { root, unit, sketch }.sockets();
    }
}

/// The user that a service runs as: root, where it does not say.
pub(super) fn user(unit: &Unit) -> &str {
    if unit.is_on("Service", "DynamicUser") {
        return "a user of its own";
    }
    // `!` has the command do without the user, and `+` without all that confines it. `!!` is
    // for kernels that cannot give a user capabilities.
    let mut commands = unit.list("Service", "ExecStart").into_iter();
    let is_full = |command: &str| {
        let end = command.find(|letter| !"@-:+!|".contains(letter));
        let marks = command.get(..end.unwrap_or(0)).unwrap_or_default();
        marks.contains('+') || marks.contains('!') && !marks.contains("!!")
    };
    if commands.any(is_full) {
        return "root";
    }
    match unit.value("Service", "User") {
        None | Some("0") => "root",
        Some(user) => user,
    }
}

struct Reader<'a> {
    root: &'a Root,
    unit: &'a Unit,
    sketch: &'a mut Sketch,
}

impl Reader<'_> {
    /// Where something comes from, in words.
    fn source(&self, key: &str) -> String {
        format!("{key}= of {}", self.unit.name)
    }

    /// The words of all values of a key, with what `%` stands for. Others are noted.
    fn words(&mut self, section: &str, key: &str) -> Vec<String> {
        let mut known = Vec::new();
        for word in self.unit.list(section, key).into_iter().flat_map(words) {
            match expand(&word, &self.unit.name) {
                Some(word) => known.push(word),
                None => self.sketch.notes.push(format!(
                    "{} has {word}, which is not known before it runs; add a rule for it",
                    self.source(key)
                )),
            }
        }
        known
    }

    /// Adds a rule on a path of the unit's.
    fn rule(&mut self, group: Group, path: &str, scope: Scope, allow: Access, key: &str) {
        let path = settle(self.root, path);
        let source = self.source(key);
        self.sketch.rule(group, (&path, scope), allow, source);
    }

    fn folders(&mut self) {
        // Those of a user that is made for it lie apart, and links lead there.
        let apart = self.unit.is_on("Service", "DynamicUser");
        for (key, parent, group, allow) in FOLDERS {
            for name in self.words("Service", key) {
                // Behind a colon there are other names of it.
                let name = name.split(':').next().unwrap_or_default();
                let scope = if group == Group::Logs {
                    Scope::Beneath
                } else {
                    Scope::Tree
                };
                let private = apart && matches!(parent, "/var/lib" | "/var/cache" | "/var/log");
                let parent = if private {
                    format!("{parent}/private")
                } else {
                    parent.to_owned()
                };
                self.rule(group, &format!("{parent}/{name}"), scope, allow, key);
            }
        }
        for key in ["ReadWritePaths", "ReadWriteDirectories"] {
            for path in self.words("Service", key) {
                let path = path.trim_start_matches(['-', '+']);
                if is_common(path) {
                    self.sketch.notes.push(format!(
                        "{} has {path}, which is not its own; add rules for what it needs of it",
                        self.source(key)
                    ));
                } else {
                    self.rule(Group::State, path, Scope::Tree, STATE, key);
                }
            }
        }
    }

    fn files(&mut self) {
        for path in self.words("Service", "PIDFile") {
            let path = Path::new("/run").join(path);
            let path = path.to_string_lossy();
            self.rule(Group::State, &path, Scope::Path, STATE, "PIDFile");
        }
    }

    /// Files and folders that the command line names.
    fn arguments(&mut self) {
        for command in self.unit.list("Service", "ExecStart") {
            for word in words(command).iter().skip(1) {
                let path = word
                    .split_once('=')
                    .map_or(word.as_str(), |(_, value)| value);
                let Some(path) = expand(path, &self.unit.name) else {
                    continue;
                };
                // The program itself where its name for the process comes first.
                if !path.starts_with('/') || path.contains(['$', ' ', '\'']) {
                    continue;
                }
                let scope = match self.root.kind(Path::new(&path)) {
                    Kind::Folder => Scope::Tree,
                    Kind::File { executable: false } => Scope::Path,
                    Kind::Nothing if path.contains(ANY) => Scope::Path,
                    Kind::File { .. } | Kind::Other | Kind::Nothing => continue,
                };
                self.rule(Group::Settings, &path, scope, Access::READ, "ExecStart");
            }
        }
    }

    fn privileges(&mut self) {
        let is_root = user(self.unit) == "root";
        let mut keys = vec!["AmbientCapabilities"];
        // What bounds root is what it has; nobody else gets it by that.
        if is_root {
            keys.push("CapabilityBoundingSet");
        }
        for key in keys {
            for value in self.unit.list("Service", key) {
                if value.starts_with('~') {
                    // It says what is not needed, which is not granted anyway.
                    continue;
                }
                for name in words(value) {
                    self.capability(&name, key);
                }
            }
        }
    }

    fn capability(&mut self, name: &str, key: &str) {
        let lower = name.to_ascii_lowercase();
        let bare = lower.strip_prefix("cap_").unwrap_or(&lower);
        let source = self.source(key);
        if Privilege::from_name(bare).is_some() {
            Sketch::name(&mut self.sketch.privileges, bare, source);
        } else {
            let note = format!("{source} has {name}, which is no privilege that is known");
            self.sketch.notes.push(note);
        }
    }

    fn abstractions(&mut self) {
        let kind = self.unit.value("Service", "Type").unwrap_or_default();
        if matches!(kind, "notify" | "notify-reload") {
            let source = self.source("Type");
            Sketch::name(&mut self.sketch.include, "service", source);
        }
        if self.unit.is_on("Service", "PrivateTmp") {
            let source = self.source("PrivateTmp");
            Sketch::name(&mut self.sketch.include, "temp-private", source);
        }
    }

    fn sockets(&mut self) {
        for (key, protocol) in SOCKETS {
            for address in self.words("Socket", key) {
                if address.starts_with('/') {
                    let allow = Access::READ | Access::WRITE;
                    self.rule(Group::State, &address, Scope::Path, allow, key);
                } else if let Some(abstract_name) = address.strip_prefix('@') {
                    let note = format!(
                        "{} is the abstract socket {abstract_name}, which no path names",
                        self.source(key)
                    );
                    self.sketch.notes.push(note);
                } else if let Some(port) = port(&address)
                    && !protocol.is_empty()
                {
                    let source = self.source(key);
                    let rule = format!("{{ protocol: {protocol}, port: {port}, allow: [bind] }}");
                    Sketch::name(&mut self.sketch.network, &rule, source);
                }
            }
        }
    }
}

/// Whether a folder is there for many programs: those at the top, and where packages have
/// folders of theirs.
fn is_common(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.matches('/').count() < 2 || is_area(Path::new(path)) || path == "/var/tmp"
}

/// The port of an address: `80`, `127.0.0.1:80`, `[::]:80`.
fn port(address: &str) -> Option<u16> {
    let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
    port.parse().ok()
}

/// The path as the kernel sees it. What may be any name stays so.
fn settle(root: &Root, path: &str) -> PathBuf {
    let is_known =
        |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(ANY);
    let parts = || Path::new(path).components();
    let known: PathBuf = parts().take_while(is_known).collect();
    let rest = parts().skip_while(is_known);
    // To join what is empty would add a `/`.
    rest.fold(root.settle(&known), |path, part| path.join(part))
}

#[cfg(test)]
mod tests;
