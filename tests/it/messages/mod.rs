//! Outgoing messages: mail, short messages, notices, and the mailbox of `dev`.

mod mailbox;
mod notices;
mod sms;
mod smtp;
