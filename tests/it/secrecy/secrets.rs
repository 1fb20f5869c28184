//! Secrets of clients are stored only as keyed hashes: no column of any table, and no byte of the file, contains one.

use selfsame::account::{Contract, Field, Kind};
use selfsame::identity::Grant;
use serde_json::{Value, json};

use crate::support::canaries::{assert_no_part, spellings};
use crate::support::{Database, HOUR, Person, Server, patch};

const NAME: &str = "Philippa Nightingale";
const CLIENT: &str = "hash-of-a-client-7f3e9d";
const BOUND: &str = "hash-in-a-token-91c2ab";
const PHONE: &str = "13800138000";
const EMAIL: &str = "philippa@example.com";
const SMS_GRANT: &str = "http://tencentciam.com/oauth2/grant-type/otp/sms";

/// Codes of ten digits are not found by chance among times and counters.
const SETTINGS: [(&str, &str); 4] = [
    ("SELFSAME__CODES__LOGIN__LENGTH", "10"),
    ("SELFSAME__CODES__UPDATE_USERINFO__LENGTH", "10"),
    ("SELFSAME__CODES__CHANGE_EMAIL__LENGTH", "10"),
    ("SELFSAME__CODES__LOGIN__INTERVAL", "0s"),
];

/// All that a database contains, as text: every column of every table, and for SQLite the bytes of its files.
async fn content(database: &Database) -> String {
    if let Some(file) = database.url().strip_prefix("sqlite:") {
        let files = ["", "-wal"].map(|suffix| std::fs::read(format!("{file}{suffix}")).unwrap_or_default());
        let bytes = files.concat();
        assert!(bytes.len() > 100_000, "the files are read before they are written");
        // Blobs as numbers, too, as the rows are shown.
        return format!("{}\n{}", String::from_utf8_lossy(&bytes), database.all_rows().await.join("\n"));
    }
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1";
    let mut content = String::new();
    for table in database.rows(tables).await {
        let rows = database.rows(&format!("SELECT '{table} ' || t::text FROM {table} t")).await;
        content.push_str(&(rows.join("\n") + "\n"));
    }
    content
}

/// The newest code that was sent to a recipient.
fn code_to(server: &Server, to: &str) -> String {
    let mails = server.app.outbox().mailbox().unwrap().mails();
    let text = &mails.iter().find(|mail| mail.to == to).unwrap().text;
    text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 10).unwrap().to_owned()
}

on_both_databases!(
    async fn no_secret_of_a_client_is_stored_as_it_is(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let mut fields = patch(&[(Field::DisplayName, NAME), (Field::Phone, &format!("+86{PHONE}"))]);
        fields.phone_verified = Some(true);
        let person = Person::new(&server, fields).await;
        let mut secrets: Vec<(&'static str, String)> = vec![
            ("the API key", person.key.clone()),
            ("the application's secret", person.client.secret.clone().unwrap()),
            ("a client hash", CLIENT.to_owned()),
            ("the client hash in a token", BOUND.to_owned()),
        ];
        let grant = Grant {
            account: person.account.id,
            contract: Contract::System,
            scope: None,
            client_hash: Some(BOUND.to_owned()),
            lifetime: HOUR,
        };
        let bound = server.issue(grant).await.token;
        for (token, hash) in [(&person.token, CLIENT), (&bound, BOUND)] {
            let read = server.request("GET", "/web/v1/system/profile").bearer(token).header("X-Client-Hash", hash);
            assert_eq!(read.send().await.status, 200);
            secrets.push(("an access token", token.clone()));
        }
        assert_eq!(person.river("GET", "/api/v1/auth/me", None).await.status, 200);
        assert_eq!(person.ciam("GET", None).await.status, 200);
        secrets.extend([("RiverGen's token", person.river.clone()), ("CIAM's token", person.claims.clone())]);

        // A sign-in, a refresh, and codes that were not used yet.
        let client = server.client(Kind::Web, &[]).await;
        secrets.push(("another application's secret", client.secret.clone().unwrap()));
        let otp_token = client.otp_token(json!({ "phone_number": PHONE })).await;
        let otp = code_to(&server, &format!("+86{PHONE}"));
        let grant = json!({"grant_type": SMS_GRANT, "phone_number": PHONE, "otp_token": otp_token, "otp": otp});
        let first = client.ask(grant).await.json();
        let second =
            client.ask(json!({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})).await.json();
        secrets.extend([("a code that was used", otp), ("its token", otp_token)]);
        for tokens in [&first, &second] {
            let text = |name: &str| Value::as_str(&tokens[name]).unwrap().to_owned();
            secrets.push(("a refresh token", text("refresh_token")));
            secrets.push(("an application's access token", text("access_token")));
            secrets.push(("an ID token", text("id_token")));
        }
        let pending = client.otp_token(json!({"usage": "update_userinfo", "email": EMAIL})).await;
        secrets.extend([("a pending code", code_to(&server, EMAIL)), ("the token of a pending code", pending)]);
        let asked =
            person.river("POST", "/api/v1/auth/me/email/request", Some(json!({"new_email": "p2@example.com"}))).await;
        assert_eq!(asked.status, 200, "{asked}");
        secrets.push(("RiverGen's pending code", code_to(&server, "p2@example.com")));
        // A revoked token is remembered by its hash.
        let revoke = client.post("/oauth2/revoke", json!({"token": second["access_token"]})).await;
        assert_eq!(revoke.status, 200);

        let content = content(server.database()).await;
        // The search sees what is stored.
        assert!(spellings(NAME).iter().any(|(_, spelt)| content.contains(spelt)), "the name is stored and not found");
        assert!(content.contains(&person.client.application.id), "the application is stored and not found");
        assert_no_part(&secrets, &content);
    }
);
