//! Patterns for single objects, by the evidence of others that the same program uses.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    rc::Rc,
};

use enforcer_abi::Access;

use super::{
    Existing, Observation, Thresholds, abstractions::grants, fold, networks, observe, tree,
};
use crate::profile::{Compiled, NetworkObject, Pattern, Profile, compile_alone};

/// A rule about more than one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wider {
    /// The pattern of its paths; of one on networks all of it, as YAML.
    pub pattern: String,
    /// The evidence.
    pub why: String,
}

/// What a program was seen to do, as evidence of what its accesses have in common.
#[derive(Debug, Default)]
pub struct Evidence {
    paths: BTreeSet<Vec<u8>>,
    /// The rights that were used, by the names that tables judge.
    networks: BTreeMap<Vec<u8>, Access>,
    /// By the paths for which they stand.
    wider: HashMap<Vec<u8>, Rc<Wider>>,
    wider_networks: Vec<(Compiled, Wider)>,
}

impl Evidence {
    /// Of what was seen.
    pub fn of(seen: &[Observation], existing: &dyn Existing) -> Self {
        let (gathered, _) = observe::gather(seen, &BTreeSet::new());
        let thresholds = Thresholds::default();
        let tree = tree::tree(&gathered.paths, thresholds.same_shape);
        let mut wider = HashMap::new();
        for rule in fold::rules(tree, &thresholds, existing) {
            let pattern = rule.pattern();
            if rule.why.is_empty() || Pattern::parse(&pattern).is_err() {
                continue;
            }
            let why = rule.evidence();
            let shared = Rc::new(Wider { pattern, why });
            let paths = rule.paths.into_iter();
            wider.extend(paths.map(|path| (path, Rc::clone(&shared))));
        }
        let rules = networks::rules(&gathered, &thresholds).unwrap_or_default();
        let wide = rules.into_iter().filter_map(|rule| {
            let text = format!("name: x\nmode: enforce\nnetwork: [{}]\n", rule.text);
            let profile = Profile::parse(&text, Path::new("x.yaml"), Path::new("")).ok()?;
            let wider = Wider {
                pattern: rule.text,
                why: rule.why?,
            };
            Some((compile_alone(&profile).ok()?, wider))
        });
        let wider_networks = wide.collect();
        let networks = gathered.networks.into_iter();
        Self {
            wider,
            wider_networks,
            networks: networks.map(|(name, (_, access))| (name, access)).collect(),
            paths: gathered.paths.into_keys().collect(),
        }
    }

    /// The paths that were used.
    pub fn paths(&self) -> &BTreeSet<Vec<u8>> {
        &self.paths
    }

    /// The pattern that stands for a path that was used, and others like it, if there is
    /// evidence for one.
    pub fn on_path(&self, path: &[u8]) -> Option<&Wider> {
        self.wider.get(path).map(Rc::as_ref)
    }

    /// The rule that stands for what was reached on a network, and more like it.
    pub fn on_network(&self, object: NetworkObject) -> Option<&Wider> {
        let name = object.name();
        let access = *self.networks.get(&name)?;
        let mut wide = self.wider_networks.iter();
        let wide = wide.find(|(compiled, _)| grants(compiled, &name, access, false));
        wide.map(|(_, wider)| wider)
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Wider};
    use crate::learn::tests::{Nothing, observed};

    #[test]
    fn what_there_is_evidence_for() {
        // Columns: what it shows, what was seen, the object, the pattern.
        #[rustfmt::skip]
        let cases = [
            ("one file",          "open read /srv/a",                                             "/srv/a",                None),
            ("a process",         "open read /proc/123/stat",                                     "/proc/123/stat",        Some("/proc/[0-9]*/stat")),
            ("a temporary name",  "open create,write /var/x/tmp_obj_aB3dE6",                      "/var/x/tmp_obj_aB3dE6", Some("/var/x/tmp_obj_??????")),
            ("many of a folder",  "open read /srv/w/a\nopen read /srv/w/b\nopen read /srv/w/c", "/srv/w/b",              Some("/srv/w/*")),
            ("another",           "open read /srv/w/a\nopen read /srv/w/b\nopen read /srv/w/c\nopen write /srv/x/d", "/srv/x/d", None),
            ("what was not seen", "open read /srv/w/a\nopen read /srv/w/b\nopen read /srv/w/c", "/srv/w/d",              None),
        ];
        for (name, lines, path, want) in cases {
            let evidence = Evidence::of(&observed(lines), &Nothing);
            let got = evidence.on_path(path.as_bytes());
            let pattern = got.map(|Wider { pattern, .. }| pattern.as_str());
            assert_eq!(pattern, want, "{name}");
            let is_told = |Wider { why, .. }: &Wider| why.contains(" seen, such as /");
            assert!(got.is_none_or(is_told), "{name}");
            let first = lines.lines().next().unwrap();
            let first = first.rsplit(' ').next().unwrap();
            assert!(evidence.paths().contains(first.as_bytes()), "{name}");
        }
    }

    #[test]
    fn networks() {
        let peers = [1, 2, 3, 4].map(|last| format!("connect connect tcp:10.0.0.{last}:443"));
        let peers = peers.join("\n");
        // Columns: what it shows, what was seen, the object, the rule.
        #[rustfmt::skip]
        let cases = [
            ("an address",        "connect connect tcp:10.0.0.1:443", "tcp:10.0.0.1:443",  None),
            ("many peers",        &peers,                             "tcp:10.0.0.1:443",  Some("{ family: ipv4, protocol: tcp, port: 443, allow: [connect] }")),
            ("a port of many",    "bind bind udp:0.0.0.0:45678",      "udp:0.0.0.0:45678", Some("{ family: ipv4, protocol: udp, port: 32768-60999, allow: [bind] }")),
            ("what was not seen", &peers,                             "tcp:10.0.0.9:443",  None),
        ];
        for (name, lines, object, want) in cases {
            let evidence = Evidence::of(&observed(lines), &Nothing);
            let got = evidence.on_network(object.parse().unwrap());
            let pattern = got.map(|Wider { pattern, .. }| pattern.as_str());
            assert_eq!(pattern, want, "{name}");
        }
    }
}
