//! SQL that both databases run: written once with SQLite's `?1`, rendered with `$1` for PostgreSQL, and assembled at compile
//! time, with the column lists of [`tables`](super::tables).

use super::table::{Kind, Table};

/// One statement, rendered for each database.
#[derive(Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A piece of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// Literal text; `?` may only begin a parameter.
    Text(&'static str),
    /// `table.first, table.second`
    Columns(&'static Table),
    /// `first, second`
    Names(&'static Table),
    /// `?4, ?5`: a parameter for each column, starting with this one.
    Places(&'static Table, usize),
    /// `?4::uuid, ?5::bigint`: the same with types, for PostgreSQL, where it cannot infer them.
    TypedPlaces(&'static Table, usize),
    /// `second = ?2, third = ?3`: every column after the primary key, with parameters numbered like the columns.
    Assignments(&'static Table),
    /// `second = new.second`, with the prefix `new.`: the same with values of another row.
    AssignmentsFrom(&'static Table, &'static str),
    /// `new.first, new.second`, with the prefix `new.`.
    Prefixed(&'static Table, &'static str),
    /// `?4::uuid[], ?5::bigint[]`: a parameter for each column that lists its values in several rows, for PostgreSQL.
    Lists(&'static Table, usize),
    /// `?4`
    Place(usize),
    /// The nil account, as a literal.
    NilAccount,
    /// Several parts in sequence.
    All(&'static [Part]),
}

/// Lists parts: string literals as text, other parts in braces.
macro_rules! parts {
    ($($part:tt),+ $(,)?) => { &[$($crate::store::statement::part!($part)),+] };
}
pub(crate) use parts;

macro_rules! part {
    ($text:literal) => {
        $crate::store::statement::Part::Text($text)
    };
    ({ $part:expr }) => {
        $part
    };
}
pub(crate) use part;

/// Builds a [`Statement`] from parts, written as for [`parts!`].
macro_rules! statement {
    ($($part:tt),+ $(,)?) => {{
        use $crate::store::statement::{Part, Statement, length, spelled, text};
        const PARTS: &[Part] = $crate::store::statement::parts![$($part),+];
        const SQLITE: [u8; length(PARTS, b'?')] = spelled(PARTS, b'?');
        const POSTGRES: [u8; length(PARTS, b'$')] = spelled(PARTS, b'$');
        Statement { sqlite: text(&SQLITE), postgres: text(&POSTGRES) }
    }};
}
pub(crate) use statement;

/// Builds a statement that selects whole rows of a table.
macro_rules! select {
    ($TABLE:ident $(, $part:tt)* $(,)?) => {
        $crate::store::statement::statement!(
            "SELECT ", { Part::Columns($TABLE.table()) }, " FROM ", { Part::Text($TABLE.table().name) }, " " $(, $part)*
        )
    };
}
pub(crate) use select;

/// Builds a statement that inserts a whole row into a table; the parameters are those of [`values!`](super::table::values).
macro_rules! insert {
    ($TABLE:ident $(, $part:tt)* $(,)?) => {
        $crate::store::statement::statement!(
            "INSERT INTO ", { Part::Text($TABLE.table().name) }, " (", { Part::Names($TABLE.table()) },
            ") VALUES (", { Part::Places($TABLE.table(), 1) }, ")" $(, $part)*
        )
    };
}
pub(crate) use insert;

/// Returns the length of parts when rendered; `sign` begins the name of a parameter.
pub(crate) const fn length(parts: &[Part], sign: u8) -> usize {
    let mut nowhere = Writer { out: &mut [], length: 0, sign };
    nowhere.parts(parts);
    nowhere.length
}

/// Renders parts; `sign` begins the name of a parameter.
pub(crate) const fn spelled<const LENGTH: usize>(parts: &[Part], sign: u8) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let mut writer = Writer { out: &mut bytes, length: 0, sign };
    writer.parts(parts);
    bytes
}

/// Returns rendered bytes as text.
pub(crate) const fn text(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("statements are UTF-8"),
    }
}

/// Begins the name of a parameter in SQLite.
const SQLITE_SIGN: u8 = b'?';

/// Writes as much as there is room for, and counts everything.
struct Writer<'a> {
    out: &'a mut [u8],
    length: usize,
    sign: u8,
}

impl Writer<'_> {
    const fn parts(&mut self, parts: &[Part]) {
        let mut at = 0;
        while at < parts.len() {
            self.part(parts[at]);
            at += 1;
        }
    }

    const fn part(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.text(text),
            Part::Place(place) => self.place(place),
            Part::NilAccount if self.sign == SQLITE_SIGN => self.text("x'00000000000000000000000000000000'"),
            Part::NilAccount => self.text("'00000000-0000-0000-0000-000000000000'::uuid"),
            Part::All(parts) => self.parts(parts),
            Part::Columns(table)
            | Part::Names(table)
            | Part::Places(table, _)
            | Part::TypedPlaces(table, _)
            | Part::Prefixed(table, _)
            | Part::Lists(table, _) => self.list(part, table, 0),
            Part::Assignments(table) | Part::AssignmentsFrom(table, _) => self.list(part, table, table.keys),
        }
    }

    /// Renders a part for each column from a position on, separated by commas.
    const fn list(&mut self, part: Part, table: &Table, first: usize) {
        let mut position = first;
        while position < table.width() {
            if position > first {
                self.text(", ");
            }
            self.column(part, table, position);
            position += 1;
        }
    }

    const fn column(&mut self, part: Part, table: &Table, position: usize) {
        let (name, kind) = table.column(position);
        match part {
            Part::Columns(_) => {
                self.text(table.name);
                self.text(".");
                self.text(name);
            }
            Part::Places(_, from) => self.place(from + position),
            Part::TypedPlaces(_, from) => self.typed_place(from + position, kind),
            Part::Lists(_, from) => {
                self.typed_place(from + position, kind);
                self.text("[]");
            }
            Part::Assignments(_) => {
                self.text(name);
                self.text(" = ");
                self.place(position + 1);
            }
            Part::AssignmentsFrom(_, prefix) => {
                self.text(name);
                self.text(" = ");
                self.text(prefix);
                self.text(name);
            }
            Part::Prefixed(_, prefix) => {
                self.text(prefix);
                self.text(name);
            }
            _ => self.text(name),
        }
    }

    const fn typed_place(&mut self, place: usize, kind: Kind) {
        self.place(place);
        self.text(match kind {
            Kind::Integer => "::bigint",
            Kind::Boolean => "::boolean",
            Kind::Text => "::text",
            Kind::Bytes => "::bytea",
            Kind::Uuid => "::uuid",
        });
    }

    const fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.byte(if bytes[at] == b'?' { self.sign } else { bytes[at] });
            at += 1;
        }
    }

    const fn place(&mut self, place: usize) {
        self.byte(self.sign);
        self.number(place);
    }

    const fn number(&mut self, number: usize) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < self.out.len() {
            self.out[self.length] = byte;
        }
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{CHANNEL_NONCE, COUNTER};

    #[test]
    fn statements_for_whole_rows_list_the_columns_of_their_table() {
        let select = select!(CHANNEL_NONCE, "WHERE channel_nonce.scope = ?1");
        insta::assert_snapshot!(select.sqlite, @"SELECT channel_nonce.scope, channel_nonce.nonce, channel_nonce.account_id, channel_nonce.expires_at FROM channel_nonce WHERE channel_nonce.scope = ?1");
        insta::assert_snapshot!(select.postgres, @"SELECT channel_nonce.scope, channel_nonce.nonce, channel_nonce.account_id, channel_nonce.expires_at FROM channel_nonce WHERE channel_nonce.scope = $1");
        let insert = insert!(COUNTER, " ON CONFLICT (name) DO UPDATE SET ", {
            Part::AssignmentsFrom(COUNTER.table(), "excluded.")
        });
        insta::assert_snapshot!(insert.postgres, @"INSERT INTO counter (name, last) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET last = excluded.last");
    }

    #[test]
    fn parameters_are_numbered_like_the_columns_from_any_start() {
        let set =
            statement!("UPDATE channel_nonce SET ", { Part::Assignments(CHANNEL_NONCE.table()) }, " WHERE nonce = ", {
                CHANNEL_NONCE.nonce.place()
            });
        insta::assert_snapshot!(set.sqlite, @"UPDATE channel_nonce SET account_id = ?3, expires_at = ?4 WHERE nonce = ?2");
        let nil = statement!("WHERE account_id = ", { Part::NilAccount });
        insta::assert_snapshot!(nil.sqlite, @"WHERE account_id = x'00000000000000000000000000000000'");
        insta::assert_snapshot!(nil.postgres, @"WHERE account_id = '00000000-0000-0000-0000-000000000000'::uuid");
        let typed = statement!("SELECT ", { Part::TypedPlaces(CHANNEL_NONCE.table(), 99) });
        insta::assert_snapshot!(typed.postgres, @"SELECT $99::bytea, $100::bytea, $101::uuid, $102::bigint");
    }
}
