//! Unknown names, and files that cannot be read.

use super::*;

#[test]
fn an_unknown_key_names_the_nearest() {
    let error = file_error("# a comment\n[server]\n\nlisen = \"127.0.0.1:80\"\n");
    assert_eq!(error, "config.toml:4: unknown key server.lisen; did you mean server.listen?");
}

#[test]
fn a_key_in_the_wrong_section_names_the_right_one() {
    assert_eq!(file_error("[server]\ndata = \"x\"\n"), "config.toml:2: unknown key server.data; did you mean data?");
    assert_eq!(file_error("listen = 1\n"), "config.toml:1: unknown key listen; did you mean server.listen?");
}

#[test]
fn an_unknown_section_names_the_nearest() {
    let error = file_error("[server]\n[databse]\nreaders = 1\n");
    assert_eq!(error, "config.toml:2: unknown section databse; did you mean database?");
}

#[test]
fn an_unknown_variable_names_the_nearest() {
    assert_eq!(
        environment_error("SELFSAME__SERVER__LISEN", "x"),
        "environment SELFSAME__SERVER__LISEN: unknown key server.lisen; did you mean SELFSAME__SERVER__LISTEN?"
    );
}

#[test]
fn a_variable_given_twice_in_different_case_is_refused() {
    let variables = [("SELFSAME__DATA", "a"), ("selfsame__data", "b")];
    assert_eq!(
        Folder::new().error("", &variables),
        "environment selfsame__data: data is also set by SELFSAME__DATA; keep one of them"
    );
}

#[test]
fn a_value_in_the_place_of_a_section_is_refused() {
    assert_eq!(file_error("server = 5\n"), "config.toml:1: server is a section; write [server] and its settings below");
}

#[test]
fn a_section_in_the_place_of_a_value_is_refused() {
    assert_eq!(
        file_error("[server.listen]\nport = 1\n"),
        "config.toml:1: server.listen is a setting, not a section; write server.listen = VALUE"
    );
}

#[test]
fn malformed_toml_names_its_line() {
    assert_eq!(
        file_error("[server]\nlisten = 127.0.0.1:80\n"),
        "config.toml:2: not valid TOML: invalid float; put text in quotes"
    );
}

#[test]
fn a_missing_file_is_named() {
    let sources = Sources { file: Some("no/such.toml".into()), ..Sources::default() };
    assert_eq!(
        Config::load(&sources).unwrap_err().to_string(),
        "no/such.toml: cannot be read: No such file or directory (os error 2); check the path after --config"
    );
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    assert_eq!(
        file_error(&"#\n".repeat(600_000)),
        "config.toml: cannot be read: longer than 1048576 bytes; check the path after --config"
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let environment = vec![("SELFSAME__DATA".into(), std::ffi::OsString::from_vec(vec![0xff]))];
    let error = Config::load(&Sources { environment, ..Sources::default() }).unwrap_err();
    assert_eq!(error.to_string(), "environment SELFSAME__DATA: data: expected UTF-8 text");
}
