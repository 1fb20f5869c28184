//! Third-party clients work unmodified: `openid-client` from npm and `Authlib` from PyPI.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{Demo, Installation};

/// The verified address of the demo account.
const EMAIL: &str = "admin@example.com";

/// The command-line arguments of a client.
fn arguments(demo: &Demo) -> [String; 4] {
    [
        demo.text("/base_url"),
        demo.text("/contracts/ciam/client_id"),
        demo.text("/contracts/ciam/client_secret"),
        EMAIL.to_owned(),
    ]
}

/// Parses the one line that a client prints on success.
fn learned(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

on_both_databases!(
    async fn openid_client_discovers_signs_in_reads_refreshes_and_revokes(installation: Installation) {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers");
        assert!(peers.join("node_modules/openid-client").is_dir(), "openid-client is not installed: run ./test");
        let demo = Demo::start(&installation);
        let mut command = Command::new("node");
        // A script passed by `--eval` resolves its packages from the working directory.
        command.current_dir(peers).args([
            "--input-type=module",
            "--eval",
            include_str!("../../peers/openid_client.mjs"),
            "--",
        ]);
        let learned = learned(&command.args(arguments(&demo)).output().unwrap());
        let expected = json!({
            "iss": demo.text("/base_url"),
            "aud": demo.text("/contracts/ciam/client_id"),
            "subIsKnown": true,
            "name": "System Admin",
            "email": EMAIL,
            "type": "bearer",
            "expires": 86_400,
            "usedTwice": "invalid_grant",
            "rotated": true,
            "afterRevocation": "invalid_grant",
            "afterWrongSecret": "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
            "challenge": "invalid_token",
        });
        assert_eq!(learned, expected);
        demo.stop();
    }
);

on_both_databases!(
    async fn authlib_signs_in_reads_changes_refreshes_and_revokes(installation: Installation) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/peers/python/bin/python");
        assert!(python.exists(), "Authlib is not installed: run ./test");
        let mut installation = installation;
        installation.set("SELFSAME__ISSUER__REFRESH_GRACE_PERIOD", "0s");
        let demo = Demo::start(&installation);
        let mut command = Command::new(python);
        command.arg(root.join("tests/peers/authlib_client.py")).args(arguments(&demo));
        let learned = learned(&command.output().unwrap());
        let expected = json!({
            "sub_is_known": true,
            "name": "System Admin",
            "nickname": "Lib",
            "rotated": true,
            "reused": "invalid_grant",
            "ended": 401,
            "revoked": 200,
        });
        assert_eq!(learned, expected);
        demo.stop();
    }
);
