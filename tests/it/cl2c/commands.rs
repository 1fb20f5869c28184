//! The operator's commands for API keys.

use std::path::Path;

use aws_lc_rs::digest;
use selfsame::identity::api_key;

use super::{JOHN, NOBODY, path_of};
use crate::support::{Installation, Request};

/// Adds two tenants, and John to the first one.
fn settle_in(installation: &Installation) {
    installation.print(&["tenant", "create", "demo"]);
    installation.print(&["tenant", "create", "elsewhere"]);
    installation.print(&["account", "create", "--tenant", "demo", "--id", JOHN, "given_name=Johannes"]);
}

/// Reads John's profile with a key and returns the status.
async fn read(address: std::net::SocketAddr, secret: &str) -> u16 {
    let request = Request::new(&reqwest::Client::new(), "GET", &format!("http://{address}{}", path_of(JOHN)));
    request.header("tenant", "demo").header("X-API-Key", secret).send().await.status.as_u16()
}

on_both_databases!(
    async fn a_new_key_is_shown_once_and_can_be_recognised(installation: Installation) {
        settle_in(&installation);
        let secret = installation.print(&["key", "create", "--tenant", "demo"]);
        let secret = secret.strip_suffix('\n').unwrap();
        assert!(secret.starts_with("ssk_") && secret.len() == 4 + 64 + 8 && api_key::is_key(secret), "{secret}");
        let command = format!("key create --tenant demo --account {JOHN} --name CI --expires 90d --json");
        let created = installation.json(&command.split(' ').collect::<Vec<_>>());
        assert!(api_key::is_key(created["api_key"].as_str().unwrap()));
        let moment = |name: &str| created[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let life = moment("expires_at").duration_since(moment("created_at")).as_secs();
        assert!((90 * 24 * 3600 - 1..=90 * 24 * 3600).contains(&life), "{life}");

        let listed = installation.print(&["key", "list", "--tenant", "demo", "--json"]);
        insta::assert_snapshot!(installation.settled(&listed), @r#"
        {"id":"ID","name":"","account_id":null,"created_at":"TIME","expires_at":null,"revoked_at":null,"last_used_at":null}
        {"id":"ID","name":"CI","account_id":"ID","created_at":"TIME","expires_at":"TIME","revoked_at":null,"last_used_at":null}
        "#);
        insta::assert_snapshot!(installation.settled(&installation.print(&["key", "list", "--tenant", "demo"])), @"
        id:           ID
        name:         
        created_at:   TIME

        id:           ID
        name:         CI
        account_id:   ID
        created_at:   TIME
        expires_at:   TIME
        ");
        assert!(installation.print(&["key", "list", "--tenant", "elsewhere"]).is_empty());
    }
);

on_both_databases!(
    async fn a_key_with_invalid_options_is_not_created(installation: Installation) {
        settle_in(&installation);
        let create = |more: &[&str]| installation.refusal(&[&["key", "create"], more].concat());
        insta::assert_snapshot!(create(&["--tenant", "nobody"]), @"selfsame: no tenant is named nobody; see `selfsame tenant list`");
        insta::assert_snapshot!(create(&["--tenant", "elsewhere", "--account", JOHN]), @"selfsame: account ID does not belong to tenant elsewhere");
        insta::assert_snapshot!(create(&["--tenant", "demo", "--account", NOBODY]), @"selfsame: no account has the id ID; see `selfsame account list`");
        insta::assert_snapshot!(create(&["--tenant", "demo", "--name", "a\nb"]), @"selfsame: name: expected at most 128 characters, none of them a control character");
        insta::assert_snapshot!(create(&["--tenant", "demo", "--name", &"x".repeat(129)]), @"selfsame: name: expected at most 128 characters, none of them a control character");
        insta::assert_snapshot!(create(&["--tenant", "demo", "--expires", "999999999d"]), @"selfsame: expires: too far away");
        for never in ["0d", "-1d", "90", "soon", "99999999999999999999d", ""] {
            let refusal = create(&["--tenant", "demo", &format!("--expires={never}")]);
            assert!(refusal.ends_with("expected a duration such as 90d, 12h or 30m"), "{refusal}");
        }
        assert_eq!(installation.print(&["key", "list", "--tenant", "demo"]), "");
        assert_eq!(installation.print(&["key", "list", "--tenant", "elsewhere"]), "");
    }
);

on_both_databases!(
    async fn a_key_revoked_on_the_command_line_ends_at_once_in_a_running_server(installation: Installation) {
        settle_in(&installation);
        let created = installation.json(&["key", "create", "--tenant", "demo", "--json"]);
        let (secret, id) = (created["api_key"].as_str().unwrap(), created["id"].as_str().unwrap());
        let (running, address) = installation.serve();
        assert_eq!(read(address, secret).await, 200);
        installation.print(&["key", "revoke", id]);
        assert_eq!(read(address, secret).await, 401);
        insta::assert_snapshot!(installation.refusal(&["key", "revoke", id]), @"selfsame: no valid key has the id ID");
        running.terminate();
        assert_eq!(running.end().code, Some(0));
    }
);

on_both_databases!(
    async fn the_last_use_is_listed_after_a_clean_stop(installation: Installation) {
        settle_in(&installation);
        let created = installation.json(&["key", "create", "--tenant", "demo", "--json"]);
        let (running, address) = installation.serve();
        assert_eq!(read(address, created["api_key"].as_str().unwrap()).await, 200);
        running.terminate();
        assert_eq!(running.end().code, Some(0));
        let listed = installation.json(&["key", "list", "--tenant", "demo", "--json"]);
        assert!(listed["last_used_at"].is_string(), "{listed}");
    }
);

#[tokio::test]
async fn a_secret_is_in_no_file_and_in_no_line_of_the_log() {
    let mut installation = Installation::new();
    settle_in(&installation);
    installation.set("SELFSAME__LOG__LEVEL", "trace");
    let secret = installation.print(&["key", "create", "--tenant", "demo"]);
    let secret = secret.trim();
    let (running, address) = installation.serve();
    assert_eq!(read(address, secret).await, 200);
    let wrong = format!("{}0", &secret[..secret.len() - 1]);
    assert!(secret == wrong || read(address, &wrong).await == 401);
    running.terminate();
    let ended = running.end();
    let digits = &secret[4..68];
    assert!(ended.errors.contains("/v1/cl2c/users/{id}"), "the log says what was asked: {ended}");
    assert!(!ended.errors.contains(digits) && !ended.errors.contains("Johannes"));

    let bytes: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let guessable = [secret, digits].map(|text| digest::digest(&digest::SHA256, text.as_bytes()));
    let files = files(installation.data());
    assert!(files.iter().any(|(_, content)| contains(content, b"Johannes")), "the database's files were not read");
    for (name, content) in files {
        assert!(!contains(&content, digits.as_bytes()), "{name}");
        assert!(!contains(&content, &bytes), "{name}");
        assert!(guessable.iter().all(|hash| !contains(&content, hash.as_ref())), "{name}");
    }
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

/// The names and contents of the files in a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}
