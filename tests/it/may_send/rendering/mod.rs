//! What is stored of a picture is what a browser shows of it.

mod animations;
mod colours;
mod files;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfsame::account::Patch;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Database, Person, Server, run_page};

const PAGE: &str = include_str!("../../../peers/rendering.html");

/// The share of a picture's pixels that must be alike.
const SHARE: f64 = 0.99;

/// A picture to store, and how a browser shows it.
struct Case {
    name: String,
    media_type: &'static str,
    file: Vec<u8>,
    /// What the browser shows instead, of a file without its end: it leaves out the last rows.
    whole: Option<Vec<u8>>,
    /// Whether its kind loses detail.
    is_lossy: bool,
    /// The first frame that shows something, of an animation.
    frame: Option<u32>,
}

impl Case {
    /// The most that a channel may differ by.
    fn tolerance(&self) -> u8 {
        if self.is_lossy { 16 } else { 8 }
    }
}

fn case(name: impl Into<String>, media_type: &'static str, file: Vec<u8>) -> Case {
    Case { name: name.into(), media_type, file, whole: None, is_lossy: media_type == "image/jpeg", frame: None }
}

/// Stores a picture through RiverGen, and returns the file that is served; nothing if the picture is refused.
async fn stored(person: &Person<'_>, case: &Case) -> Vec<u8> {
    // The limits of requests and of bytes are counted by this clock.
    person.server.pass(Duration::from_secs(10));
    let picture = format!("data:{};base64,{}", case.media_type, STANDARD.encode(&case.file));
    let answer = person.river("PUT", "/api/v1/auth/me/profile", Some(json!({ "profile_image_url": picture }))).await;
    if answer.status != 200 {
        return Vec::new();
    }
    let address = answer.json()["data"]["profile_image_url"].as_str().unwrap().to_owned();
    let served = reqwest::get(&address).await.unwrap();
    assert_eq!(served.status(), 200, "{}", case.name);
    served.bytes().await.unwrap().to_vec()
}

/// Lets a browser compare pictures with what was stored of them.
async fn compared(cases: &[Case], stored: Vec<Vec<u8>>) -> Vec<Value> {
    let pages = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let given: Vec<_> = cases
        .iter()
        .map(|case| json!({ "type": case.media_type, "frame": case.frame, "tolerance": case.tolerance() }))
        .collect();
    let sources = Arc::new(cases.iter().map(|case| case.whole.as_ref().unwrap_or(&case.file).clone()).collect());
    let stored = Arc::new(stored);
    // Without a type, so that the browser goes by the bytes.
    let file = |files: Arc<Vec<Vec<u8>>>| get(async move |Path(number): Path<usize>| files[number].clone());
    let pictures = Router::new().route("/source/{number}", file(sources)).route("/stored/{number}", file(stored));
    let Value::Array(came) = run_page(pages, PAGE, &given.into(), pictures).await else { panic!("no list came") };
    came
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_of_a_picture_is_what_a_browser_shows_of_it() {
    let cases: Vec<Case> = [shapes::cases(), colours::cases(), animations::cases()].into_iter().flatten().collect();
    let server = Server::with(Database::sqlite(), &[]).await;
    let person = Person::new(&server, Patch::default()).await;
    let mut files = Vec::new();
    for case in &cases {
        files.push(stored(&person, case).await);
    }
    let came = compared(&cases, files).await;
    assert_eq!(came.len(), cases.len());
    let differ = cases.iter().zip(&came).filter(|(_, came)| {
        came["sizes"][0] != came["sizes"][1] || came["share"].as_f64().is_none_or(|share| share < SHARE)
    });
    let differ: Vec<String> = differ.map(|(case, came)| format!("{}: {came}", case.name)).collect();
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), cases.len(), differ.join("\n"));
}
