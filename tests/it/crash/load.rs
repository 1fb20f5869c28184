//! Clients that write increasing numbers, each to its own account, and record the responses.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::support::process::DurableInstallation;
use crate::support::{Answer, Process};

/// The outcomes of all changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Changes that were acknowledged.
    pub(super) acknowledged: usize,
    /// Changes whose response was 503.
    pub(super) refused: usize,
    /// Changes whose connection broke before the response.
    pub(super) broken_off: usize,
    /// Acknowledged changes that were missing later.
    pub(super) lost: usize,
    /// Values that no client had sent.
    pub(super) invented: usize,
    /// Accounts whose history does not match them.
    pub(super) torn: usize,
}

/// A client and its record of its changes.
pub(super) struct Writer {
    account: String,
    token: String,
    sent: u64,
    acknowledged: Vec<u64>,
    refused: usize,
    broken_off: usize,
}

impl Writer {
    /// Creates `count` clients, each with its own account.
    pub(super) fn several(count: usize, installation: &DurableInstallation) -> Vec<Writer> {
        installation.run(&["tenant", "create", "demo"]);
        let writer = |_| {
            let (account, token) = installation.person(&["display_name=0"]);
            Writer { account, token, sent: 0, acknowledged: vec![0], refused: 0, broken_off: 0 }
        };
        (0..count).map(writer).collect()
    }

    /// Writes one number after another until `progress.stop` is set or the server is gone.
    async fn write(mut self, client: reqwest::Client, url: String, progress: Arc<Progress>) -> Writer {
        let mut pause = tokio::time::interval(Duration::from_millis(5));
        while !progress.stop.load(Ordering::SeqCst) {
            self.sent += 1;
            let request = client.post(&url).bearer_auth(&self.token).header("X-Client-Hash", "d1");
            let request = request
                .header("Content-Type", "application/json")
                .body(format!(r#"{{"accountName":"{}"}}"#, self.sent));
            progress.sent.add_permits(1);
            let Ok(answer) = answer(request).await else {
                self.broken_off += 1;
                break;
            };
            match answer.status.as_u16() {
                200 => {
                    assert_eq!(answer.json()["data"]["accountName"], self.sent.to_string());
                    self.acknowledged.push(self.sent);
                }
                503 => {
                    assert_eq!(answer.header("retry-after"), "1");
                    assert_eq!(answer.json()["code"], "5030");
                    self.refused += 1;
                    pause.tick().await;
                }
                _ => panic!("neither acknowledged nor refused for now: {answer}"),
            }
        }
        self
    }

    /// Reads the stored profile.
    pub(super) async fn read(&self, server: &Process) -> Answer {
        let request = server.request("GET", "/web/v1/system/profile");
        request.bearer(&self.token).header("X-Client-Hash", "d1").send().await
    }

    /// Compares the stored number with the sent and acknowledged ones.
    pub(super) async fn compare(&self, server: &Process, figures: &mut Figures) {
        let answer = self.read(server).await;
        assert_eq!(answer.status, 200, "{answer}");
        let stored: u64 = answer.json()["data"]["accountName"].as_str().unwrap().parse().unwrap();
        figures.lost += usize::from(stored < *self.acknowledged.last().unwrap());
        figures.invented += usize::from(stored > self.sent);
    }

    /// Checks that the history is in order, and counts the acknowledged changes that it lacks.
    pub(super) fn audit(&self, installation: &DurableInstallation, figures: &mut Figures) {
        let entries = installation.run(&["audit", "list", "--account", &self.account, "--json"]);
        let written = entries.lines().map(|entry| {
            let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
            entry["changes"][0]["after"].as_str().unwrap().parse::<u64>().unwrap()
        });
        let written: Vec<u64> = written.collect();
        assert!(written.is_sorted(), "a client's changes are out of order");
        let missing = |number: &&u64| written.binary_search(number).is_err();
        figures.lost += self.acknowledged.iter().filter(missing).count();
        figures.acknowledged += self.acknowledged.len() - 1;
        figures.refused += self.refused;
        figures.broken_off += self.broken_off;
    }
}

async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Answer { status, headers, body: response.text().await? })
}

/// The progress of all clients together.
struct Progress {
    sent: Semaphore,
    stop: AtomicBool,
}

/// Clients at work.
pub(super) struct Load {
    progress: Arc<Progress>,
    writers: Vec<tokio::task::JoinHandle<Writer>>,
}

impl Load {
    /// Starts the clients.
    pub(super) fn begin(writers: Vec<Writer>, server: &Process) -> Load {
        let progress = Arc::new(Progress { sent: Semaphore::new(0), stop: AtomicBool::new(false) });
        let url = server.url("/web/v1/system/profile/update");
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let begin = |writer: Writer| tokio::spawn(writer.write(client.clone(), url.clone(), progress.clone()));
        let writers = writers.into_iter().map(begin).collect();
        Load { progress, writers }
    }

    /// Returns when this many further requests have been sent.
    pub(super) async fn pass(&self, requests: u32) {
        let sent = tokio::time::timeout(Duration::from_secs(60), self.progress.sent.acquire_many(requests)).await;
        sent.expect("the clients go on sending").unwrap().forget();
    }

    /// Stops the clients and returns them: at once if the server is gone, else after their last response.
    pub(super) async fn end(self) -> Vec<Writer> {
        self.progress.stop.store(true, Ordering::SeqCst);
        let mut writers = Vec::new();
        for writer in self.writers {
            writers.push(writer.await.unwrap());
        }
        writers
    }
}

/// Pseudorandom numbers that a run with the same seed repeats.
pub(super) struct Dice(u64);

impl Dice {
    /// Starts from `SELFSAME_TEST_SEED` or a new seed, and prints the seed.
    pub(super) fn new() -> Dice {
        let given = std::env::var("SELFSAME_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
        println!("SELFSAME_TEST_SEED={seed}");
        Dice(seed | 1)
    }

    /// Returns a number below `end`: xorshift64 by Marsaglia, "Xorshift RNGs", 2003.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % u64::from(end)) as u32
    }
}
