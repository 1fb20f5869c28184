//! Tests of what an operator sees: precedence, origins, and the exact text of each error.

mod defaults;
mod messages;
mod named;
mod names;
mod network;
mod pictures;
mod precedence;
mod secrets;
mod trusted_issuer;
mod values;

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use tempfile::TempDir;
use toml::Value;

use super::{Config, ConfigError, DEFAULTS, DatabaseUrl, Loaded, Overrides, Sources, layers, settings::Settings};

const MASTER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A named section with only the required settings.
const CORP: &str = "\
[trusted_issuer.corp]
issuer = \"https://login.example.com\"
audience = [\"api\"]
tenant = \"corp\"
contracts = [\"system\"]
";

/// A folder that `config.toml` and secrets are written to; errors are compared without its path.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn load(&self, file: &str, environment: &[(&str, &str)], overrides: Overrides) -> Result<Loaded, ConfigError> {
        let file = Some(self.write("config.toml", file).into());
        let environment = environment.iter().map(|(name, text)| (name.into(), text.into())).collect();
        Config::load(&Sources { file, environment, overrides })
    }

    fn error(&self, file: &str, environment: &[(&str, &str)]) -> String {
        self.without_path(&self.load(file, environment, Overrides::default()).unwrap_err().to_string())
    }

    fn without_path(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn file_error(file: &str) -> String {
    Folder::new().error(file, &[])
}

fn environment_error(name: &str, text: &str) -> String {
    Folder::new().error("", &[(name, text)])
}

fn load(file: &str, environment: &[(&str, &str)], overrides: Overrides) -> Loaded {
    Folder::new().load(file, environment, overrides).unwrap()
}

fn with_file(file: &str) -> Config {
    load(file, &[], Overrides::default()).config
}

fn origin_of(loaded: &Loaded, key: &str) -> String {
    let setting = loaded.settings.iter().find(|setting| setting.key == key).unwrap();
    format!("{} from {}", setting.value, setting.origin)
}

#[test]
fn the_database_is_a_file_in_the_data_folder_by_default() {
    let config = with_file("data = \"d\"");
    assert!(matches!(config.database(), DatabaseUrl::Sqlite(path) if path == Path::new("d/selfsame.sqlite3")));
    assert_eq!(config.master_key_file(), Path::new("d/secret.key"));
}

#[test]
fn a_database_is_chosen_by_its_scheme() {
    for (url, expected) in [("sqlite:a.db", "a.db"), ("sqlite:///srv/a.db", "/srv/a.db")] {
        let config = with_file(&format!("database.url = {url:?}"));
        assert!(matches!(config.database(), DatabaseUrl::Sqlite(path) if path == Path::new(expected)));
    }
    for url in ["postgres://u:p@h/d", "postgresql://u:p@h/d"] {
        let config = with_file(&format!("database.url = {url:?}"));
        assert!(matches!(config.database(), DatabaseUrl::Postgres(kept) if kept.expose() == url));
    }
}

#[test]
fn the_public_url_follows_the_address_that_is_bound() {
    let config = with_file("");
    let url = |bound: &str| config.public_url(bound.parse::<SocketAddr>().unwrap());
    assert_eq!(url("127.0.0.1:4711"), "http://127.0.0.1:4711");
    assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80");
    assert_eq!(url("[::]:80"), "http://[::1]:80");
}

#[test]
fn the_public_url_follows_tls() {
    let config = with_file("[server]\ntls_certificate = \"a.pem\"\ntls_private_key = \"b.pem\"\n");
    assert_eq!(config.public_url("127.0.0.1:4711".parse().unwrap()), "https://127.0.0.1:4711");
}

#[test]
fn a_public_url_that_was_set_is_kept() {
    let config = with_file("server.public_url = \"https://id.example.com\"");
    assert_eq!(config.public_url("127.0.0.1:80".parse().unwrap()), "https://id.example.com");
}
