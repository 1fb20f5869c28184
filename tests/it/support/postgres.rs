//! Throw-away PostgreSQL clusters, reached through a Unix socket only: nothing listens on a port and no server that
//! happens to run on the machine is touched.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, mpsc};
use std::time::Duration;

/// Owns the cluster from outside the test process, so that even a killed test process leaves nothing behind.
const SUPERVISOR: &str = include_str!("postgres_supervisor.sh");

/// How long one act on a cluster may take: more than the minute that the supervisor gives PostgreSQL to start.
const LIMIT: Duration = Duration::from_secs(90);

/// The cluster of all tests that are not about durability. Statics are never dropped: its supervisor ends it when the
/// process ends.
static SHARED: LazyLock<Cluster> = LazyLock::new(|| {
    Cluster::new(&[
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "shared_buffers=32MB",
        "max_connections=200",
    ])
});

/// A database in the cluster that all tests of this process share, dropped when this is.
#[derive(Debug)]
pub(crate) struct SharedDatabase {
    url: String,
}

impl SharedDatabase {
    /// Creates an empty one.
    pub(crate) fn new() -> Self {
        Self { url: SHARED.new_database() }
    }

    /// Creates one with the tables and rows of this one, to which nobody may be connected meanwhile.
    pub(crate) fn copy(&self) -> Self {
        Self { url: SHARED.copy_of(self.name()) }
    }

    /// Where it is, as the configuration wants it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn name(&self) -> &str {
        self.url.rsplit('/').next().expect("split returns at least one part")
    }
}

impl Drop for SharedDatabase {
    fn drop(&mut self) {
        // Only to save disk space during a long run: the cluster is removed at the end of the process anyway.
        let _ = SHARED.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name()));
    }
}

/// The directory of the shared cluster's socket, which is what its clients call its host.
pub(crate) fn shared_socket() -> &'static str {
    SHARED.directory().to_str().expect("the directory's name was made here, of ASCII letters")
}

/// A PostgreSQL cluster of its own. Dropping it ends its processes and removes its directory.
#[derive(Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    supervisor: Mutex<Supervisor>,
    databases: AtomicU32,
}

impl Cluster {
    /// A running cluster with PostgreSQL's own durable settings, for tests that kill, stop or freeze it.
    pub(crate) fn durable() -> Self {
        Self::new(&[])
    }

    /// Creates an empty database and returns its URL.
    pub(crate) fn new_database(&self) -> String {
        // template0, because nobody can be connected to it: CREATE DATABASE refuses a template that is in use.
        self.copy_of("template0")
    }

    /// The directory that holds everything of the cluster, its socket and its log (`log`) too.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill9`](Self::kill9), and returns when it accepts connections.
    pub(crate) fn start(&self) {
        self.act("start");
    }

    /// Shuts it down in order (SIGINT, "fast"): open connections are ended, and all is written.
    pub(crate) fn stop(&self) {
        self.act("stop");
    }

    /// Kills every process of it (SIGKILL), as when the machine's memory runs out, and returns when all are gone.
    pub(crate) fn kill9(&self) {
        self.act("kill");
    }

    /// Stops every process of it (SIGSTOP): connections stay open, and nothing is answered until [`thaw`](Self::thaw).
    pub(crate) fn freeze(&self) {
        self.act("freeze");
    }

    /// Lets it go on (SIGCONT) after [`freeze`](Self::freeze).
    pub(crate) fn thaw(&self) {
        self.act("thaw");
    }

    fn new(settings: &[&str]) -> Self {
        let binaries = binaries();
        // Directly in /tmp: a socket's path may have about 100 bytes, and another user must be able to enter.
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

    /// `postgres://postgres@%2Ftmp%2F…/NAME`: a host that begins with a slash is a socket's directory. Not
    /// `localhost/NAME?host=…`: tokio-postgres would try both hosts, the one on the network first.
    fn url(&self, database: &str) -> String {
        let directory = self.directory.to_str().expect("the directory's name was made here, of ASCII letters");
        format!("postgres://postgres@{}/{database}", directory.replace('/', "%2F"))
    }

    /// Runs one statement as the superuser, on a thread of its own: the caller may be inside an asynchronous runtime.
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
    /// Held open: its end is the sign to clean up. `None` only while being dropped.
    acts: Option<ChildStdin>,
    answers: mpsc::Receiver<String>,
}

impl Supervisor {
    fn new(directory: &Path, binaries: &Path, settings: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(directory).arg(binaries).args(settings);
        // Nothing of the caller's environment (PGHOST, PGOPTIONS, a locale) may change what is tested.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        // Standard error stays the test's: it reaches its end only when the clean-up is done.
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        // A group of its own, so that Ctrl-C in the terminal ends the tests, and their end the cluster in order.
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

/// PostgreSQL's server refuses to run as root: `postgres`, which Debian's package creates, or `nobody`.
fn unprivileged_user() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
    let ids_of = |name: &str| {
        let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect()).find(|f: &Vec<_>| f[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    ids_of("postgres").or_else(|| ids_of("nobody")).expect("/etc/passwd lists the user `postgres` or `nobody`")
}

/// The directory of PostgreSQL's server programs: one on `PATH`, else the newest that Debian's packages installed,
/// which they keep off `PATH`.
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
