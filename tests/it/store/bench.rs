//! The statements of `bench/statements`, which stand in for the product's own where `bench/run` measures a database alone.

use std::path::Path;

use super::Opened;

on_both_databases!(
    async fn the_statements_that_bench_measures_fit_the_tables(opened: Opened) {
        let (own, other) = match opened.database.url().starts_with("sqlite:") {
            true => ("sqlite_", "postgres_"),
            false => ("postgres_", "sqlite_"),
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/statements");
        let mut prepared = Vec::new();
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap()) {
            let name = file.file_name().into_string().unwrap();
            if !name.starts_with(other) {
                let statement = std::fs::read_to_string(file.path()).unwrap();
                opened.database.prepare(&statement).await.unwrap_or_else(|error| panic!("{name}: {error}"));
                prepared.push(name);
            }
        }
        let has = |begin: &str| prepared.iter().any(|name| name.starts_with(begin));
        assert!(has("read") && has(own), "only {prepared:?} were found");
    }
);
