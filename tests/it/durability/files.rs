//! The permissions of the files in the data folder.

use crate::support::Shell;

#[test]
fn only_the_owner_of_the_data_can_read_it_whatever_the_umask() {
    let mut shell = Shell::new();
    shell.start("umask 000; selfsame serve --data data &");
    shell.errors.wait_for(|line| line.contains(r#""message":"listening""#));
    let modes = shell.run("stat -c '%a %n' data data/secret.key data/selfsame.sqlite3*");
    assert_eq!(
        modes.lines().collect::<Vec<_>>(),
        [
            "700 data",
            "600 data/secret.key",
            "600 data/selfsame.sqlite3",
            "600 data/selfsame.sqlite3-shm",
            "600 data/selfsame.sqlite3-wal",
            "600 data/selfsame.sqlite3.serving",
        ]
    );
}
