//! A mailbox inside the server, for `dev`: a developer reads here the messages that people would get.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::Message;

/// The most messages kept; older ones are dropped.
const KEPT: usize = 200;

/// The newest messages; clones share them.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    last_id: u64,
    /// Newest first.
    mails: VecDeque<Mail>,
}

/// A message as listed.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// Counts from 1.
    pub id: u64,
    /// `email` or `sms`.
    #[serde(rename = "channel")]
    pub medium: &'static str,
    /// The recipient.
    pub to: String,
    /// The subject, if it has one.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML version, if there is one.
    pub html: Option<String>,
    /// When it was delivered.
    pub at: Timestamp,
}

impl Mailbox {
    /// Adds a message.
    pub(super) fn put(&self, message: &Message, at: Timestamp) {
        let Message { medium, to, subject, text, html } = message.clone();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last_id += 1;
        let mail = Mail { id: kept.last_id, medium: medium.name(), to, subject, text, html, at };
        kept.mails.push_front(mail);
        kept.mails.truncate(KEPT);
    }

    /// Returns all messages, newest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mails.iter().cloned().collect()
    }
}
