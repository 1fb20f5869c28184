//! What must not leave the server: personal values and credentials in the log, secrets in the database, and requests to
//! addresses that a caller names.

mod fetches;
mod log;
mod secrets;
