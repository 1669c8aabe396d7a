//! What can be attached on the running kernel, and what it cannot mediate.

use super::{Feature, Hook, Instead, Need, Series, Signature, all};
use crate::kernel::{Unsupported, btf::Damaged};

/// A program for a hook.
#[derive(Clone, Copy, Debug)]
pub struct Pick {
    /// The hook.
    pub hook: &'static Hook,
    /// The program's name in the object.
    pub program: &'static str,
}

/// What there is to attach.
#[derive(Debug, Default)]
pub struct Plan {
    /// The programs that fit.
    pub picks: Vec<Pick>,
    /// The hooks that a profile with `metadata: true` takes and the kernel lacks.
    pub metadata_missing: Vec<&'static str>,
    /// What the kernel cannot mediate, or cannot do, for people.
    pub gaps: Vec<String>,
    /// What the kernel cannot do, for profiles.
    pub lacks: Vec<Feature>,
}

/// How the kernel has a hook.
enum Found {
    /// This program fits.
    Fits(&'static str),
    /// It has not.
    Absent,
    /// It has other arguments than any kernel we know.
    Odd(String),
}

impl Plan {
    /// Returns what can be attached on a kernel of this series, of which `arguments`
    /// tells the arguments of a hook, if it has it. Missing hooks are put up with if
    /// `allowed` names them.
    ///
    /// # Errors
    ///
    /// The first hook that is missing and must not be.
    pub fn new<'a>(
        series: Series,
        arguments: impl Fn(&str) -> Result<Option<Vec<&'a [u8]>>, Damaged>,
        allowed: &[String],
    ) -> Result<Self, Unsupported> {
        let mut plan = Self::default();
        for hook in all() {
            let found = find(hook, series, &arguments)
                .map_err(|source| Unsupported::DamagedBtf { source })?;
            let is_allowed = allowed.iter().any(|name| name == hook.name);
            match found {
                Found::Fits(program) => plan.picks.push(Pick { hook, program }),
                Found::Odd(arguments) if !is_allowed => {
                    return Err(Unsupported::OddHook {
                        hook: hook.name,
                        arguments,
                    });
                }
                Found::Absent if hook.is_optional || series < hook.since => {
                    if let Instead::Gap(gap) = hook.instead {
                        plan.gaps.push(format!("no hook {}: {gap}", hook.name));
                    }
                }
                Found::Absent if hook.need == Need::Metadata && !is_allowed => {
                    plan.metadata_missing.push(hook.name);
                    plan.gaps.push(format!(
                        "no hook {}: a profile cannot have `metadata: true`",
                        hook.name
                    ));
                }
                Found::Absent if !is_allowed => {
                    return Err(Unsupported::NoHook { hook: hook.name });
                }
                Found::Absent | Found::Odd(_) => plan.gaps.push(format!(
                    "no hook {}, as was allowed: not mediated, or in part only: {}",
                    hook.name,
                    hook.covered()
                )),
            }
        }
        for feature in Feature::ALL {
            if series < feature.since() {
                plan.lacks.push(feature);
                plan.gaps.push(format!(
                    "Linux before {}: {}",
                    feature.since(),
                    feature.without()
                ));
            }
        }
        Ok(plan)
    }

    /// Whether there is a program for this hook.
    pub fn has(&self, hook: &str) -> bool {
        self.picks.iter().any(|pick| pick.hook.name == hook)
    }
}

/// Looks how the kernel has a hook.
fn find<'a>(
    hook: &'static Hook,
    series: Series,
    arguments: impl Fn(&str) -> Result<Option<Vec<&'a [u8]>>, Damaged>,
) -> Result<Found, Damaged> {
    if hook.listed_early && series < hook.since {
        return Ok(Found::Absent);
    }
    let Some(names) = arguments(hook.name)? else {
        return Ok(Found::Absent);
    };
    let fits = |Signature(_, wanted): &&Signature| {
        wanted
            .iter()
            .all(|&(position, known)| match names.get(position) {
                Some(name) => known.iter().any(|known| known.as_bytes() == *name),
                None => known.is_empty(),
            })
    };
    if let Some(&Signature(program, _)) = hook.programs.iter().find(fits) {
        return Ok(Found::Fits(program));
    }
    let names: Vec<_> = names
        .iter()
        .map(|name| String::from_utf8_lossy(name))
        .collect();
    Ok(Found::Odd(names.join(", ")))
}
