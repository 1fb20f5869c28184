//! A real, third-party OpenID provider: npm's `oidc-provider` on a loopback port, with people who sign in.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use super::signing::Key;

const SUPERVISOR: &str = include_str!("peer_supervisor.sh");
const PROVIDER: &str = include_str!("../../peers/openid_provider.mjs");
const CALLBACK: &str = "https://app.example/callback";
/// What an application asks a token for (RFC 8707); the provider decides on the audience that the token gets for it.
const RESOURCE: &str = "https://profiles.example";

/// A provider that runs as a separate process. Dropping it ends the process.
pub(crate) struct Peer {
    port: u16,
    audience: String,
    /// What it writes into each access token besides its own claims, and the type in the header.
    style: Value,
    directory: PathBuf,
    supervisor: Mutex<Supervisor>,
    client: reqwest::Client,
    /// Bound but not listening, so that no other process gets the port while the provider is stopped.
    _kept: TcpSocket,
}

/// The tokens that a sign-in returns.
pub(crate) struct ProviderTokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
}

impl Peer {
    /// Starts a provider that issues tokens for an audience, publishes `keys` and signs with the first of them.
    pub(crate) fn start(audience: &str, keys: &[&Key], algorithm: &str) -> Peer {
        Peer::start_as(json!({}), audience, keys, algorithm)
    }

    /// Starts a provider that writes access tokens as another one does: with these `claims` and this `type` in the header.
    pub(crate) fn start_as(style: Value, audience: &str, keys: &[&Key], algorithm: &str) -> Peer {
        let kept = TcpSocket::new_v4().unwrap();
        kept.set_reuseaddr(true).unwrap();
        kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = kept.local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("selfsame-peer-").tempdir().unwrap().keep();
        let supervisor = Mutex::new(Supervisor::new(&directory));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let audience = audience.to_owned();
        let peer = Peer { port, audience, style, directory, supervisor, client, _kept: kept };
        peer.start_again(keys, algorithm, false);
        peer
    }

    /// The provider's issuer URL.
    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The provider's directory, which is removed when it ends.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts the provider after [`Peer::stop`]. It signs with the first of `keys`; if `broken`, it publishes a broken key set.
    pub(crate) fn start_again(&self, keys: &[&Key], algorithm: &str, broken: bool) {
        let settings = json!({
            "port": self.port,
            "audience": self.audience,
            "keys": keys.iter().map(|key| private(key)).collect::<Vec<_>>(),
            "sign": {"alg": algorithm, "kid": keys[0].id},
            "broken": broken,
            "claims": self.style["claims"],
            "type": self.style["type"],
        });
        std::fs::write(self.directory.join("settings.json"), settings.to_string()).unwrap();
        self.act("start");
    }

    /// Stops the provider gracefully (SIGTERM).
    pub(crate) fn stop(&self) {
        self.act("stop");
    }

    /// Suspends the provider (SIGSTOP): it accepts connections and sends no response until [`Peer::thaw`].
    pub(crate) fn freeze(&self) {
        self.act("freeze");
    }

    /// Resumes the provider (SIGCONT).
    pub(crate) fn thaw(&self) {
        self.act("thaw");
    }

    /// Signs a person in as a browser and an application do: the authorization code flow with its login and consent pages
    /// (OpenID Connect Core 1.0 §3.1), for a token with one audience (RFC 8707).
    pub(crate) async fn sign_in(&self, person: &str) -> ProviderTokens {
        let query = format!(
            "client_id=app&response_type=code&redirect_uri={CALLBACK}&scope=openid+profile+email+profile:write&resource={RESOURCE}"
        );
        let mut cookies = BTreeMap::new();
        let mut next = format!("{}/auth?{query}", self.issuer());
        let mut pages = [format!("prompt=login&login={person}"), "prompt=consent".to_owned()].into_iter();
        let code = loop {
            if let Some(answer) = next.strip_prefix(&format!("{CALLBACK}?")) {
                let code = answer.split('&').find_map(|field| field.strip_prefix("code="));
                break code.unwrap_or_else(|| panic!("no code: {next}")).to_owned();
            }
            let request = match next.contains("/interaction/") {
                true => self.form(&next, pages.next().expect("two pages for a person")),
                false => self.client.get(&next),
            };
            let cookie: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let response = request.header(COOKIE, cookie.join("; ")).send().await.unwrap();
            for line in response.headers().get_all(SET_COOKIE) {
                let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let location = response.headers().get(LOCATION).map(|location| location.to_str().unwrap().to_owned());
            next = match location {
                Some(path) if path.starts_with('/') => self.issuer() + &path,
                Some(url) => url,
                None => panic!("{next}: {}\n{}", response.text().await.unwrap(), self.log()),
            };
        };
        let form = format!("grant_type=authorization_code&code={code}&redirect_uri={CALLBACK}&resource={RESOURCE}");
        let request = self.form(&format!("{}/token", self.issuer()), form);
        let response = request.basic_auth("app", Some("the+secret+of+the+app")).send().await.unwrap();
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}\n{}", self.log())).to_owned();
        ProviderTokens { access_token: text("access_token"), id_token: text("id_token") }
    }

    fn form(&self, url: &str, fields: String) -> reqwest::RequestBuilder {
        self.client.post(url).header("content-type", "application/x-www-form-urlencoded").body(fields)
    }

    fn act(&self, act: &str) {
        assert!(self.supervisor.lock().unwrap().ask(act), "the provider: {act} failed\n{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

fn private(key: &Key) -> Value {
    json!({"kid": key.id, "pkcs8": STANDARD.encode(key.private_der())})
}

/// The shell that owns the provider's process and directory.
struct Supervisor {
    child: Child,
    /// Kept open: closing it makes the shell clean up. `None` only while being dropped.
    acts: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Supervisor {
    fn new(directory: &Path) -> Supervisor {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers");
        assert!(
            peers.join("node_modules/oidc-provider").is_dir(),
            "the OpenID provider that this test talks to is not installed: run ./test first, which installs it"
        );
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(directory);
        // A script from the command line finds its packages in the working directory.
        command.args(["node", "--input-type=module", "--eval", PROVIDER, "--"]).arg(directory);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        command.current_dir(peers).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A separate process group: Ctrl-C in the terminal ends the tests, and their end stops the provider.
        command.process_group(0);
        let mut child = command.spawn().expect("there is a /bin/sh");
        let acts = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("standard output is piped"));
        Supervisor { child, acts, answers }
    }

    fn ask(&mut self, act: &str) -> bool {
        let mut acts = self.acts.as_ref().expect("nothing is asked of a supervisor that is being dropped");
        let mut answer = String::new();
        writeln!(acts, "{act}").is_ok() && self.answers.read_line(&mut answer).is_ok() && answer == "ok\n"
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.acts = None;
        let _ = self.child.wait();
    }
}
