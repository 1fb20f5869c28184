//! Throw-away PostgreSQL clusters, reached only through a Unix socket: nothing listens on a port, and a server that
//! already runs on the machine is not touched.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, mpsc};
use std::time::Duration;

/// Owns the cluster from outside the test process, so that even a killed test process leaves no files or processes.
const SUPERVISOR: &str = include_str!("postgres_supervisor.sh");

/// Time limit for one operation on a cluster: longer than the minute that the supervisor allows PostgreSQL to start.
const LIMIT: Duration = Duration::from_secs(90);

/// The cluster of all tests that are not about durability. Statics are never dropped; the supervisor stops the cluster
/// when the process ends.
static SHARED: LazyLock<Cluster> = LazyLock::new(|| {
    Cluster::new(&[
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "shared_buffers=32MB",
        "max_connections=200",
    ])
});

/// A database in the cluster that all tests of this process share. Dropping this drops the database.
#[derive(Debug)]
pub(crate) struct SharedDatabase {
    url: String,
}

impl SharedDatabase {
    /// Creates an empty database.
    pub(crate) fn new() -> Self {
        Self { url: SHARED.new_database() }
    }

    /// Creates a database with the tables and rows of this one, which must have no connection meanwhile.
    pub(crate) fn copy(&self) -> Self {
        Self { url: SHARED.copy_of(self.name()) }
    }

    /// The database's URL for the configuration.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn name(&self) -> &str {
        self.url.rsplit('/').next().expect("split returns at least one part")
    }
}

impl Drop for SharedDatabase {
    fn drop(&mut self) {
        // Saves disk space during a long run; the whole cluster is removed at the end of the process.
        let _ = SHARED.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name()));
    }
}

/// The directory of the shared cluster's socket, which clients use as the host name.
pub(crate) fn shared_socket() -> &'static str {
    SHARED.directory().to_str().expect("the directory's name was made here, of ASCII letters")
}

/// A separate PostgreSQL cluster. Dropping it ends its processes and removes its directory.
#[derive(Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    supervisor: Mutex<Supervisor>,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts a cluster with PostgreSQL's default, durable settings, for tests that kill, stop or freeze it.
    pub(crate) fn durable() -> Self {
        Self::new(&[])
    }

    /// Creates an empty database and returns its URL.
    pub(crate) fn new_database(&self) -> String {
        // template0 accepts no connections: CREATE DATABASE refuses a template that is in use.
        self.copy_of("template0")
    }

    /// The directory with all files of the cluster, including its socket and its log (`log`).
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts the cluster after [`stop`](Self::stop) or [`kill9`](Self::kill9), and returns when it accepts connections.
    pub(crate) fn start(&self) {
        self.act("start");
    }

    /// Shuts the cluster down gracefully (SIGINT, "fast"): open connections are closed and all data is written.
    pub(crate) fn stop(&self) {
        self.act("stop");
    }

    /// Kills every process of the cluster (SIGKILL), as the out-of-memory killer does, and returns when all have ended.
    pub(crate) fn kill9(&self) {
        self.act("kill");
    }

    /// Suspends every process of the cluster (SIGSTOP): connections stay open without a response until
    /// [`thaw`](Self::thaw).
    pub(crate) fn freeze(&self) {
        self.act("freeze");
    }

    /// Resumes the cluster (SIGCONT) after [`freeze`](Self::freeze).
    pub(crate) fn thaw(&self) {
        self.act("thaw");
    }

    fn new(settings: &[&str]) -> Self {
        let binaries = binaries();
        // Directly in /tmp: a socket's path is limited to about 100 bytes, and another user must have access.
        let directory = tempfile::Builder::new().prefix("selfsame-postgres-").tempdir_in("/tmp").unwrap().keep();
        let supervisor = Supervisor::new(&directory, &binaries, settings);
        let cluster = Self { directory, supervisor: Mutex::new(supervisor), databases: AtomicU32::new(0) };
        cluster.start();
        cluster
    }

    fn copy_of(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).expect("PostgreSQL creates a database");
        self.url(&name)
    }

    fn act(&self, act: &str) {
        let succeeded = self.supervisor.lock().unwrap().ask(act);
        assert!(succeeded, "PostgreSQL: {act} failed\n{}", log_of(&self.directory));
    }

    /// Returns `postgres://postgres@%2Ftmp%2F…/NAME`: a host that begins with a slash is a socket's directory. With
    /// `localhost/NAME?host=…`, tokio-postgres would try both hosts, the network first.
    fn url(&self, database: &str) -> String {
        let directory = self.directory.to_str().expect("the directory's name was made here, of ASCII letters");
        format!("postgres://postgres@{}/{database}", directory.replace('/', "%2F"))
    }

    /// Runs one statement as the superuser, on a separate thread because the caller may be inside an asynchronous runtime.
    fn execute(&self, statement: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let url = self.url("postgres");
        let connect_and_run = async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(statement).await
        };
        let run_on_a_runtime = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(async { tokio::time::timeout(LIMIT, connect_and_run).await })??)
        };
        std::thread::scope(|scope| scope.spawn(run_on_a_runtime).join().expect("nothing in the thread panics"))
    }
}

