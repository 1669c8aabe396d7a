//! Break-glass: what somebody lets through for a time, and why.
//!
//! The kernel ends a permit by itself. All that is done under it, and would have been refused
//! without it, is a detection, of which rules can be made afterwards.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    detection::PermitId,
    kept::{Keep, Kept, KeptError},
    profile::{Ends, Escaped, Profile, ProfileError, Rule, Telling, ends},
};

/// The longest time for which something is permitted. What is needed longer is a rule, with
/// an `until:` if it is to end.
pub const LONGEST: Duration = Duration::from_hours(24);
/// Most rules of a permit.
pub const RULES: usize = 64;
/// Most bytes of a reason, and of a rule.
pub const TEXT_LEN: usize = 1024;

/// What is let through for a time beside what a profile grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// Its name, and the stem of its file's name.
    pub id: PermitId,
    /// The profile.
    pub profile: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// When somebody ended it before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Why, for people.
    pub reason: String,
    /// What, as rules of a profile; nothing: everything.
    pub rules: Vec<String>,
}

impl Keep for Permit {
    type Id = PermitId;
    const WHAT: &str = "permit";
    const WITHOUT: &str = "end it";

    fn id(&self) -> PermitId {
        self.id
    }
}

/// Why something cannot be permitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PermitError {
    /// A rule is no rule.
    #[error("the rule {}: {problem}", Escaped(rule.as_bytes()))]
    Rule {
        /// What it says.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A rule denies.
    #[error("the rule {} denies, and a permit only allows", Escaped(rule.as_bytes()))]
    Denies {
        /// What it says.
        rule: String,
    },
    /// There are too many rules.
    #[error("a permit has {RULES} rules at most; without rules, it lets everything through")]
    TooManyRules,
    /// A text is too long, or has what does not belong on a line.
    #[error("a reason and a rule are text of {TEXT_LEN} bytes at most, on one line")]
    Text,
    /// There is no reason.
    #[error("say why, with --reason; it is kept with the permit")]
    NoReason,
    /// The time is too long.
    #[error(
        "something is permitted for {} at most; for longer, write a rule with `until:`",
        crate::text::time(LONGEST)
    )]
    TooLong,
}

impl Permit {
    /// A permit of `profile` from now on.
    ///
    /// # Errors
    ///
    /// If its rules are none, or something of it is beyond the limits.
    pub fn new(
        id: PermitId,
        profile: &Profile,
        time: Duration,
        reason: String,
        rules: Vec<String>,
    ) -> Result<Self, PermitError> {
        let is_text = |text: &String| text.len() <= TEXT_LEN && !text.chars().any(char::is_control);
        if time > LONGEST || time.is_zero() {
            return Err(PermitError::TooLong);
        }
        if reason.trim().is_empty() {
            return Err(PermitError::NoReason);
        }
        if rules.len() > RULES {
            return Err(PermitError::TooManyRules);
        }
        if !rules.iter().chain([&reason]).all(is_text) {
            return Err(PermitError::Text);
        }
        let from = Timestamp::now();
        let permit = Self {
            id,
            profile: profile.name.clone(),
            from,
            until: from
                .saturating_add(time)
                .map_err(|_range| PermitError::TooLong)?,
            ended: None,
            reason,
            rules,
        };
        let _rules = permit.rules(profile)?;
        Ok(permit)
    }

    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }

    /// When it ends, or did.
    pub fn end(&self) -> Timestamp {
        self.ended.unwrap_or(self.until)
    }

    /// What it lets through, in words, as it came: not escaped.
    pub fn lets(&self) -> String {
        if self.rules.is_empty() {
            "everything".to_owned()
        } else {
            self.rules.join("; ")
        }
    }

    /// When it ends, in seconds since 1970, UTC, as the kernel knows it: the second is full.
    pub fn until_second(&self) -> u32 {
        let second = ends::seconds(self.until).unwrap_or(u32::MAX);
        second.saturating_add(u32::from(self.until.subsec_nanosecond() > 0))
    }

    /// Its rules, as those of `profile`.
    fn rules(&self, profile: &Profile) -> Result<Vec<Rule>, PermitError> {
        let file: Arc<Path> = Path::new(&self.id.to_string()).into();
        let mut rules = Vec::new();
        for (line, text) in (1..).zip(&self.rules) {
            for mut rule in parsed(text, profile)? {
                if rule.allow.is_empty() {
                    return Err(PermitError::Denies { rule: text.clone() });
                }
                let until = self.until_second();
                rule.ends = Ends {
                    until: match rule.ends.until {
                        0 => until,
                        own => own.min(until),
                    },
                    ..rule.ends
                };
                rule.telling = Telling::Permit;
                rule.reason = Some(self.reason.clone());
                rule.origin.file = Arc::clone(&file);
                (rule.origin.line, rule.origin.column) = (line, 1);
                rules.push(rule);
            }
        }
        Ok(rules)
    }
}

