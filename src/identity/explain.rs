//! Explains which rules a token follows, for operators.

use super::Authenticator;
use super::rule::{Refusal, Rule};
use super::verify::{Candidate, Unverified};
use crate::account::{Contract, Error};

/// The result of checking a token against a rule.
#[derive(Clone, Debug)]
pub enum Finding {
    /// The token follows the rule.
    Followed,
    /// The token breaks the rule in the way that the text states; the text may contain claims.
    Broken(String),
    /// The rule cannot be checked, because another one is broken.
    Unchecked,
}

/// The rules that a token follows or breaks by itself, and what its issuer is trusted for.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Each of [`Rule::OF_THE_TOKEN`], in their order.
    pub findings: Vec<(Rule, Finding)>,
    /// The issuer, if it is known.
    pub issuer: Option<String>,
    /// The contracts that the token is valid for, if it is valid.
    pub contracts: Vec<Contract>,
}

impl Explanation {
    /// Checks whether the token follows each of the rules.
    pub fn is_followed(&self) -> bool {
        self.findings.iter().all(|(_, finding)| matches!(finding, Finding::Followed))
    }
}

impl Authenticator {
    /// Checks a token against every rule that does not depend on the database, and asks nothing but the keys of its issuer.
    /// Fails if those cannot be fetched.
    pub async fn explain(&self, token: &str) -> Result<Explanation, Error> {
        let candidate = match self.candidate(token) {
            Ok(candidate) => candidate,
            Err(refusal) => return Ok(unreadable(refusal)),
        };
        let read = candidate.token();
        let key = match self.keys_for(&candidate).await {
            Ok(keys) => candidate.signed_with(&keys).map(|_| ()),
            Err(Unverified::Refused(refusal)) => Err(refusal),
            Err(Unverified::Failed(error)) => return Err(error),
        };
        let findings = Rule::OF_THE_TOKEN.iter().map(|rule| {
            let checked = match rule {
                Rule::Length | Rule::Form | Rule::Header | Rule::Issuer => Ok(()),
                Rule::Type => candidate.check_type(),
                Rule::Algorithm => candidate.check_algorithm(),
                Rule::Key | Rule::Signature => key.clone(),
                Rule::Claims => read.clone().map(|_| ()),
                Rule::Kind => candidate.check_kind(),
                _ => read.clone().and_then(|token| match rule {
                    Rule::Audience => candidate.check_audience(&token),
                    _ => token.check_time(self.clock.now(), self.leeway_of(&candidate.source)),
                }),
            };
            (*rule, finding(*rule, checked))
        });
        Ok(Explanation {
            findings: findings.collect(),
            issuer: Some(self.name_of(&candidate.source).to_owned()),
            contracts: contracts(&candidate),
        })
    }
}

/// Returns the finding for a rule; if the check ended at an earlier one, this one was not checked, and if it ended at a
/// later one, the token follows it.
fn finding(rule: Rule, checked: Result<(), Refusal>) -> Finding {
    match checked {
        Err(refusal) if refusal.rule == rule => Finding::Broken(refusal.why),
        Err(refusal) if position(refusal.rule) < position(rule) => Finding::Unchecked,
        _ => Finding::Followed,
    }
}

/// Explains a token that cannot be read, or is of an unknown issuer.
fn unreadable(refusal: Refusal) -> Explanation {
    let findings = Rule::OF_THE_TOKEN.iter().map(|rule| (*rule, finding(*rule, Err(refusal.clone()))));
    Explanation { findings: findings.collect(), issuer: None, contracts: Vec::new() }
}

fn position(rule: Rule) -> Option<usize> {
    Rule::OF_THE_TOKEN.iter().position(|other| *other == rule)
}

fn contracts(candidate: &Candidate<'_>) -> Vec<Contract> {
    let all = Contract::ALL.into_iter();
    let audience = candidate.token().map(|token| token.audience).unwrap_or_default();
    all.filter(|contract| candidate.source.opens(*contract, &audience)).collect()
}
