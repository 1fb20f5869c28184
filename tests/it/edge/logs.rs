//! The log contains no personal data, at any level and in any encoding.

use crate::support::canaries::spellings;
use crate::support::{Installation, Request};

const NAME: &str = "Philippa Nightingale";
const NEW_NAME: &str = "Wilhelmina Ravenscroft";
const EMAIL: &str = "philippa.nightingale@example.com";
const PHONE: &str = "+4915735984712";
const NEW_PHONE: &str = "+4915735981234";
const CLIENT: &str = "hash-of-a-client-7f3e9d";
const OTHER_CLIENT: &str = "hash-of-a-thief-91c2ab";
const AGENT: &str = "Ravenscroft-Browser/7";
const SUBJECT: &str = "subject-of-philippa-5512";

on_both_databases!(
    async fn no_line_of_the_log_contains_a_personal_value_or_a_credential(installation: Installation) {
        let mut installation = installation;
        installation.set("SELFSAME__LOG__LEVEL", "trace,tokio_postgres=trace");
        installation.print(&["tenant", "create", "demo"]);
        let fields = [
            format!("display_name={NAME}"),
            format!("email={EMAIL}"),
            "email_verified=true".to_owned(),
            format!("phone={PHONE}"),
        ];
        let mut create = vec!["account", "create", "--tenant", "demo", "--json"];
        create.extend(fields.iter().map(String::as_str));
        let account = installation.json(&create)["id"].as_str().unwrap().to_owned();
        installation.print(&["account", "link", &account, "--issuer", "https://id.example", "--subject", SUBJECT]);
        let issue = ["token", "issue", "--account", &account, "--contract", "system", "--json"];
        let issued = installation.json(&issue);
        let token = issued["token"].as_str().unwrap();

        let (program, address) = installation.serve();
        let client = reqwest::Client::new();
        let ask = |method: &str, path: &str, token: &str, hash: &str| {
            let request = Request::new(&client, method, &format!("http://{address}{path}"));
            request.bearer(token).header("X-Client-Hash", hash).header("User-Agent", AGENT)
        };
        let profile = "/web/v1/system/profile";
        let update = "/web/v1/system/profile/update";
        let change = format!(r#"{{"accountName":"{NEW_NAME}","accountPhone":"{NEW_PHONE}"}}"#);
        let too_long = format!(r#"{{"accountName":"{}"}}"#, NEW_NAME.repeat(9));
        let misspelt = format!(r#"{{"accountName":"{NEW_NAME}""#);
        let forged = format!("{token}x");
        let requests = [
            (ask("GET", profile, token, CLIENT), 200),
            (ask("POST", update, token, CLIENT).json(change), 200),
            (ask("POST", update, token, CLIENT).json(too_long), 400),
            (ask("POST", update, token, CLIENT).json(misspelt), 400),
            (ask("POST", update, token, CLIENT).body(NEW_NAME), 415),
            (ask("POST", update, token, CLIENT).json(" ".repeat(70_000) + NEW_NAME), 413),
            (ask("GET", profile, token, OTHER_CLIENT), 403),
            (ask("GET", profile, &forged, CLIENT), 401),
            (ask("GET", &format!("{profile}?name={EMAIL}&phone={PHONE}"), token, CLIENT), 200),
            (ask("GET", &format!("{profile}/{EMAIL}"), token, CLIENT), 404),
            (ask("GET", &format!("/people/{EMAIL}"), token, CLIENT), 404),
            (ask("DELETE", &format!("{profile}?{EMAIL}"), token, CLIENT), 405),
        ];
        for (number, (request, status)) in requests.into_iter().enumerate() {
            let answer = request.send().await;
            assert_eq!(answer.status, status, "request {number}: {answer}");
        }
        program.terminate();
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{ended}");

        let log = ended.errors;
        assert_eq!(log.matches(r#""message":"answered""#).count(), 12, "{log}");
        let signature = token.rsplit_once('.').unwrap().1;
        for value in [NAME, NEW_NAME, EMAIL, PHONE, NEW_PHONE, CLIENT, OTHER_CLIENT, AGENT, SUBJECT, token, signature] {
            for (spelling, spelt) in spellings(value) {
                let line = log.lines().find(|line| line.contains(&spelt));
                assert_eq!(line, None, "{value} is in the log {spelling}");
            }
        }
    }
);
