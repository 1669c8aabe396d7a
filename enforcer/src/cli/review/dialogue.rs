//! Asking for decisions in the terminal.

use std::io::{self, BufRead, Write};

use super::{
    Outcome,
    agent::{Agent, Tighten},
    desk::{Desk, Position},
    text, write,
};
use crate::{
    cli::tighten::plan_text,
    detection::{DetectionId, State},
    profile::Escaped,
    protocol::views::Plan,
    review::{Choice, Item, Offer, Standing},
};

/// What the letters mean, of detections.
const HELP: &str = "\
a  allow exactly this
d  allow the same of all that lies in its folder
p  allow the same of all that is like it, by a pattern
k  keep it denied: there is nothing left to do
x  it is an attack: nothing is learned from its processes
s  skip it: it is asked again the next time
q  quit: what was allowed is shown, and written if you confirm
";

/// The same of proposals.
const HELP_ON_PROPOSALS: &str = "\
a  apply it: these rights are taken away
t  try it: they are taken away after a time in which nobody uses them
k  keep these rights: they are not proposed again
s  skip it
q  quit
";

/// A dialogue: questions go out, and answers come in, a line each.
pub(super) struct Dialogue<R, W> {
    input: R,
    output: W,
    /// Whether something could not be done.
    failed: bool,
}

/// Whether there is more to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The next question.
    Ask,
    /// None: it is over.
    Quit,
}

impl<R: BufRead, W: Write> Dialogue<R, W> {
    /// With who answers, and where questions go.
    pub(super) const fn new(input: R, output: W) -> Self {
        Self {
            input,
            output,
            failed: false,
        }
    }

    /// Asks of everything that is open, and does what is decided.
    ///
    /// # Errors
    ///
    /// If nobody can be asked. What the agent does not do is told, and the next is asked.
    pub(super) fn run(
        &mut self,
        desk: &mut Desk<'_>,
        agent: &mut dyn Agent,
    ) -> io::Result<Outcome> {
        let items = desk.items().to_vec();
        let proposals = desk.proposals().to_vec();
        let all = items.len() + proposals.len();
        if desk.left_out() > 0 {
            let left_out = desk.left_out();
            writeln!(
                self.output,
                "Left out is what was learned under profiles that are gone: {left_out}."
            )?;
        }
        if all == 0 {
            writeln!(self.output, "There is nothing to decide.")?;
            return Ok(Outcome::Nothing);
        }
        self.questions(desk, agent, &items, &proposals)?;
        self.finish(desk, agent)?;
        Ok(if self.failed {
            Outcome::InPart
        } else {
            Outcome::Done
        })
    }

