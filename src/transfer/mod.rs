//! Accounts on the move: written out and read in as lines of JSON, one account a line.

mod draft;
mod export;
mod import;
mod line;
mod lines;

pub use export::{ExportError, export};
pub use import::{Event, ImportError, Options, Totals, import};
pub use line::record;