/// The rules that a text says: a rule as in a profile, in braces, or `RIGHTS:PATH`.
fn parsed(text: &str, profile: &Profile) -> Result<Vec<Rule>, PermitError> {
    let wrong = |problem: String| PermitError::Rule {
        rule: text.to_owned(),
        problem,
    };
    let row = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        let (rights, path) = text.split_once(':').ok_or_else(|| {
            wrong("write it as RIGHTS:PATH, like read,write:/srv/data/**, or as a rule of a profile in braces".to_owned())
        })?;
        format!(
            "{{ path: {}, allow: [{rights}] }}",
            crate::profile::quoted(path)
        )
    };
    let keys: serde_json::Map<String, serde_json::Value> =
        serde_yaml::from_str(&row).map_err(|error| wrong(error.to_string()))?;
    let has = |key: &str| keys.contains_key(key);
    let section = match (has("path"), has("allow") || has("deny")) {
        (true, true) => "paths",
        (true, false) => "exec",
        (false, _) => "network",
    };
    let metadata = profile.metadata;
    let text =
        format!("name: permit\nmode: enforce\nmetadata: {metadata}\n{section}:\n  - {row}\n");
    let parsed = Profile::parse(&text, Path::new("permit.yaml"), Path::new(""));
    // The place in the text that was put around it says nothing to anybody.
    let parsed = parsed.map_err(|error: ProfileError| wrong(error.problem.to_string()))?;
    Ok(parsed.rules)
}

/// All permits that there were, as their files say.
#[derive(Debug)]
pub struct Permits(Kept<Permit>);

impl Permits {
    /// Reads the permits in `directory`, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or understood.
    pub fn load(directory: &Path) -> Result<Self, KeptError> {
        Kept::load(directory).map(Self)
    }

    /// Writes a permit to its file, and keeps it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; it is then as before.
    pub fn put(&mut self, permit: Permit) -> Result<(), KeptError> {
        self.0.put(permit)
    }

    /// Forgets a permit that never held.
    ///
    /// # Errors
    ///
    /// If its file cannot be removed.
    pub fn remove(&mut self, id: PermitId) -> Result<(), KeptError> {
        self.0.remove(id)
    }

    /// Returns the permit with this name.
    pub fn get(&self, id: PermitId) -> Option<&Permit> {
        self.0.get(id)
    }

