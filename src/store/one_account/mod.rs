//! A reader of SQL that finds each comparison of an account's column with anything but a parameter. A database that spreads
//! the accounts over several servers knows by the parameters which server a statement needs; by a column of another table it
//! does not.
//!
//! An account's column is `account_id` of any table, `id` of the table `account`, and what a statement renames one of them
//! to. The reader knows names, parentheses and operators, not the grammar: what it does not understand beside such a column it
//! reports.

mod tests;
mod tokens;

use std::collections::BTreeSet;

use super::tables::TABLES;
use tokens::{Token, read};

/// The table of accounts, and its column that is compared.
const ACCOUNT: &str = "account";
const ID: &str = "id";

/// Comparisons that a parameter may be on the other side of.
const COMPARISONS: &[&str] = &["=", "==", "<>", "!=", "<", ">", "<=", ">="];
/// Words that are operators.
const OPERATORS: &[&str] = &[
    "in", "not", "is", "between", "like", "ilike", "glob", "match", "regexp", "similar", "collate", "isnull", "notnull",
];
/// Words that name nothing: not the alias of a table before them, and not a function before a parenthesis.
const KEYWORDS: &[&str] = &[
    "and",
    "as",
    "by",
    "case",
    "conflict",
    "cross",
    "delete",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "for",
    "from",
    "full",
    "group",
    "having",
    "inner",
    "insert",
    "intersect",
    "into",
    "join",
    "left",
    "limit",
    "natural",
    "nothing",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "returning",
    "right",
    "select",
    "set",
    "then",
    "union",
    "update",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
    "in",
    "not",
    "is",
];
/// Words that a table's name comes after.
const BEFORE_TABLES: &[&str] = &["from", "join", "update", "into", "using", ","];
/// Words that begin a query in parentheses.
const QUERIES: &[&str] = &["select", "with", "values", "insert", "update", "delete"];

/// Returns the comparisons of an account's column with anything but parameters and the nil account, as they are written.
pub(super) fn comparisons(statement: &str) -> Vec<String> {
    let reader = Reader::new(statement);
    let natural = reader.tokens.iter().filter(|token| *token == "natural").cloned();
    let columns = (0..reader.tokens.len()).filter_map(|at| reader.column(at));
    columns.filter_map(|(start, end)| reader.judge(start, end, true)).chain(natural).collect()
}

/// Returns the tables that a statement names.
pub(super) fn tables(statement: &str) -> BTreeSet<&'static str> {
    let tokens = read(statement);
    TABLES.iter().map(|table| table.name).filter(|name| tokens.iter().any(|token| token == name)).collect()
}

struct Reader {
    tokens: Vec<Token>,
    /// For each token, the innermost parenthesis that it is in.
    inside: Vec<Option<usize>>,
    /// For each parenthesis, where it closes.
    closes: Vec<usize>,
    /// Further names of the column `account_id`.
    names: BTreeSet<String>,
    /// Names of the table `account`, and of queries that read it.
    accounts: BTreeSet<String>,
    /// The queries that read the table `account`, by their parenthesis.
    of_accounts: BTreeSet<Option<usize>>,
}

impl Reader {
    fn new(statement: &str) -> Reader {
        let tokens = read(statement);
        let (mut inside, mut closes, mut open) =
            (vec![None; tokens.len()], vec![tokens.len(); tokens.len()], Vec::new());
        for (at, token) in tokens.iter().enumerate() {
            if matches!(&**token, ")" | "]")
                && let Some(opened) = open.pop()
            {
                closes[opened] = at;
            }
            inside[at] = open.last().copied();
            if matches!(&**token, "(" | "[") {
                open.push(at);
            }
        }
        let [names, accounts] = [["account_id"], [ACCOUNT]].map(|name| name.map(str::to_owned).into());
        let mut reader = Reader { tokens, inside, closes, names, accounts, of_accounts: BTreeSet::new() };
        reader.find_accounts();
        reader.find_names();
        reader
    }

    /// Finds the names of the table `account`, and those of the queries that read it.
    fn find_accounts(&mut self) {
        for at in 1..self.tokens.len() {
            if self.tokens[at] == ACCOUNT && BEFORE_TABLES.contains(&self.at(at - 1)) && self.at(at + 1) != "." {
                let query = self.query(at);
                self.of_accounts.insert(query);
                self.accounts.extend(self.alias(at + 1));
                if let Some(open) = query {
                    let before = (open > 1 && self.at(open - 1) == "as").then(|| self.tokens[open - 2].clone());
                    self.accounts.extend(before.into_iter().chain(self.alias(self.closes[open] + 1)));
                }
            }
        }
    }

    /// Finds the names that an account's column gets with `AS`.
    fn find_names(&mut self) {
        for at in 0..self.tokens.len() {
            if let Some((_, end)) = self.column(at)
                && self.at(end) == "as"
            {
                let name = self.at(end + 1).to_owned();
                self.names.insert(name);
            }
        }
    }

