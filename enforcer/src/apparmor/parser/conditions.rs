//! `if CONDITION { ... } else { ... }`: decided where it is read.

use super::{Body, Parser, Place};
use crate::apparmor::{
    error::{Fault, ImportError},
    lexer::Cursor,
};

impl Parser<'_> {
    /// Reads from behind an `if` to the end of its last block.
    pub(super) fn condition(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        let holds = self.either(cursor)?;
        self.branch(cursor, place, body, holds)?;
        cursor.skip_blank();
        if !cursor.eat_name("else") {
            return Ok(());
        }
        cursor.skip_blank();
        if !cursor.eat_name("if") {
            return self.branch(cursor, place, body, !holds);
        }
        if holds {
            // Read for what is wrong with it, and left out.
            self.condition(cursor, place.deeper(), &mut Body::default())
        } else {
            self.condition(cursor, place.deeper(), body)
        }
    }

    fn branch(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        body: &mut Body,
        taken: bool,
    ) -> Result<(), ImportError> {
        if taken {
            return self.block(cursor, place, body);
        }
        let variables = self.policy.variables.clone();
        let booleans = self.booleans.clone();
        self.block(cursor, place, &mut Body::default())?;
        self.policy.variables = variables;
        self.booleans = booleans;
        Ok(())
    }

    fn either(&mut self, cursor: &mut Cursor) -> Result<bool, ImportError> {
        let mut holds = self.both(cursor)?;
        loop {
            cursor.skip_blank();
            if !cursor.eat_name("or") {
                return Ok(holds);
            }
            holds |= self.both(cursor)?;
        }
    }

    fn both(&mut self, cursor: &mut Cursor) -> Result<bool, ImportError> {
        let mut holds = self.one(cursor)?;
        loop {
            cursor.skip_blank();
            if !cursor.eat_name("and") {
                return Ok(holds);
            }
            holds &= self.one(cursor)?;
        }
    }

    fn one(&mut self, cursor: &mut Cursor) -> Result<bool, ImportError> {
        let mut negated = false;
        loop {
            cursor.skip_blank();
            if !cursor.eat_name("not") {
                break;
            }
            negated = !negated;
        }
        Ok(self.plain(cursor)? != negated)
    }

    fn plain(&mut self, cursor: &mut Cursor) -> Result<bool, ImportError> {
        if cursor.eat("(") {
            let holds = self.either(cursor)?;
            cursor.skip_blank();
            if cursor.eat(")") {
                return Ok(holds);
            }
            return Err(cursor.expected("a `)`"));
        }
        let asks_whether_defined = cursor.eat_name("defined");
        cursor.skip_blank();
        let origin = cursor.origin();
        let sign = cursor.peek();
        if !matches!(sign, Some('$' | '@')) {
            return Err(cursor.expected("`$NAME`, `defined $NAME` or `defined @{NAME}`"));
        }
        cursor.bump();
        let braces = cursor.eat("{");
        let name = cursor.name().to_owned();
        cursor.eat(&name);
        if braces {
            cursor.eat("}");
        }
        match (sign, asks_whether_defined) {
            (Some('@'), true) => Ok(self.policy.variables.contains_key(&name)),
            (Some('$'), true) => Ok(self.booleans.contains_key(&name)),
            (Some('$'), false) => self.booleans.get(&name).copied().ok_or(ImportError {
                origin,
                fault: Fault::UndefinedBoolean { name },
            }),
            _ => Err(cursor.expected(
                "`defined` before `@{NAME}`; comparisons of variables are not understood",
            )),
        }
    }

    /// Reads what is assigned to a boolean.
    pub(super) fn boolean_value(&mut self, cursor: &mut Cursor) -> Result<bool, ImportError> {
        cursor.skip_spaces();
        for (word, value) in [("true", true), ("false", false)] {
            if cursor.name().eq_ignore_ascii_case(word) {
                let word = cursor.name().to_owned();
                cursor.eat(&word);
                return Ok(value);
            }
        }
        self.either(cursor)
    }
}