    fn questions(
        &mut self,
        desk: &mut Desk<'_>,
        agent: &mut dyn Agent,
        items: &[Item],
        proposals: &[Plan],
    ) -> io::Result<()> {
        let all = items.len() + proposals.len();
        for (at, item) in (1..).zip(items) {
            let position = desk.position(item);
            write!(
                self.output,
                "\n[{at}/{all}] {}",
                text::item(item, &position)
            )?;
            if self.item(desk, agent, item, &position)? == Next::Quit {
                return Ok(());
            }
        }
        for (at, plan) in (items.len() + 1..).zip(proposals) {
            write!(self.output, "\n[{at}/{all}] {}", plan_text(plan))?;
            if let Some(reason) = plan.id.and_then(|id| desk.reason(id)) {
                writeln!(self.output, "  why: {}", Escaped(reason.as_bytes()))?;
            }
            if self.proposal(agent, plan)? == Next::Quit {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Asks what becomes of an item.
    fn item(
        &mut self,
        desk: &mut Desk<'_>,
        agent: &mut dyn Agent,
        item: &Item,
        position: &Position,
    ) -> io::Result<Next> {
        let offers: &[Offer] = match &position.standing {
            Ok(Standing::Offers(offers)) => offers,
            _ => &[],
        };
        let is_granted = matches!(position.standing, Ok(Standing::Granted));
        let mut letters: Vec<char> = offers.iter().map(|one| text::letter(one.choice)).collect();
        letters.extend(['k', 'x', 's', 'q']);
        let suggestion = if position.others.is_empty() {
            is_granted.then_some('k')
        } else {
            Some('x')
        };
        loop {
            let Some(letter) = self.letter(&letters, suggestion, HELP)? else {
                return Ok(Next::Quit);
            };
            match letter {
                's' => return Ok(Next::Ask),
                'q' => return Ok(Next::Quit),
                'k' if is_granted && desk.take_as_granted(item) => return Ok(Next::Ask),
                'k' => return self.settle(desk, agent, item, State::Resolved),
                'x' => return self.settle(desk, agent, item, State::Acknowledged),
                letter => {
                    let mut offers = offers.iter();
                    let offer = offers.find(|one| text::letter(one.choice) == letter);
                    if let Some(offer) = offer
                        && self.allow(desk, item, offer)?
                    {
                        return Ok(Next::Ask);
                    }
                }
            }
        }
    }

    /// Allows something, after what it is about was shown. Returns whether it is.
    fn allow(&mut self, desk: &mut Desk<'_>, item: &Item, offer: &Offer) -> io::Result<bool> {
        if offer.choice != Choice::Exact {
            let preview = text::preview(offer.admitted.as_ref());
            write!(self.output, "{preview}")?;
            if !self.is_confirmed("Allow it?")? {
                return Ok(false);
            }
        }
        write!(self.output, "Why (a line, or nothing)? ")?;
        let reason = self.line()?.unwrap_or_default();
        if let Err(error) = desk.allow(item, offer, &reason) {
            self.failed(&error)?;
            return Ok(false);
        }
        Ok(true)
    }

    fn settle(
        &mut self,
        desk: &mut Desk<'_>,
        agent: &mut dyn Agent,
        item: &Item,
        state: State,
    ) -> io::Result<Next> {
        let ids: Vec<DetectionId> = item.ids().collect();
        match agent.settle(&ids, state) {
            Ok(()) if state == State::Resolved => desk.settled(item),
            Ok(()) => {}
            Err(error) => self.failed(&error)?,
        }
        Ok(Next::Ask)
    }

    /// Asks what becomes of a proposal.
    fn proposal(&mut self, agent: &mut dyn Agent, plan: &Plan) -> io::Result<Next> {
        let Some(id) = plan.id else {
            return Ok(Next::Ask);
        };
        let mut letters = vec!['a', 't', 'k', 's', 'q'];
        if plan.trial.is_some() {
            letters.retain(|letter| *letter != 't');
        }
        if !plan.in_use.is_empty() || plan.lost_count > 0 {
            letters.retain(|letter| !matches!(letter, 'a' | 't'));
        }
        let how = match self.letter(&letters, None, HELP_ON_PROPOSALS)? {
            Some('a') => Tighten::Apply,
            Some('t') => Tighten::Try,
            Some('k') => Tighten::Decline,
            Some('s') => return Ok(Next::Ask),
            _ => return Ok(Next::Quit),
        };
        if let Err(error) = agent.tighten(id, how) {
            self.failed(&error)?;
        }
        Ok(Next::Ask)
    }

    /// Shows how profiles will change, and writes them if that is confirmed.
    fn finish(&mut self, desk: &Desk<'_>, agent: &mut dyn Agent) -> io::Result<()> {
        let diff = write::diff(desk);
        if diff.is_empty() {
            return Ok(());
        }
        write!(self.output, "\n{diff}")?;
        for warning in write::warnings(desk) {
            writeln!(self.output, "{warning}")?;
        }
        if !self.is_confirmed("Write this, and have the agent load it?")? {
            writeln!(self.output, "Nothing was written.")?;
            self.failed = true;
            return Ok(());
        }
        for undone in write::carry_out(desk, agent) {
            self.failed(&undone.error)?;
        }
        Ok(())
    }

    /// Tells that something could not be done.
    fn failed(&mut self, error: &anyhow::Error) -> io::Result<()> {
        self.failed = true;
        writeln!(self.output, "It could not be done: {error:#}")
    }

    /// Asks a question that only `y` affirms.
    fn is_confirmed(&mut self, question: &str) -> io::Result<bool> {
        write!(self.output, "{question} [y/n] ")?;
        Ok(self.line()?.is_some_and(|line| line.trim() == "y"))
    }

    /// Asks for one of `letters`; nothing stands for the one that is suggested. `None`: nobody
    /// answers any more.
    fn letter(
        &mut self,
        letters: &[char],
        suggestion: Option<char>,
        help: &str,
    ) -> io::Result<Option<char>> {
        let shown: Vec<String> = letters.iter().map(char::to_string).collect();
        let shown = shown.join("/");
        let default = suggestion.map_or_else(String::new, |one| format!(" (nothing: {one})"));
        loop {
            write!(self.output, "[{shown}/?]{default} ")?;
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            let mut typed = line.trim().chars();
            match (typed.next(), typed.next()) {
                (None, _) if suggestion.is_some() => return Ok(suggestion),
                (Some('?'), None) => {
                    let meant = |line: &&str| line.starts_with(letters);
                    for line in help.lines().filter(meant) {
                        writeln!(self.output, "{line}")?;
                    }
                }
                (Some(letter), None) if letters.contains(&letter) => return Ok(Some(letter)),
                _ => writeln!(
                    self.output,
                    "One of these letters, please; ? tells what they mean."
                )?,
            }
        }
    }

    /// A line of who answers, without its end; `None`, if there is no more.
    fn line(&mut self) -> io::Result<Option<String>> {
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            writeln!(self.output)?;
            return Ok(None);
        }
        Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned()))
    }
}