    /// Returns a token; nothing behind the last one.
    fn at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token)
    }

    fn before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |at| self.at(at))
    }

    fn alias(&self, at: usize) -> Option<String> {
        let name = if self.at(at) == "as" { self.at(at + 1) } else { self.at(at) };
        is_name(name).then(|| name.to_owned())
    }

    fn is_query(&self, open: usize) -> bool {
        QUERIES.contains(&self.at(open + 1))
    }

    /// Returns the parenthesis of the query that a token is in; `None` for the outermost one.
    fn query(&self, at: usize) -> Option<usize> {
        let mut open = self.inside[at];
        while let Some(parenthesis) = open.filter(|open| !self.is_query(*open)) {
            open = self.inside[parenthesis];
        }
        open
    }

    /// Returns the first token of an account's column, and the one behind it, if its name is at this place.
    fn column(&self, at: usize) -> Option<(usize, usize)> {
        let qualifier = (self.before(at) == ".").then(|| self.at(at - 2));
        let is_column = match (self.at(at), qualifier) {
            (ID, Some(qualifier)) => self.accounts.contains(qualifier),
            (ID, None) => self.of_accounts.contains(&self.query(at)),
            (name, _) => self.names.contains(name),
        };
        let is_used = !matches!(self.at(at + 1), "." | "(") && self.before(at) != "as";
        (is_column && is_used).then(|| (if qualifier.is_some() { at - 2 } else { at }, at + 1))
    }

    /// Returns the comparison that an operand is in, if its other side is not fixed. `is_alone` is whether the operand is an
    /// account's column and nothing more.
    fn judge(&self, start: usize, end: usize, is_alone: bool) -> Option<String> {
        let shown = |from: usize, to: usize| Some(self.tokens[from..to.min(self.tokens.len())].join(" "));
        if is_operator(self.at(end)) {
            return if is_alone && self.is_fixed_behind(end) { None } else { shown(start, end + 6) };
        }
        if is_operator(self.before(start)) {
            return if is_alone && self.is_fixed_before(start - 1) {
                None
            } else {
                shown(start.saturating_sub(6), end)
            };
        }
        if matches!(self.before(start), "case" | "when") || self.ends_between(start) {
            return shown(start - 1, end + 1);
        }
        let open = self.inside[start]?;
        let head = self.before(open);
        if self.is_query(open) {
            let is_compared = is_operator(head) || matches!(head, "any" | "all" | "some");
            return if is_compared && self.is_result(open, start) { shown(open - 1, end) } else { None };
        }
        let second = open.checked_sub(2).map_or("", |at| self.at(at));
        match head {
            "in" | "any" | "all" | "some" | "using" => return shown(open - 1, end + 1),
            "conflict" => return None,
            _ if self.at(open) == "[" || matches!(second, "into" | "as") => return None,
            _ => {}
        }
        let (is_function, close) = (is_name(head), self.closes[open]);
        let is_alone = is_alone && !is_function && open + 1 == start && close == end;
        self.judge(open - usize::from(is_function), close + 1, is_alone)
    }

    /// Checks whether a place is between the `SELECT` and the `FROM` of a query.
    fn is_result(&self, open: usize, at: usize) -> bool {
        !(open..at).any(|earlier| self.at(earlier) == "from" && self.inside[earlier] == Some(open))
    }

    /// Checks whether an operand ends a `BETWEEN`.
    fn ends_between(&self, start: usize) -> bool {
        let operands = self.tokens[..start.saturating_sub(1)].iter().rev();
        self.before(start) == "and"
            && operands
                .take_while(|token| is_operator(token) || !KEYWORDS.contains(&&***token))
                .any(|token| token == "between")
    }

    /// Checks whether only fixed values are behind an operator.
    fn is_fixed_behind(&self, operator: usize) -> bool {
        let next = operator + 1;
        let end = match (self.at(operator), self.at(next), self.at(next + 1)) {
            ("is", "null", _) => Some(next + 1),
            ("is", "not", "null") => Some(next + 2),
            ("is", "not", "distinct") => self.value(next + 3),
            ("is", "distinct", "from") => self.value(next + 2),
            ("in", ..) => self.list(next),
            ("not", "in", _) => self.list(next + 1),
            (comparison, "any", "(") if COMPARISONS.contains(&comparison) => self.list(next + 1),
            (comparison, ..) if COMPARISONS.contains(&comparison) => self.value(next),
            _ => None,
        };
        end.is_some_and(|end| !is_operator(self.at(end)) && !matches!(self.at(end), "." | "(" | "["))
    }

    /// Checks whether a fixed value, and nothing more, is before a comparison.
    fn is_fixed_before(&self, operator: usize) -> bool {
        let value = operator.checked_sub(1).filter(|value| self.value(*value).is_some());
        COMPARISONS.contains(&self.at(operator)) && value.is_some_and(|value| !is_operator(self.before(value)))
    }

    /// Returns the place behind a fixed value: a parameter, or the nil account.
    fn value(&self, at: usize) -> Option<usize> {
        let token = self.at(at);
        let is_nil = token.starts_with("x'") || token.starts_with('\'');
        let digits = token.trim_start_matches('x').chars().filter(|digit| !matches!(digit, '\'' | '-'));
        let is_fixed = token.starts_with('?') || is_nil && digits.eq("0".repeat(32).chars());
        is_fixed.then_some(at + 1)
    }

    /// Returns the place behind a list of fixed values in parentheses.
    fn list(&self, open: usize) -> Option<usize> {
        let mut at = open;
        if self.at(at) != "(" {
            return None;
        }
        loop {
            at = self.value(at + 1)?;
            match self.at(at) {
                "," => {}
                ")" => return Some(at + 1),
                _ => return None,
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && !token.contains('\'')
        && !KEYWORDS.contains(&token)
        && !OPERATORS.contains(&token)
}

fn is_operator(token: &str) -> bool {
    OPERATORS.contains(&token) || token.starts_with(|first: char| "=<>!|+-*/%&~#@^".contains(first))
}
