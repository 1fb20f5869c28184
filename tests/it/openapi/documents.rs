//! The documents themselves: complete, the same everywhere, and changed only on purpose.

use std::process::Command;

use super::{DOCUMENTED, Document, text};
use crate::support::{Database, Server};

#[test]
fn the_documents_change_only_on_purpose() {
    for contract in DOCUMENTED {
        let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        insta::assert_snapshot!(contract, text(contract).replace(&version, "\"version\": \"…\""));
    }
}

#[test]
fn every_documented_contract_is_tested_here() {
    let documented: Vec<&str> =
        selfsame::contract::openapi::documented().map(selfsame::account::Contract::name).collect();
    assert_eq!(documented, DOCUMENTED);
}

#[tokio::test]
async fn the_server_and_the_command_give_the_same_document() {
    let server = Server::with(Database::sqlite(), &[]).await;
    for contract in DOCUMENTED {
        let served = server.request("GET", &format!("/openapi/{contract}.json")).send().await;
        assert_eq!((served.status.as_u16(), served.header("content-type")), (200, "application/json"));
        let printed = Command::new(env!("CARGO_BIN_EXE_selfsame")).args(["openapi", contract]).output().unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap().trim_end(), served.body);
    }
}

#[tokio::test]
async fn only_documented_contracts_have_a_document() {
    let server = Server::with(Database::sqlite(), &[]).await;
    for path in ["/openapi/none.json", "/openapi/system", "/openapi", "/openapi/"] {
        assert_eq!(server.request("GET", path).send().await.status, 404, "{path}");
    }
    let refused = Command::new(env!("CARGO_BIN_EXE_selfsame")).args(["openapi", "none"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("expected one of system, cl2c"));
}

/// Reads the paths from the debug output of the router, their only source.
#[tokio::test]
async fn every_route_of_a_contract_is_in_its_document() {
    let server = Server::with(Database::sqlite(), &[]).await;
    let router = format!("{:?}", selfsame::contract::routes(&server.app));
    let mut served: Vec<&str> = router.split('"').filter(|text| text.starts_with('/')).collect();
    served.sort_unstable();
    served.dedup();
    // Paths that do not answer OPTIONS are fallbacks, which refuse unknown paths.
    let mut routes = Vec::new();
    for path in served {
        if server.request("OPTIONS", path).send().await.status == 204 {
            routes.push(path);
        }
    }
    let documents = DOCUMENTED.map(Document::of);
    let mut described: Vec<&str> =
        documents.iter().flat_map(|document| document.paths().map(|(path, _)| path.as_str())).collect();
    described.sort_unstable();
    assert_eq!(routes, described);
}

#[tokio::test]
async fn the_methods_that_a_path_allows_are_the_documented_ones() {
    let server = Server::with(Database::sqlite(), &[]).await;
    for document in DOCUMENTED.map(Document::of) {
        for (path, operations) in document.paths() {
            let allow = server.request("OPTIONS", path).send().await;
            let mut allowed: Vec<String> = allow.header("allow").split(", ").map(str::to_lowercase).collect();
            // The introduction states these two for all paths.
            let mut described = vec!["options"];
            described.extend(operations.contains_key("get").then_some("head"));
            described.extend(operations.keys().map(String::as_str));
            allowed.sort_unstable();
            described.sort_unstable();
            assert_eq!(allowed, described, "{path}");
        }
    }
}

/// The viewer lists what a client would call: two entries more for each path would hide that.
#[test]
fn head_and_options_are_stated_once_for_all_paths() {
    for document in DOCUMENTED.map(Document::of) {
        for (path, operations) in document.paths() {
            assert!(!operations.contains_key("head") && !operations.contains_key("options"), "{path}");
        }
        let introduction = document.0["info"]["description"].as_str().unwrap();
        assert!(introduction.contains("`HEAD`") && introduction.contains("`OPTIONS`"), "{introduction}");
    }
}

/// The library sorts paths by their names.
#[test]
fn what_a_contract_is_for_comes_first_in_its_document() {
    let first = DOCUMENTED.map(|contract| {
        // In the text, since a parsed document is sorted again.
        let text = text(contract);
        let (_, paths) = text.split_once("\"paths\": {").unwrap();
        let path = paths.split('"').nth(1).unwrap().to_owned();
        let document = Document::of(contract);
        let operations = document.0["paths"][&path].as_object().unwrap();
        assert_eq!(operations.values().next().unwrap()["tags"][0], document.0["tags"][0]["name"], "{contract}");
        path
    });
    assert_eq!(first, ["/web/v1/system/profile", "/v1/cl2c/users/{id}", "/api/v1/auth/me", "/userinfo"]);
}

#[test]
fn every_operation_has_a_summary_an_id_and_a_503_response() {
    for document in DOCUMENTED.map(Document::of) {
        for (path, operations) in document.paths() {
            for (method, operation) in operations {
                assert!(operation["responses"]["503"].is_object(), "{method} {path}");
                assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{method} {path}");
            }
        }
    }
}

#[test]
fn every_header_and_every_example_is_explained() {
    for contract in DOCUMENTED {
        let text = text(contract);
        assert!(!text.contains("\"description\": \"\""), "{contract}: an empty description");
        assert!(!text.contains("\"\": {"), "{contract}: an example or media type without a name");
    }
}
