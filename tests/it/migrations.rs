//! Migrations: how tables are created and updated, and which databases are refused.

mod dry_run;

use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use refinery::{Migration, Runner};
use selfsame::account::{AccountId, Contract, Field, Medium, TenantId, Unique};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::config::Config;
use selfsame::identity::Grant;
use selfsame::keys::Purpose;
use selfsame::store::{CallerQuery, CodeId, NewCode, OpenError, Store, UniqueKey};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::support::{Database, HOUR, config};

async fn open(config: &Config) -> Result<Store, OpenError> {
    Store::open(&config.database(), &config.database).await
}

fn configured(database: &Database) -> (Config, TempDir) {
    let data = tempfile::tempdir().unwrap();
    (config(database, &data, &[]), data)
}

on_both_databases!(
    async fn instances_that_open_one_empty_database_at_once_make_its_tables_once(database: Database) {
        let (config, _data) = configured(&database);
        let opening: Vec<_> = (0..8)
            .map(|_| {
                let config = config.clone();
                // Each on its own thread: SQLite is opened on the caller's thread.
                tokio::task::spawn_blocking(move || {
                    tokio::runtime::Handle::current().block_on(async {
                        let store = open(&config).await.map_err(|error| error.to_string())?;
                        store.check().await.map_err(|error| format!("{error:?}"))
                    })
                })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap().unwrap();
        }
        let recorded = query(&database, "SELECT version FROM refinery_schema_history ORDER BY version").await;
        let expected: Vec<String> =
            migrations(&database).iter().map(|migration| migration.version().to_string()).collect();
        assert_eq!(recorded, expected);
    }
);

on_both_databases!(
    async fn instances_that_start_on_one_empty_database_at_once_share_their_keys(database: Database) {
        let (config, _data) = configured(&database);
        let start = || {
            let config = config.clone();
            tokio::task::spawn_blocking(move || {
                tokio::runtime::Handle::current().block_on(App::start(config, Clock::System)).map_err(|e| e.to_string())
            })
        };
        let (first, second) = tokio::join!(start(), start());
        let (first, second) = (first.unwrap().unwrap(), second.unwrap().unwrap());
        assert_eq!(first.issuer().name(), second.issuer().name());
        let hashes =
            [&first, &second].map(|app| (app.keys().index(Uuid::nil(), "email", "a"), app.keys().digest("a", &[])));
        assert_eq!(hashes[0], hashes[1]);
        // The other instance publishes the key that this one signs with, once it has read the keys again.
        let grant = Grant {
            account: AccountId(first.new_id()),
            contract: Contract::System,
            scope: None,
            client_hash: None,
            lifetime: HOUR,
        };
        first.issuer().issue(&grant).await.unwrap();
        second.issuer().refresh().await.unwrap();
        let published = second.issuer().published().await.unwrap();
        assert_eq!(published, first.issuer().published().await.unwrap());
        assert_eq!(published["keys"].as_array().unwrap().len(), 1);
    }
);

on_both_databases!(
    async fn a_database_made_by_a_newer_version_is_refused(database: Database) {
        let (config, _data) = configured(&database);
        open(&config).await.unwrap();
        let row = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                   VALUES (9999, 'of_the_future', '2030-01-01T00:00:00Z', '1')";
        execute(&database, row).await;
        let error = open(&config).await.err().unwrap();
        assert!(matches!(error, OpenError::Newer(..)), "{error:?}");
        let expected = "made by a newer version of selfsame (V9999__of_the_future is unknown to this one); start that \
                        version, or restore a backup made before the upgrade";
        assert!(error.to_string().ends_with(expected), "{error}");
    }
);

on_both_databases!(
    async fn a_database_with_another_migration_of_the_same_number_is_refused(database: Database) {
        let (config, _data) = configured(&database);
        open(&config).await.unwrap();
        execute(&database, "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1").await;
        let error = open(&config).await.err().unwrap();
        assert!(matches!(error, OpenError::Divergent(..)), "{error:?}");
        let expected = "it contains V1__accounts where this version has V1__accounts; this is not a database of this \
                        program, or it was changed by hand";
        assert!(error.to_string().ends_with(expected), "{error}");
    }
);

on_both_databases!(
    async fn data_of_the_first_version_survives_the_migration_through_every_version(database: Database) {
        let migrations = migrations(&database);
        for on_the_way in 1..=migrations.len() {
            let database = another(&database);
            migrate(&database, &migrations[..1]).await;
            execute(&database, &database.in_dialect(FIRST_VERSION)).await;
            migrate(&database, &migrations[..on_the_way]).await;
            let (config, _data) = configured(&database);
            // Opened twice: the second time there is nothing left to migrate.
            drop(open(&config).await.unwrap());
            let store = open(&config).await.unwrap();
            store.check().await.unwrap();
            everything_is_there(&store).await;
        }
    }
);

/// One row in every table, as the first version wrote it, for [`Database::in_dialect`].
const FIRST_VERSION: &str = "
    INSERT INTO installation VALUES ('id', 'of the first version');
    UPDATE counter SET last = 7;
    INSERT INTO secret VALUES ('index', 1, <00ff>, 1);
    INSERT INTO signing_key VALUES ('kid', 'EdDSA', '{}', <00ff>, 1, 2);
    INSERT INTO tenant VALUES ([00000000000000000000000000000001], 1, 'demo', 'INST_SYS_001', 10010301, 5, 10010101, 1, 2);
    INSERT INTO account VALUES ([00000000000000000000000000000002], 7, [00000000000000000000000000000001], 'ACC_SYS_007',
        10010101, 10010202, 0, <4a616ec3a920f09fa680>, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, true, false, true, 3, 1, 1, 123457,
        <0202020202020202020202020202020202020202020202020202020202020202>);
    INSERT INTO holding VALUES ([00000000000000000000000000000001], 'email',
        <0303030303030303030303030303030303030303030303030303030303030303>, [00000000000000000000000000000002]);
    INSERT INTO history VALUES ([00000000000000000000000000000002], 1, 123457, 'operator', 'cli', '',
        <0404040404040404040404040404040404040404040404040404040404040404>,
        <0202020202020202020202020202020202020202020202020202020202020202>, 1, <0506>,
        <0707070707070707070707070707070707070707070707070707070707070707>);
    INSERT INTO identity VALUES ('https://id.example',
        <0808080808080808080808080808080808080808080808080808080808080808>, [00000000000000000000000000000002], 0,
        <6a616e65>, 1);
    INSERT INTO client_binding VALUES ([00000000000000000000000000000002],
        <0909090909090909090909090909090909090909090909090909090909090909>,
        <0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a>, 9);
    INSERT INTO revoked_token VALUES (<0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b>, 9);
    INSERT INTO token_horizon VALUES ([00000000000000000000000000000002], 4);
";

async fn everything_is_there(store: &Store) {
    let (tenant, account) = (TenantId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
    assert_eq!(store.fact("id", "fresh").await.unwrap(), "of the first version");
    assert_eq!(store.secret(Purpose::Index, 1).await.unwrap(), Some(vec![0, 255]));
    let keys = store.signing_keys().await.unwrap();
    assert_eq!((keys.len(), keys[0].key_id.as_str(), keys[0].sealed.as_slice()), (1, "kid", [0, 255].as_slice()));
    assert_eq!(store.tenant(tenant).await.unwrap().unwrap().name, "demo");
    let read = store.account(account).await.unwrap().unwrap();
    assert_eq!((read.text(Field::DisplayName), read.number, read.version), (Some("Jané 🦀"), 7, 1));
    assert_eq!((read.email_verified, read.phone_verified, read.authenticated), (true, false, true));
    assert_eq!(read.updated_at.as_microsecond(), 123_457);
    let held = UniqueKey { kind: Unique::Email, key: [3; 32] };
    assert_eq!(store.owner_of(tenant, &held).await.unwrap(), Some(account));
    let history = store.history(account, 0, 10).await.unwrap();
    assert_eq!((history.len(), history[0].link), (1, read.history_head));
    let sealed = history[0].sealed.as_ref().unwrap();
    assert_eq!((sealed.payload.as_slice(), sealed.salt), ([5, 6].as_slice(), [7; 32]));
    assert_eq!(store.identities(account).await.unwrap()[0].subject, "jane");
    assert_eq!(store.linked_account("https://id.example", [8; 32]).await.unwrap(), Some(account));
    let identity = Some(("https://id.example", [8; 32]));
    let query = CallerQuery { account, identity, token: Some([11; 32]), session: Some([9; 32]) };
    let found = store.caller(&query).await.unwrap().unwrap();
    assert_eq!((found.account.id, found.revoked, found.client_hash), (account, true, Some([10; 32])));
    // A revocation of an earlier version has no account, and is for every account.
    assert!(store.is_revoked(None, [11; 32]).await.unwrap());
    assert_eq!(found.tokens_not_before.unwrap().as_microsecond(), 4);
    // Draws numbers, so that the second opening notices a counter that was reset.
    assert_eq!(store.next_account_number().await.unwrap(), 8);
    assert_eq!(store.next_tenant_number().await.unwrap(), 8);
}

on_both_databases!(
    async fn a_code_from_before_its_address_was_kept_proves_nothing_and_is_replaced(database: Database) {
        let before: Vec<Migration> = migrations(&database).into_iter().filter(|one| one.version() < 8).collect();
        migrate(&database, &before).await;
        let new = NewCode {
            code_id: CodeId { slot: [1; 32], id: Uuid::from_u128(2) },
            token: [2; 32],
            binding: [3; 32],
            code: [4; 32],
            code_expires_at: Timestamp::from_second(60).unwrap(),
            expires_at: Timestamp::from_second(300).unwrap(),
            contact: vec![5],
        };
        let repeated = |byte: &str| format!("<{}>", byte.repeat(32));
        let [slot, token, binding, code] = ["01", "02", "03", "04"].map(repeated);
        let insert = format!(
            "INSERT INTO one_time_code VALUES ({slot}, [00000000000000000000000000000001], {token}, {binding}, {code}, \
             0, 60000000, 300000000)"
        );
        execute(&database, &database.in_dialect(&insert)).await;
        let (config, _data) = configured(&database);
        let store = open(&config).await.unwrap();
        store.check().await.unwrap();
        let now = Timestamp::from_second(1).unwrap();
        let tried = async || store.count_try([1; 32], [2; 32], [3; 32], now, 5).await.unwrap();
        assert_eq!(tried().await, []);
        assert!(!store.is_code_outstanding([2; 32], now, 5).await.unwrap());
        // As the code before the newest it proves nothing either.
        store.put_code(&new).await.unwrap();
        let tried = tried().await;
        assert_eq!((tried.len(), tried[0].contact.as_slice()), (1, [5].as_slice()));
    }
);

on_both_databases!(
    async fn a_code_from_before_two_were_valid_is_valid_beside_its_successor(database: Database) {
        let before: Vec<Migration> = migrations(&database).into_iter().filter(|one| one.version() < 14).collect();
        migrate(&database, &before).await;
        let insert = "INSERT INTO one_time_code VALUES (<SLOT>, [00000000000000000000000000000001], <TOKEN>, <BINDING>, <CODE>, \
                      1, 60000000, 300000000, <07>)";
        let insert = [("SLOT", "01"), ("TOKEN", "02"), ("BINDING", "03"), ("CODE", "04")]
            .into_iter()
            .fold(insert.to_owned(), |insert, (name, byte)| insert.replace(name, &byte.repeat(32)));
        execute(&database, &database.in_dialect(&insert)).await;
        let (config, _data) = configured(&database);
        let store = open(&config).await.unwrap();
        store.check().await.unwrap();
        let newer = NewCode {
            code_id: CodeId { slot: [1; 32], id: Uuid::from_u128(2) },
            token: [5; 32],
            binding: [3; 32],
            code: [6; 32],
            code_expires_at: Timestamp::from_second(90).unwrap(),
            expires_at: Timestamp::from_second(330).unwrap(),
            contact: vec![8],
        };
        store.put_code(&newer).await.unwrap();
        let now = Timestamp::from_second(1).unwrap();
        for _ in 0..4 {
            let tried = store.count_try([1; 32], [2; 32], [3; 32], now, 5).await.unwrap();
            assert_eq!((tried.len(), tried[0].code, tried[0].contact.as_slice()), (1, [4; 32], [7].as_slice()));
        }
        // One try was counted before the upgrade.
        assert_eq!(store.count_try([1; 32], [2; 32], [3; 32], now, 5).await.unwrap(), []);
        assert_eq!(store.count_try([1; 32], [5; 32], [3; 32], now, 5).await.unwrap().len(), 1);
    }
);

on_both_databases!(
    async fn the_progress_of_the_earlier_pass_over_phone_numbers_is_forgotten(database: Database) {
        let before: Vec<Migration> = migrations(&database).into_iter().filter(|one| one.version() < 18).collect();
        migrate(&database, &before).await;
        execute(&database, "INSERT INTO installation (name, value) VALUES ('phone_keys', 'done'), ('other', 'x')")
            .await;
        let (config, _data) = configured(&database);
        let store = open(&config).await.unwrap();
        store.check().await.unwrap();
        assert_ne!(store.phone_keys().await.unwrap(), selfsame::store::PhoneKeys::Done);
        assert_eq!(database.rows("SELECT name FROM installation WHERE name <> 'id' ORDER BY 1").await, ["other"]);
    }
);

on_both_databases!(
    async fn a_notice_from_before_its_column_was_renamed_is_still_there(database: Database) {
        let before: Vec<Migration> = migrations(&database).into_iter().filter(|one| one.version() < 9).collect();
        migrate(&database, &before).await;
        let insert =
            "INSERT INTO notice VALUES ([00000000000000000000000000000005], 'email', 1, <0506>, 0, 1, 9000000)";
        execute(&database, &database.in_dialect(insert)).await;
        let (config, _data) = configured(&database);
        let store = open(&config).await.unwrap();
        store.check().await.unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let claimed = store.claim_notice(Medium::Email, at(2), at(3)).await.unwrap().unwrap().notice;
        assert_eq!((claimed.id, claimed.sealed.as_slice()), (Uuid::from_u128(5), [5, 6].as_slice()));
    }
);

on_both_databases!(
    async fn pictures_of_earlier_versions_are_recorded_with_their_accounts(database: Database) {
        let before: Vec<Migration> = migrations(&database).into_iter().filter(|one| one.version() < 10).collect();
        migrate(&database, &before).await;
        let [one, two, three, four] = ["1", "2", "3", "4"].map(|digit| digit.repeat(32));
        let shown = [
            format!("stored:{one}.png:00.1"),
            // Copied from a claim: the picture of another account, or no picture at all.
            format!("stored:{one}.png:00.1"),
            "stored::".to_owned(),
            format!("stored:../{one}.png:00.1"),
            format!("stored:{one}.gif:00.1"),
            format!("stored:{}.png:00.1", &one.replace('1', "A")),
            format!("stored:{one}.png"),
            "\u{e9}".repeat(60),
            "https://example.com/a.png".to_owned(),
        ];
        let mut statements = String::new();
        for (number, picture) in shown.iter().map(String::as_bytes).chain([&b"stored:\xff\xfe:\\"[..]]).enumerate() {
            let digits: String = picture.iter().map(|byte| format!("{byte:02x}")).collect();
            statements += &format!(
                "INSERT INTO account (id, number, tenant_id, biz_id, portal, status, personal_key, picture, email_verified, \
                 phone_verified, authenticated, version, created_at, updated_at, history_head) VALUES ([{number:032}], \
                 {number}, [{:032}], 'A{number}', 10010101, 10010202, 0, <{digits}>, false, false, true, 1, 1, {number}, \
                 <{}>);",
                1,
                "00".repeat(32)
            );
        }
        statements += &format!(
            "INSERT INTO replaced_picture VALUES ('{one}.png', [{0:032}], 50), ('{two}.jpg', [{0:032}], 60), \
             ('', [{0:032}], 70), ('{four}.jpg.jpg', [{0:032}], 80); \
             INSERT INTO pending_picture VALUES ('{three}.png', 90);",
            0
        );
        execute(&database, &database.in_dialect(&statements)).await;
        let (config, _data) = configured(&database);
        let store = open(&config).await.unwrap();
        store.check().await.unwrap();
        let rows = "SELECT name, state, changed_at FROM stored_picture ORDER BY name, changed_at";
        assert_eq!(
            database.rows(rows).await,
            [
                format!("{one}.png shown 0"),
                format!("{one}.png shown 1"),
                format!("{two}.jpg replaced 60"),
                format!("{three}.png pending 90")
            ]
        );
        assert!(store.is_picture_needed(AccountId(Uuid::nil()), &format!("{one}.png")).await.unwrap());
        assert!(!store.is_picture_needed(AccountId(Uuid::nil()), &format!("{two}.jpg")).await.unwrap());
    }
);

#[test]
fn both_databases_have_migrations_of_the_same_names() {
    let names = |folder: &str| -> Vec<String> {
        let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder)).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_refused_in_one_line() {
    let database = Database::postgres();
    let refused = migrate_by_command(&database, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let place = database.url().replace("postgres@", "").replace("%2F", "/").replace("/test_", ":5432/test_");
    let expected = format!(
        "selfsame: database {place}: the server runs with fsync = off and may lose what it acknowledged; turn it on, or \
         set database.allow_unsafe_durability = true for throw-away data\n"
    );
    assert_eq!(String::from_utf8(refused.stderr).unwrap(), expected);
    assert_eq!(query(&database, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").await, [""; 0]);

    let allowed = migrate_by_command(&database, &[("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true")]);
    assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
}

/// The server accepts connections and then sends nothing, like one that is stopped at that moment.
#[tokio::test]
async fn a_server_that_falls_silent_during_connecting_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read_i32().await.unwrap();
            stream.read_exact(&mut vec![0; usize::try_from(length - 4).unwrap()]).await.unwrap();
            // AuthenticationOk, ReadyForQuery.
            stream.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await.unwrap();
            open.push(stream);
        }
    });
    let data = tempfile::tempdir().unwrap();
    let url = format!("postgres://somebody@{address}/any?sslmode=disable");
    let mut config = config(&Database::sqlite(), &data, &[("SELFSAME__DATABASE__WAIT_TIMEOUT", "100ms")]);
    config.database.url = selfsame::config::Secret::from(url);
    let opened = tokio::time::timeout(std::time::Duration::from_secs(20), open(&config)).await;
    let error = opened.expect("the silent server is not waited for").err().unwrap();
    assert!(matches!(error, OpenError::Unreachable(..)), "{error:?}");
    silent.abort();
}

fn migrate_by_command(database: &Database, environment: &[(&str, &str)]) -> Output {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
    command.env_clear().envs(environment.iter().copied());
    command.arg("migrate").arg("--data").arg(data.path()).args(["--database", database.url()]).output().unwrap()
}

/// The names of the tables.
async fn schema(database: &Database) -> Vec<String> {
    let tables = match is_sqlite(database) {
        true => "SELECT name FROM sqlite_schema ORDER BY name",
        false => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
    };
    database.rows(tables).await
}

fn is_sqlite(database: &Database) -> bool {
    database.url().starts_with("sqlite:")
}

/// A fresh database of the same kind.
fn another(database: &Database) -> Database {
    if is_sqlite(database) { Database::sqlite() } else { Database::postgres() }
}

/// The migrations of this version, in order.
fn migrations(database: &Database) -> Vec<Migration> {
    let folder = if is_sqlite(database) { "sqlite" } else { "postgres" };
    refinery::load_sql_migrations(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder)).unwrap()
}

async fn migrate(database: &Database, migrations: &[Migration]) {
    let runner = Runner::new(migrations);
    match database.url().strip_prefix("sqlite:") {
        Some(file) => runner.run(&mut rusqlite::Connection::open(file).unwrap()).unwrap(),
        None => runner.run_async(&mut connect(database).await).await.unwrap(),
    };
}

async fn execute(database: &Database, statements: &str) {
    match database.url().strip_prefix("sqlite:") {
        Some(file) => rusqlite::Connection::open(file).unwrap().execute_batch(statements).unwrap(),
        None => connect(database).await.batch_execute(statements).await.unwrap(),
    }
}

/// The first column of every row, as text.
async fn query(database: &Database, statement: &str) -> Vec<String> {
    match database.url().strip_prefix("sqlite:") {
        Some(file) => {
            let connection = rusqlite::Connection::open(file).unwrap();
            let mut prepared = connection.prepare(&format!("SELECT CAST(version AS TEXT) FROM ({statement})")).unwrap();
            let rows = prepared.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        }
        None => {
            let rows = connect(database).await.simple_query(statement).await.unwrap();
            let values = rows.iter().filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            });
            values.collect()
        }
    }
}

async fn connect(database: &Database) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
