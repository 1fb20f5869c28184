//! `selfsame dev`: a demo whose printed requests work, and that test suites can rely on.

mod databases;
mod hosts;
mod origins;

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::support::program::Running;
use crate::support::{Answer, Installation, Request};

const PROFILE: &str = "/web/v1/system/profile";

/// A running demo and the JSON that it printed.
struct Demo {
    program: Running,
    printed: Value,
}

impl Demo {
    fn start(installation: &Installation) -> Demo {
        Demo::start_with(installation, &["--listen", "127.0.0.1:0"])
    }

    fn start_with(installation: &Installation, arguments: &[&str]) -> Demo {
        let mut program = installation.spawn(&[&["dev", "--json"], arguments].concat());
        let line = program.output.wait_for(|_| true);
        Demo { program, printed: serde_json::from_str(&line).unwrap() }
    }

    fn text(&self, pointer: &str) -> &str {
        self.printed.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    /// The address of the listener for the contracts.
    fn address(&self) -> SocketAddr {
        self.text("/base_url").strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// The address of the listener for metrics and health.
    fn operator_address(&self) -> SocketAddr {
        self.text("/operator_url").strip_prefix("http://").unwrap().parse().unwrap()
    }

    fn token(&self) -> &str {
        self.text("/contracts/system/token")
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: &'static str) -> Answer {
        let request = Request::new(&reqwest::Client::new(), method, &format!("{}{path}", self.text("/base_url")));
        let request = request.bearer(token).header("X-Client-Hash", self.text("/contracts/system/client_hash"));
        if body.is_empty() { request.send().await } else { request.json(body).send().await }
    }

    async fn read(&self, token: &str) -> Answer {
        self.ask("GET", PROFILE, token, "").await
    }

    async fn rename(&self, body: &'static str) {
        let answer = self.ask("POST", "/web/v1/system/profile/update", self.token(), body).await;
        assert_eq!(answer.status, 200, "{answer}");
    }

    fn stop(self) {
        self.program.terminate();
        let ended = self.program.end();
        assert_eq!(ended.code, Some(0), "{ended}");
        assert_eq!(ended.output.lines().count(), 1, "{ended}");
    }
}

on_both_databases!(
    async fn it_prints_one_line_of_json_whose_credentials_work(installation: Installation) {
        let demo = Demo::start(&installation);
        let token = demo.token().to_owned();
        let line = demo.printed.to_string().replace(&token, "TOKEN").replace(demo.text("/base_url"), "URL");
        let line = line.replace(demo.text("/operator_url"), "OPERATOR");
        let line = line.replace(demo.text("/contracts/cl2c/api_key"), "KEY");
        let line = line.replace(demo.text("/contracts/rivergen/token"), "TOKEN");
        let line = line.replace(demo.text("/contracts/ciam/token"), "TOKEN");
        let line = line.replace(demo.text("/contracts/ciam/client_secret"), "SECRET");
        insta::assert_snapshot!(installation.settled(&line), @r#"{"account_id":"ID","base_url":"URL","bystander_id":"ID","contracts":{"ciam":{"client_id":"ID","client_secret":"SECRET","token":"TOKEN"},"cl2c":{"api_key":"KEY","tenant":"demo","user_id":"ID"},"rivergen":{"token":"TOKEN"},"system":{"client_hash":"dev-client","token":"TOKEN"}},"mailbox_url":"URL/dev/mailbox","operator_url":"OPERATOR","tenant":"demo"}"#);
        insta::assert_snapshot!(demo.read(&token).await.body, @r#"{"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}"#);
        demo.stop();
    }
);

#[tokio::test]
async fn it_serves_even_if_its_standard_output_has_no_reader() {
    for arguments in [["dev", "--json"].as_slice(), &["dev"]] {
        let mut program = Installation::new().spawn_unread(&[arguments, &["--listen", "127.0.0.1:0"]].concat());
        let operator = program.errors.wait_for(|line| line.contains("metrics and health listener started"));
        let operator: Value = serde_json::from_str(&operator).unwrap();
        let url = format!("http://{}/healthz", operator["address"].as_str().unwrap());
        assert_eq!(Request::new(&reqwest::Client::new(), "GET", &url).send().await.status, 200);
        program.terminate();
        assert_eq!(program.end().code, Some(0));
    }
}

// Runs every printed block unchanged, all in the same shell, as a person would paste them.
on_both_databases!(
    async fn every_printed_request_succeeds_as_it_is_printed(installation: Installation) {
        let mut program = installation.spawn(&["dev", "--listen", "127.0.0.1:0"]);
        program.output.wait_for(|line| line.ends_with("/metrics\n"));
        let guide = program.output.seen().to_owned();
        let blocks: Vec<&str> = guide.split("\n\n").skip(1).collect();
        let operations = guide.lines().filter(|line| line.starts_with("# ")).count();
        assert!(operations >= 14 && blocks.len() == operations, "{guide}");
        // The shell ends when a request fails, and when a response lacks a value that the next request needs.
        let script = guide.split_once("\n\n").unwrap().1.replace("curl -sS ", "curl -sS --fail-with-body ");
        let answered = Command::new("bash").args(["-eu", "-c", &script]).output().unwrap();
        assert!(answered.status.success() && answered.stderr.is_empty(), "{script}\n{answered:?}");
        let output = String::from_utf8(answered.stdout).unwrap();
        assert!(output.contains(r#""email":"admin@example.com""#), "{output}");
        assert!(output.contains(r#""phone_number":"13800138000""#), "{output}");
        program.terminate();
        assert_eq!(program.end().code, Some(0));
    }
);

on_both_databases!(
    async fn a_second_start_keeps_the_data_and_changes_the_credentials(installation: Installation) {
        let first = Demo::start(&installation);
        first.rename(r#"{"accountName":"Jane Admin"}"#).await;
        let (account, old) = (first.text("/account_id").to_owned(), first.token().to_owned());
        let (application, old_claims) =
            (first.text("/contracts/ciam/client_id").to_owned(), first.text("/contracts/ciam/token").to_owned());
        assert_eq!(first.ask("GET", "/userinfo", &old_claims, "").await.status, 200);
        first.stop();

        let second = Demo::start(&installation);
        assert_eq!(second.text("/account_id"), account);
        assert_eq!(second.text("/contracts/ciam/client_id"), application);
        assert_eq!(second.read(&old).await.status, 401);
        assert_eq!(second.ask("GET", "/userinfo", &old_claims, "").await.status, 401);
        let claims = second.ask("GET", "/userinfo", second.text("/contracts/ciam/token"), "").await.json();
        assert_eq!((&claims["email"], &claims["name"]), (&"admin@example.com".into(), &"Jane Admin".into()));
        let profile = second.read(second.token()).await;
        assert_eq!(profile.json()["data"]["accountName"], "Jane Admin");
        second.stop();
    }
);

on_both_databases!(
    async fn tokens_issued_and_revoked_beside_it_count_at_once(installation: Installation) {
        let demo = Demo::start(&installation);
        let issue = ["token", "issue", "--account", demo.text("/account_id"), "--contract", "system", "--json"];
        let issued = installation.json(&issue);
        let token = issued["token"].as_str().unwrap();
        assert_eq!(demo.read(token).await.status, 200);
        installation.print(&["token", "revoke", "--jti", issued["jti"].as_str().unwrap()]);
        assert_eq!(demo.read(token).await.status, 401);
        assert_eq!(demo.read(demo.token()).await.status, 200);
        installation.print(&["token", "revoke", "--account", demo.text("/account_id")]);
        assert_eq!(demo.read(demo.token()).await.status, 401);
    }
);

on_both_databases!(
    async fn the_bystander_is_never_changed(installation: Installation) {
        let demo = Demo::start(&installation);
        let bystander = demo.text("/bystander_id").to_owned();
        let show = || installation.print(&["account", "show", &bystander, "--json"]);
        let before = show();
        demo.rename(r#"{"accountName":"Jane Admin","accountPhone":"+1","defaultCountry":""}"#).await;
        demo.stop();
        Demo::start(&installation).rename(r#"{"accountName":"Jo"}"#).await;
        assert_eq!(show(), before);
    }
);