    /// Returns all permits, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Permit> {
        self.0.iter()
    }

    /// Returns a name that no permit has.
    pub fn next_id(&self) -> PermitId {
        let last = self.0.iter().next_back().map_or(0, |permit| permit.id.0);
        PermitId(last.saturating_add(1))
    }

    /// Returns `profile` with what is permitted beside it at `now`, in seconds since 1970,
    /// UTC. A permit whose file was changed to say no rules permits nothing.
    pub fn added_to(&self, profile: Profile, now: u32) -> Profile {
        let mut profile = profile;
        let is_ours = |permit: &&Permit| {
            permit.profile == profile.name && permit.ended.is_none() && now < permit.until_second()
        };
        let ours: Vec<&Permit> = self.iter().filter(is_ours).collect();
        for permit in ours {
            if permit.rules.is_empty() {
                profile.permitted = profile.permitted.max(permit.until_second());
            } else if let Ok(rules) = permit.rules(&profile) {
                profile.rules.extend(rules);
            }
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use enforcer_abi::{Access, expiry::Moment, table::Words as _};

    use super::{LONGEST, Permit, PermitId, Permits, RULES, TEXT_LEN};
    use crate::profile::{Profile, Target, compile_alone};

    const TEXT: &str = "name: p\nmode: enforce\npaths:\n  - { path: /a, allow: [read] }\n  - { path: /secret, deny: [all] }\n";

    fn profile() -> Profile {
        Profile::parse(TEXT, Path::new("p.yaml"), Path::new("")).unwrap()
    }

    fn permit(rules: &[&str]) -> Result<Permit, String> {
        let rules = rules.iter().map(|&rule| rule.to_owned()).collect();
        let hour = Duration::from_hours(1);
        Permit::new(PermitId(1), &profile(), hour, "why".to_owned(), rules)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_those_of_profiles() {
        let rules = |text: &str| permit(&[text]).unwrap().rules(&profile()).unwrap();
        let [rule] = &rules("read,write:/srv/x: y/**")[..] else {
            panic!("one rule");
        };
        assert_eq!(rule.pattern.text(), "/srv/x: y/**");
        let both = (Access::READ | Access::WRITE).with_implied();
        assert_eq!(rule.allow, both & !Access::METADATA);
        assert_eq!(rule.origin.to_string(), "P1:1:1");
        let exec = rules("{ path: /bin/x, profile: q }");
        assert_eq!(exec[0].target, Some(Target::Profile("q".to_owned())));
        let network = rules("{ protocol: tcp, port: 443, allow: [connect] }");
        assert!(network[0].allow.contains(Access::CONNECT));
    }

    #[test]
    fn what_is_none_is_told() {
        let long = "x".repeat(TEXT_LEN + 1);
        #[rustfmt::skip]
        let cases = [
            ("no rule",    "/srv",                               "write it as RIGHTS:PATH"),
            ("no right",   "raed:/srv",                          "did you mean `read`"),
            ("no path",    "read:srv",                           "/"),
            ("no YAML",    "{ path: /x, allow: [read]",          "the rule"),
            ("a deny",     "{ path: /x, deny: [read] }",         "a permit only allows"),
            ("no key",     "{ path: /x, allow: [read], who: me }", "unknown key `who`"),
            ("lines",      "read:/x\nread:/y",                   "on one line"),
            ("too long",   &long,                                "on one line"),
        ];
        for (name, rule, want) in cases {
            let error = permit(&[rule]).unwrap_err();
            assert!(error.contains(want), "{name}: {error}");
        }
        assert!(permit(&["read:/x"; RULES]).is_ok());
        assert!(
            permit(&["read:/x"; RULES + 1])
                .unwrap_err()
                .contains("64 rules")
        );
        let new = |time, reason: &str| {
            Permit::new(PermitId(1), &profile(), time, reason.to_owned(), vec![])
        };
        assert!(new(LONGEST, "why").is_ok());
        assert!(new(LONGEST + Duration::from_secs(1), "why").is_err());
        assert!(new(Duration::ZERO, "why").is_err());
        assert!(new(LONGEST, " ").is_err());
    }

    /// What is permitted is granted, told and ended; a deny of the profile still denies.
    #[test]
    fn it_is_added_for_its_time() {
        let base = tempfile::tempdir().unwrap();
        let mut permits = Permits::load(base.path()).unwrap();
        let permit = permit(&["read,write:/a", "read:/secret"]).unwrap();
        let until = permit.until_second();
        permits.put(permit.clone()).unwrap();
        assert_eq!(permits.next_id(), PermitId(2));
        let table = compile_alone(&permits.added_to(profile(), 0)).unwrap();
        let words = table.words.as_slice();
        let at = |path: &str, now| {
            let index = words.at(words.judge(path.as_bytes()).index, Moment { now, age: 0 });
            let outcome = words.outcome_at(enforcer_abi::table::DEAD, index);
            let known = !Access::METADATA;
            (outcome.allow & known, outcome.audit & known)
        };
        let [read, both] = [Access::READ, Access::READ | Access::WRITE].map(Access::with_implied);
        // What the profile grants anyway is not told.
        let told = both & !read & !Access::METADATA;
        assert_eq!(at("/a", until - 1), (both & !Access::METADATA, told));
        assert_eq!(at("/a", until), (read & !Access::METADATA, Access::NONE));
        assert_eq!(at("/secret", until - 1).0, Access::NONE);

        let rules = |now| permits.added_to(profile(), now).rules.len();
        assert_eq!((rules(until - 1), rules(until)), (4, 2));
        let everything = Permit {
            rules: Vec::new(),
            ..permit.clone()
        };
        permits.put(everything).unwrap();
        assert_eq!(permits.added_to(profile(), 0).permitted, until);
        let other = Profile {
            name: "q".to_owned(),
            ..profile()
        };
        assert_eq!(permits.added_to(other, 0).permitted, 0);
        permits
            .put(Permit {
                ended: Some(permit.from),
                ..permit
            })
            .unwrap();
        assert_eq!(permits.added_to(profile(), 0).permitted, 0);
    }
}
