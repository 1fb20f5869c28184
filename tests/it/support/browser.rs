//! A real browser.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;

use super::until;

/// Opens a page in a browser and returns what its script posts to `/came`. The page reads `given` from `/given`, and finds
/// `more` on its origin, which is that of `pages`.
pub(crate) async fn run_page(pages: TcpListener, page: &'static str, given: &Value, more: Router) -> Value {
    let origin = format!("http://{}", pages.local_addr().unwrap());
    let given = given.to_string();
    let came: Arc<Mutex<Option<Value>>> = Arc::default();
    let noted = came.clone();
    let routes = more
        .route("/", get(async move || ([(CONTENT_TYPE, "text/html; charset=utf-8")], page)))
        .route("/given", get(async move || ([(CONTENT_TYPE, "application/json")], given)))
        .route(
            "/came",
            post(async move |body: String| *noted.lock().unwrap() = Some(serde_json::from_str(&body).unwrap())),
        );
    tokio::spawn(axum::serve(pages, routes).into_future());
    let _browser = Browser::open(&origin);
    until(async || came.lock().unwrap().is_some()).await;
    came.lock().unwrap().take().unwrap()
}

/// A headless browser. Dropping it ends the browser.
struct Browser {
    child: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    fn open(url: &str) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("chromium is on PATH: ./test installs it");
        Browser { child, _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser's other processes end with the first.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
