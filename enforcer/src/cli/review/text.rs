//! What is shown of an item.

use std::{collections::BTreeSet, fmt::Write as _};

use super::desk::Position;
use crate::{
    cli::{output, why},
    detection::{DetectionId, access_text},
    learn::Admitted,
    profile::Escaped,
    review::{Choice, Item, Offer, Standing},
};

/// Most detections that are named one by one.
const NAMED: usize = 8;

/// The letter for a choice.
pub(super) const fn letter(choice: Choice) -> char {
    match choice {
        Choice::Exact => 'a',
        Choice::Folder => 'd',
        Choice::Pattern => 'p',
    }
}

/// What is known of an item, and what can be decided.
pub(super) fn item(item: &Item, position: &Position) -> String {
    let Position {
        standing,
        others,
        nearest,
    } = position;
    let first = item.first();
    let who = &first.who;
    let times = match item.count() {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    let when = match [first.first_seen, item.last_seen()].map(output::when) {
        [first, last] if first == last => first,
        [first, last] => format!("{first} to {last}"),
    };
    let command = who.cmdline.as_ref().map(|arguments| {
        let arguments = arguments.iter().map(|argument| Escaped(argument));
        let arguments: Vec<String> = arguments.map(|one| one.to_string()).collect();
        arguments.join(" ")
    });
    let unit = who.unit().map_or_else(String::new, |unit| {
        format!(", {}", Escaped(unit.as_bytes()))
    });
    let mut rows = vec![
        (
            "who",
            Some(format!(
                "{} (pid {}, uid {}{unit})",
                Escaped(item.program()),
                who.pid,
                who.uid
            )),
        ),
        ("command", command),
        ("what", Some(what(item))),
        ("when", Some(format!("{times}, {when}"))),
        ("outcome", Some(outcome(item))),
        (
            "profile",
            Some(format!("{} ({} layer)", item.profile(), first.layer)),
        ),
    ];
    rows.extend(
        nearest
            .iter()
            .map(|rule| ("nearest", Some(why::line(rule)))),
    );
    if let Some(warning) = suspicion(others) {
        rows.push(("attack?", Some(warning)));
    }
    match standing {
        Ok(Standing::Offers(offers)) => {
            let row = |offer: &Offer| (name(offer.choice), Some(offered(offer)));
            rows.extend(offers.iter().map(row));
        }
        Ok(Standing::Granted) => {
            let granted = "the profile's file grants it by now, or will with what was allowed";
            rows.push(("note", Some(granted.to_owned())));
        }
        Ok(Standing::Blocked(obstacle)) => {
            rows.push(("note", Some(format!("it cannot be allowed: {obstacle}"))));
        }
        Err(error) => rows.push(("note", Some(format!("it cannot be allowed: {error}")))),
    }
    let ids: BTreeSet<DetectionId> = item.ids().collect();
    format!("{}\n{}", names(&ids), output::fields(&rows))
}

/// What a choice is called beside its rule.
const fn name(choice: Choice) -> &'static str {
    match choice {
        Choice::Exact => "allow a",
        Choice::Folder => "allow d",
        Choice::Pattern => "allow p",
    }
}

/// What was tried.
fn what(item: &Item) -> String {
    let first = item.first();
    if let Some(privilege) = &first.privilege {
        return format!("the privilege {privilege}");
    }
    let object = if first.path.is_empty() {
        "an object without a name".to_owned()
    } else {
        Escaped(&first.path).to_string()
    };
    let operation = &first.operation;
    match access_text(first.missing) {
        // A move that gives rights lacks none.
        none if none.is_empty() => format!("{operation} of {object}"),
        access => format!("{operation} of {object}, which needs {access}"),
    }
}

/// What became of it.
fn outcome(item: &Item) -> String {
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let mut responses = item.responses();
    responses.remove("none");
    let verdicts = list(item.verdicts());
    let reason = &item.first().reason;
    if responses.is_empty() {
        format!("{verdicts}: {reason}")
    } else {
        format!("{verdicts}: {reason}; the process was {}", list(responses))
    }
}

/// That it may be an attack, if something speaks for that.
pub(super) fn suspicion(others: &BTreeSet<DetectionId>) -> Option<String> {
    (!others.is_empty()).then(|| {
        format!(
            "it looks like an attack: the same processes were refused something else, too ({})",
            names(others)
        )
    })
}

/// The first few names, and how many more there are.
fn names(ids: &BTreeSet<DetectionId>) -> String {
    let shown = ids.iter().take(NAMED).map(DetectionId::to_string);
    let mut shown: Vec<String> = shown.collect();
    if let Some(more) = ids.len().checked_sub(NAMED).filter(|&more| more > 0) {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// A rule on one line, and why it may be about more than what was refused.
fn offered(offer: &Offer) -> String {
    let rule = offer.addition.rule();
    let lines: Vec<&str> = rule.lines().map(str::trim).collect();
    let mut text = format!("{}: {}", offer.addition.key(), lines.join(" "));
    if let Some(why) = &offer.why {
        let why = Escaped(why.as_bytes());
        // Writing to a string does not fail.
        let _written = write!(text, " ({why})");
    }
    text
}

/// What a rule admits beyond what was seen.
pub(super) fn preview(admitted: Option<&Admitted>) -> String {
    let Some(Admitted {
        count,
        is_all,
        examples,
    }) = admitted
    else {
        return "What it admits beyond what was seen cannot be told beforehand.\n".to_owned();
    };
    let least = if *is_all { "" } else { "at least " };
    let what = if *count == 1 { "object" } else { "objects" };
    let mut text = format!("It admits {least}{count} {what} that exist beyond what was seen");
    text.push_str(if examples.is_empty() { ".\n" } else { ":\n" });
    for example in examples {
        let _written = writeln!(text, "  {}", Escaped(example));
    }
    if let Some(more) = count.checked_sub(examples.len()).filter(|&more| more > 0) {
        let _written = writeln!(text, "  and {more} more");
    }
    text
}
