//! Export and import of accounts as lines of JSON, one account per line.

mod draft;
mod export;
mod import;
mod line;
mod lines;

pub use export::{ExportError, export};
pub use import::{Event, ImportError, Options, Totals, import};
pub use line::record;