/// The shell that owns a cluster's processes and directory.
#[derive(Debug)]
struct Supervisor {
    child: Child,
    /// Kept open: closing it makes the shell clean up. `None` only while being dropped.
    acts: Option<ChildStdin>,
    answers: mpsc::Receiver<String>,
}

impl Supervisor {
    fn new(directory: &Path, binaries: &Path, settings: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(directory).arg(binaries).args(settings);
        // The caller's environment (PGHOST, PGOPTIONS, a locale) must not influence the test.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        // Standard error is inherited from the test: it is closed only when the clean-up is done.
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        // A separate process group: Ctrl-C in the terminal ends the tests, and their end shuts the cluster down gracefully.
        command.process_group(0);
        if directory.metadata().unwrap().uid() == 0 {
            let (user, group) = unprivileged_user();
            chown(directory, Some(user), Some(group)).unwrap();
            command.uid(user).gid(group);
        }
        let mut child = command.spawn().expect("there is a /bin/sh");
        let acts = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let supervisor = Self { child, acts, answers };
        assert!(supervisor.answer(), "initdb failed\n{}", log_of(directory));
        supervisor
    }

    fn ask(&mut self, act: &str) -> bool {
        let mut acts = self.acts.as_ref().expect("nothing is asked of a supervisor that is being dropped");
        writeln!(acts, "{act}").is_ok() && self.answer()
    }

    fn answer(&self) -> bool {
        self.answers.recv_timeout(LIMIT).is_ok_and(|answer| answer == "ok")
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.acts = None;
        let _ = self.child.wait();
    }
}

/// Returns the user to run PostgreSQL as, which refuses to run as root: `postgres`, which Debian's package creates, or
/// `nobody`.
fn unprivileged_user() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
    let ids_of = |name: &str| {
        let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect()).find(|f: &Vec<_>| f[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    ids_of("postgres").or_else(|| ids_of("nobody")).expect("/etc/passwd lists the user `postgres` or `nobody`")
}

/// Returns the directory of PostgreSQL's server programs: one on `PATH`, else the newest version from Debian's packages,
/// which install it outside `PATH`.
pub(crate) fn binaries() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_server =
        |directory: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|p| directory.join(p).is_file());
    let version = |directory: &PathBuf| -> Option<u32> { directory.parent()?.file_name()?.to_str()?.parse().ok() };
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = packaged.map(|entry| entry.path().join("bin")).filter(has_server).max_by_key(version);
    std::env::split_paths(&path).find(has_server).or(packaged).expect(
        "PostgreSQL's server programs (initdb, postgres, pg_isready) are neither on PATH nor in \
         /usr/lib/postgresql/*/bin. Run ./test, which installs them, or install them yourself: \
         `apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora)",
    )
}

fn log_of(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("log")).unwrap_or_else(|error| format!("(no log: {error})"))
}
