//! Copies of a whole installation from one kind of database to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use selfsame::account::{Contact, Text};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::code::{CodeAttempt, CodeRequest, Usage};
use selfsame::language::Language;
use selfsame::outbox::Delivery;
use selfsame::store::{DevCredentials, Progress, Store, TABLES, Table};
use selfsame::telemetry::Stopwatch;
use tokio_postgres::NoTls;

use super::{Home, id, people, program, streams};
use crate::support::{Database, Request, config};

/// A PNG of one pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/// An installation in which every table has rows, with credentials for it.
struct Lived {
    home: Home,
    token: String,
    revoked: String,
    key: String,
}

impl Lived {
    async fn new(database: Database) -> Lived {
        let home = Home::empty(database);
        home.print(&["tenant", "create", "demo"]);
        home.import(&people(1..=40), &[]);
        for name in ["A", "B", "C"] {
            home.print(&["account", "set", &id(1), &format!("display_name={name}"), "attributes={\"n\": 1.0}"]);
        }
        let issue = |number| home.json(&["token", "issue", "--account", &id(number), "--contract", "system", "--json"]);
        let (issued, revoked) = (issue(1), issue(1));
        home.print(&["token", "revoke", "--jti", revoked["jti"].as_str().unwrap()]);
        home.print(&["token", "revoke", "--account", &id(2)]);
        let key = home.json(&["key", "create", "--tenant", "demo", "--json"]);
        home.print(&["issuer", "rotate"]);
        let schema = home.data.path().join("schema.json");
        std::fs::write(&schema, r#"{"properties":{"n":{"type":"number"}}}"#).unwrap();
        home.print(&["tenant", "set-schema", "demo", schema.to_str().unwrap()]);
        let text = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap().to_owned();
        let lived =
            Lived { token: text(&issued, "token"), revoked: text(&revoked, "token"), key: text(&key, "api_key"), home };
        // The first use binds the token's session to this client hash.
        assert_eq!(lived.profile(&lived.home.database, &lived.token, "first").await, 200);
        lived
    }

    fn copy(&self, target: &Database) -> Output {
        let mut command = program(&self.home.data);
        command.args(["copy", "--from", self.home.database.url(), "--to", target.url()]).output().unwrap()
    }

    /// Reads a profile with a token from a server on a database, and returns the status.
    async fn profile(&self, database: &Database, token: &str, client_hash: &str) -> u16 {
        let request = |url: &str| {
            let client = reqwest::Client::new();
            Request::new(&client, "GET", &format!("{url}/web/v1/system/profile"))
                .bearer(token)
                .header("X-Client-Hash", client_hash)
        };
        self.ask(database, request).await
    }

    /// Reads a user with the API key from a server on a database, and returns the status.
    async fn user(&self, database: &Database) -> u16 {
        let request = |url: &str| {
            let client = reqwest::Client::new();
            let request = Request::new(&client, "GET", &format!("{url}/v1/cl2c/users/{}", id(1)));
            request.header("tenant", "demo").header("X-API-Key", &self.key)
        };
        self.ask(database, request).await
    }

    async fn ask(&self, database: &Database, request: impl Fn(&str) -> Request) -> u16 {
        let app = App::start(config(database, &self.home.data, &[]), Clock::System).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let listeners = selfsame::serve::Listeners {
            contracts: listener,
            tls: None,
            operator: None,
            hosts: selfsame::serve::Hosts::Any,
        };
        let server = tokio::spawn(selfsame::serve::run(app, listeners, async { drop(stopped.await) }));
        let answer = request(&url).send().await;
        drop(stop);
        server.await.unwrap();
        answer.status.as_u16()
    }
}

async fn open(database: &Database, lived: &Lived) -> Store {
    let config = config(database, &lived.home.data, &[]);
    Store::open(&config.database(), &config.database).await.unwrap()
}

/// The output without the path of the data folder, which differs from run to run.
fn settled(output: &Output, lived: &Lived) -> String {
    streams(output).replace(lived.home.data.path().to_str().unwrap(), "DATA")
}

pub(super) fn other_kind(database: &Database) -> Database {
    if database.url().starts_with("sqlite:") { Database::postgres() } else { Database::sqlite() }
}

on_both_databases!(
    async fn a_copy_serves_the_same_people_with_the_same_tokens_and_keys(database: Database) {
        let target = other_kind(&database);
        let lived = Lived::new(database).await;
        insta::assert_snapshot!(settled(&lived.copy(&target), &lived), @"
        installation              2 rows
        counter                   2 rows
        secret                    5 rows
        signing_key               2 rows
        tenant                    1 rows
        account                  40 rows
        unique_key              160 rows
        history                  43 rows
        identity                 40 rows
        client_binding            1 rows
        revoked_token             1 rows
        token_horizon             1 rows
        api_key                   1 rows
        stored_picture            0 rows
        application               0 rows
        application_origin          0 rows
        sign_in                   0 rows
        refresh_token             0 rows
        attribute_schema          1 rows
        one_time_code             0 rows
        used_code                 0 rows
        sent_code                 0 rows
        notice                    0 rows
        channel_key               0 rows
        channel_session           0 rows
        channel_nonce             0 rows
        verified: 40 accounts, 43 entries, 0 broken histories
        Take DATA/secret.key along: the copy opens only with it.
        exit Some(0)
        ");

        assert_eq!(lived.profile(&target, &lived.token, "first").await, 200);
        assert_eq!(lived.profile(&target, &lived.token, "second").await, 403);
        assert_eq!(lived.profile(&target, &lived.revoked, "first").await, 401);
        assert_eq!(lived.user(&target).await, 200);
        let original = lived.home.export();
        let copy = Home { data: lived.home.data, database: target };
        assert_eq!(copy.export(), original);
        assert_eq!(copy.json(&["account", "show", &id(1), "--json"])["version"], 4);
        insta::assert_snapshot!(copy.verified(), @"accounts: 40, entries: 43, erased: 0, broken histories: 0");
        // Account numbers continue after the last one of the source.
        assert_eq!(copy.json(&["account", "create", "--tenant", "demo", "--json"])["number"], 41);
    }
);

on_both_databases!(
    async fn a_copy_of_a_copy_is_the_original(database: Database) {
        let (there, back) = (other_kind(&database), other_kind(&other_kind(&database)));
        let lived = Lived::new(database).await;
        lived.copy(&there);
        let mut command = program(&lived.home.data);
        let output = command.args(["copy", "--from", there.url(), "--to", back.url()]).output().unwrap();
        assert!(output.status.success(), "{}", streams(&output));
        assert_eq!(back.all_rows().await, lived.home.database.all_rows().await);
    }
);

on_both_databases!(
    async fn a_copy_serves_the_same_pictures_from_the_same_folder(database: Database) {
        let home = Home::empty(database);
        home.print(&["tenant", "create", "demo"]);
        let created = home.json(&["account", "create", "--tenant", "demo", "--json"]);
        let id = created["id"].as_str().unwrap().to_owned();
        let issue = ["token", "issue", "--account", &id, "--contract", "rivergen", "--json"];
        let token = home.json(&issue)["token"].as_str().unwrap().to_owned();
        let lived = Lived { home, token, revoked: String::new(), key: String::new() };
        let body = format!(r#"{{"profile_image_url":"{PIXEL}"}}"#);
        let put = |url: &str| {
            let request = Request::new(&reqwest::Client::new(), "PUT", &format!("{url}/api/v1/auth/me/profile"));
            request.bearer(&lived.token).json(body.clone())
        };
        assert_eq!(lived.ask(&lived.home.database, put).await, 200);

        let target = other_kind(&lived.home.database);
        let streams = settled(&lived.copy(&target), &lived);
        insta::assert_snapshot!(streams.split_once("broken histories\n").unwrap().1, @"
        Take DATA/secret.key along: the copy opens only with it.
        Pictures stay in DATA/pictures. The copy finds them there if it is served with this --data; if not, take that folder along.
        exit Some(0)
        ");
        let shown = lived.home.json(&["account", "show", &id, "--json"])["picture"].as_str().unwrap().to_owned();
        let name = shown.split(':').nth(1).unwrap();
        let get = |url: &str| Request::new(&reqwest::Client::new(), "HEAD", &format!("{url}/pictures/{name}"));
        assert_eq!(lived.ask(&target, get).await, 200);
        assert_eq!(target.rows("SELECT name, state FROM stored_picture").await, [format!("{name} shown")]);
        // The copy recognises the same picture, so its name does not change.
        assert_eq!(lived.ask(&target, put).await, 200);
        let copy = Home { data: lived.home.data, database: target };
        assert_eq!(copy.json(&["account", "show", &id, "--json"])["picture"], shown);
    }
);

on_both_databases!(
    async fn a_code_that_was_sent_before_proves_its_address_in_the_copy(database: Database) {
        let home = Home::empty(database);
        home.print(&["tenant", "create", "demo"]);
        let open = async |database: &Database| {
            let app =
                App::start_with(config(database, &home.data, &[]), Clock::System, Delivery::Mailbox).await.unwrap();
            let tenant = app.store().tenant_by_name("demo").await.unwrap().unwrap();
            (app, tenant)
        };
        let contact = |address: &str| Contact::Email(Text::new(address).unwrap());
        let (app, tenant) = open(&home.database).await;
        let wanted = CodeRequest {
            tenant: &tenant,
            usage: Usage::ChangeEmail,
            contact: contact("\u{212a}im@example.org"),
            application: None,
            context: "c",
            challenge: None,
            language: Language::English,
            since: Stopwatch::start(),
            deliver: true,
        };
        app.codes().send(wanted).await.unwrap();
        let mail = app.outbox().mailbox().unwrap().mails().remove(0);
        let digits = mail.text.split_whitespace().find(|word| word.len() == 6 && word.parse::<u32>().is_ok()).unwrap();
        drop(app);

        let target = other_kind(&home.database);
        let mut command = program(&home.data);
        let output = command.args(["copy", "--from", home.database.url(), "--to", target.url()]).output().unwrap();
        assert!(output.status.success(), "{}", streams(&output));
        let (app, tenant) = open(&target).await;
        let offered = CodeAttempt {
            tenant: &tenant,
            usage: Usage::ChangeEmail,
            contact: contact("kim@example.org"),
            application: None,
            context: "c",
            challenge: None,
            token: "",
            code: digits,
        };
        let proof = app.codes().prove(offered).await.unwrap();
        assert_eq!(proof.contact().text().as_str(), "\u{212a}im@example.org");
    }
);

on_both_databases!(
    async fn a_target_that_is_not_empty_is_left_alone(database: Database) {
        let lived = Lived::new(database).await;
        let occupied = Home::empty(other_kind(&lived.home.database));
        occupied.print(&["tenant", "create", "occupant"]);
        let before = occupied.database.all_rows().await;
        insta::assert_snapshot!(settled(&lived.copy(&occupied.database), &lived), @"
        selfsame: the target is not empty (table installation): give a new database, in which no server was started yet
        exit Some(1)
        ");
        insta::assert_snapshot!(settled(&lived.copy(&lived.home.database), &lived), @"
        selfsame: the target is not empty (table installation): give a new database, in which no server was started yet
        exit Some(1)
        ");
        assert_eq!(occupied.database.all_rows().await, before);
    }
);

on_both_databases!(
    async fn a_copy_needs_the_master_key_of_the_source(database: Database) {
        let lived = Lived::new(database).await;
        let target = other_kind(&lived.home.database);
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = || {
            let mut command = program(&elsewhere);
            let output =
                command.args(["copy", "--from", lived.home.database.url(), "--to", target.url()]).output().unwrap();
            streams(&output).replace(elsewhere.path().to_str().unwrap(), "DATA")
        };
        insta::assert_snapshot!(copy(), @"
        selfsame: DATA/secret.key: there is no master key; give --data with the folder of the source
        exit Some(1)
        ");
        let other = Home::empty(Database::sqlite());
        other.print(&["tenant", "list"]);
        std::fs::copy(other.data.path().join("secret.key"), elsewhere.path().join("secret.key")).unwrap();
        insta::assert_snapshot!(copy(), @"
        selfsame: DATA/secret.key: this master key does not decrypt the keys in the database; use the master key that the database was created with
        exit Some(1)
        ");
    }
);

on_both_databases!(
    async fn a_copy_is_the_source_as_it_was_when_the_copy_began(database: Database) {
        let lived = Lived::new(database).await;
        let target = other_kind(&lived.home.database);
        let (source, into) = (open(&lived.home.database, &lived).await, open(&target, &lived).await);
        let back = other_kind(&target);
        let returned = open(&back, &lived).await;
        let (before, exported) = (lived.home.database.all_rows().await, lived.home.export());
        // The rows are counted, but no row of an account is read yet: accounts change now.
        let mut change = |step| {
            if let Progress::Total(rows) = step {
                assert_eq!(rows, before.len() as u64);
                lived.home.print(&["account", "set", &id(1), "display_name=Later", "username=later"]);
                lived.home.print(&["account", "set", &id(40), "email="]);
                lived.home.print(&["account", "create", "--tenant", "demo"]);
                lived.home.print(&["tenant", "create", "late"]);
                lived.home.print(&["token", "revoke", "--account", &id(3)]);
            }
        };
        source.copy_to(&into, &DevCredentials::default(), &mut change).await.unwrap();
        assert_ne!(lived.home.database.all_rows().await.len(), before.len());
        let copy = Home { data: lived.home.data, database: target };
        insta::assert_snapshot!(copy.verified(), @"accounts: 40, entries: 43, erased: 0, broken histories: 0");
        assert_eq!(copy.export(), exported);
        // Every row is the same, too: checked after copying back into a database of the source's kind.
        into.copy_to(&returned, &DevCredentials::default(), &mut |_| {}).await.unwrap();
        assert_eq!(back.all_rows().await, before);
    }
);

on_both_databases!(
    async fn a_source_that_fails_leaves_the_target_empty(database: Database) {
        let lived = Lived::new(database).await;
        let target = other_kind(&lived.home.database);
        lived.home.database.execute("ALTER TABLE api_key RENAME COLUMN name TO label").await;
        let streams = settled(&lived.copy(&target), &lived);
        assert!(streams.contains("the target is as empty as it was: copy again"), "{streams}");
        lived.home.database.execute("ALTER TABLE api_key RENAME COLUMN label TO name").await;
        assert!(lived.copy(&target).status.success());
    }
);

on_both_databases!(
    async fn every_table_and_column_of_the_database_is_copied(home: Home) {
        let columns_of = |table: &Table| (table.name.to_owned(), table.columns().map(str::to_owned).collect());
        let copied: BTreeMap<String, BTreeSet<String>> = TABLES.iter().map(|table| columns_of(table)).collect();
        assert_eq!(columns(&home.database).await, copied, "src/store/tables.rs does not list what the migrations make");
    }
);

/// The tables of a database and their columns, but for the list of migrations.
async fn columns(database: &Database) -> BTreeMap<String, BTreeSet<String>> {
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |table: String, column: String| {
        columns.entry(table).or_default().insert(column);
    };
    match database.url().strip_prefix("sqlite:") {
        Some(file) => {
            let list = "SELECT s.name, c.name FROM sqlite_schema s, pragma_table_info(s.name) c \
                        WHERE s.type = 'table' ORDER BY s.name, c.cid";
            let connection = rusqlite::Connection::open(file).unwrap();
            let mut list = connection.prepare(list).unwrap();
            let mut rows = list.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                add(row.get(0).unwrap(), row.get(1).unwrap());
            }
        }
        None => {
            let list = "SELECT table_name::text, column_name::text FROM information_schema.columns \
                        WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";
            let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            for row in client.query(list, &[]).await.unwrap() {
                add(row.get(0), row.get(1));
            }
        }
    }
    columns.remove("refinery_schema_history");
    columns
}
