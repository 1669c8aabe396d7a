//! What stands before profiles: variables and aliases.

use super::{Parser, end_of_rule};
use crate::apparmor::{
    error::{Fault, ImportError},
    lexer::{Cursor, Ends},
};

impl Parser<'_> {
    /// Reads the rest of `alias PATH -> PATH,`.
    pub(super) fn alias(&mut self, cursor: &mut Cursor) -> Result<(), ImportError> {
        let mut pair = Vec::new();
        for _ in 0..2 {
            cursor.skip_blank();
            if !pair.is_empty() && !cursor.eat("->") {
                return Err(cursor.expected("a `->`"));
            }
            cursor.skip_blank();
            let path = cursor.word(Ends::AtBlank)?;
            pair.push(path.ok_or_else(|| cursor.expected("a path"))?.text);
        }
        end_of_rule(cursor)?;
        if let [from, to] = pair.as_slice() {
            self.policy.aliases.push((from.clone(), to.clone()));
        }
        Ok(())
    }

    /// Reads the assignment to a variable, if there is one.
    pub(super) fn assignment(&mut self, cursor: &mut Cursor) -> Result<bool, ImportError> {
        let mut ahead = cursor.clone();
        let origin = ahead.origin();
        let boolean = match ahead.bump() {
            Some('@') => false,
            Some('$') => true,
            _ => return Ok(false),
        };
        let braces = ahead.eat("{");
        let name = ahead.name().to_owned();
        ahead.eat(&name);
        if name.is_empty() || braces != ahead.eat("}") {
            return Ok(false);
        }
        ahead.skip_spaces();
        let signs = ["+=", "?=", ":=", "="];
        let Some(sign) = signs.into_iter().find(|sign| ahead.eat(sign)) else {
            return Ok(false);
        };
        *cursor = ahead;
        if boolean {
            let value = self.boolean_value(cursor)?;
            if sign != "?=" || !self.booleans.contains_key(&name) {
                self.booleans.insert(name, value);
            }
            return Ok(true);
        }
        let values = values(cursor)?;
        let variables = &mut self.policy.variables;
        let fail = |fault| Err(ImportError { origin, fault });
        match (sign, variables.get_mut(&name)) {
            ("+=", Some(known)) => known.extend(values),
            ("+=", None) => return fail(Fault::UndefinedVariable { name }),
            ("?=", Some(_)) => {}
            ("=", Some(_)) => return fail(Fault::DefinedTwice { name }),
            _ => {
                variables.insert(name, values);
            }
        }
        Ok(true)
    }
}

/// Reads values up to the end of the line.
fn values(cursor: &mut Cursor) -> Result<Vec<String>, ImportError> {
    let mut values = Vec::new();
    loop {
        cursor.skip_spaces();
        if cursor.eat("\\\n") || cursor.eat("\r") {
            continue;
        }
        match cursor.peek() {
            None | Some('\n' | '#') => break,
            Some(',') => {
                return Err(cursor.expected("a value; they are parted by blanks, without commas"));
            }
            Some(_) => {}
        }
        match cursor.word(Ends::AtBlank)? {
            Some(word) => values.push(word.text),
            None => return Err(cursor.expected("a value")),
        }
    }
    if values.is_empty() {
        return Err(cursor.expected("a value"));
    }
    cursor.skip_line();
    Ok(values)
}
