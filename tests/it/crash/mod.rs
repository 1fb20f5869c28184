//! Acknowledged changes are durable: servers and databases that are killed, stopped, locked or full.

mod away;
mod killed;
mod load;
mod pictures;
mod sqlite;
