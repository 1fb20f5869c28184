//! Several responses in one snapshot.

use std::fmt;

use super::Answer;

/// Responses in order, each below its requests; consecutive requests with the same response share it.
#[derive(Default)]
pub(crate) struct Transcript(Vec<(Vec<String>, String)>);

impl Transcript {
    /// Adds a request and its response.
    pub(crate) fn add(&mut self, request: impl Into<String>, answer: &Answer) {
        let (request, answer) = (request.into(), answer.to_string());
        match self.0.last_mut() {
            Some((requests, same)) if *same == answer => requests.push(request),
            _ => self.0.push((vec![request], answer)),
        }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (requests, answer)) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(formatter, "\n")?;
            }
            for request in requests {
                writeln!(formatter, "> {request}")?;
            }
            write!(formatter, "{answer}")?;
        }
        Ok(())
    }
}
