//! What the program asks of the system and of the database, so that an acknowledged change survives a power cut.

mod files;
mod sessions;
mod traced;
