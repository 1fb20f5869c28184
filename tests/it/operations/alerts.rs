//! The page on monitoring: its examples work, and it lists every metric.

use std::collections::BTreeSet;

use super::promtool;

const PAGE: &str = include_str!("../../../docs/monitoring.md");
const METRICS: &str = include_str!("../../../src/telemetry.rs");

#[test]
fn prometheus_accepts_the_example_rules_and_configuration() {
    let rules = example("groups:");
    assert_eq!(rules.matches("- alert:").count(), 5);
    promtool::check("rules", &rules);
    promtool::check("config", &example("scrape_configs:"));
}

#[test]
fn the_page_explains_every_metric_and_no_other() {
    let made: BTreeSet<&str> = names(METRICS).collect();
    let explained: BTreeSet<&str> =
        PAGE.lines().filter(|line| line.starts_with("| `selfsame_")).flat_map(names).collect();
    assert!(made.len() > 8);
    assert_eq!(explained, made);
    // Examples may use the parts of a histogram.
    let part = |name: &str| ["_bucket", "_count", "_sum"].iter().any(|part| made.contains(name.trim_end_matches(part)));
    let unknown: Vec<&str> = names(PAGE).filter(|name| !made.contains(name) && !part(name)).collect();
    assert_eq!(unknown, [""; 0]);
}

/// The YAML block that begins with this text.
fn example(first: &str) -> String {
    let blocks = PAGE.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let found: Vec<&str> = blocks.filter(|block| block.starts_with(first)).collect();
    assert_eq!(found.len(), 1, "{first}");
    found[0].to_owned()
}

/// The metric names in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_'));
    words.filter(|word| word.starts_with("selfsame_"))
}
