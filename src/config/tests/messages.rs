//! The mail server, the SMS gateway, and one-time codes.

use super::*;

const MAIL: &str = "[smtp]\nhost = \"smtp.example.com\"\nfrom = \"no-reply@example.com\"\n";
const SMS: &str = "[sms]\nurl = \"https://sms.example.com/send\"\n";

#[test]
fn a_mail_server_needs_a_sender_and_a_protected_connection() {
    with_file(MAIL);
    for (more, problem) in [
        ("from = \"nobody\"", "smtp.from = \"nobody\": expected an address such as"),
        ("from = \"a@example.com, b@example.com\"", "smtp.from"),
        ("from = \"a@example.com\\r\\nBcc: b@example.com\"", "smtp.from"),
        ("from = \"\"", "is required because smtp.host is set"),
    ] {
        let error = file_error(&format!("[smtp]\nhost = \"smtp.example.com\"\n{more}\n"));
        assert!(error.contains(problem), "{error}");
    }
    let error = file_error(&format!("{MAIL}security = \"none\"\n"));
    assert!(error.contains("must be \"starttls\" or \"tls\", because smtp.host is not a loopback address"), "{error}");
    with_file("[smtp]\nhost = \"127.0.0.1\"\nfrom = \"Example <no-reply@example.com>\"\nsecurity = \"none\"\n");
    let error = file_error(&format!("{MAIL}security = \"ssl\"\n"));
    assert!(error.contains("smtp.security"), "{error}");
}

#[test]
fn a_mail_user_needs_a_password_that_is_never_shown() {
    let error = file_error(&format!("{MAIL}user = \"selfsame\"\n"));
    assert!(error.contains("smtp.password must be given too"), "{error}");
    let error = file_error(&format!("{MAIL}password = \"hunter2\"\n"));
    assert!(error.contains("smtp.user must be given too") && !error.contains("hunter2"), "{error}");
    with_file(&format!("{MAIL}user = \"selfsame\"\npassword = \"hunter2\"\n"));
}

#[test]
fn a_gateway_needs_a_body_with_placeholders() {
    with_file(&format!("{SMS}body = '{{\"to\":\"{{to}}\",\"text\":\"{{text}}\"}}'\n"));
    with_file(&format!("{SMS}format = \"form\"\nbody = \"To={{digits}}&Body={{text}}\"\n"));
    for (body, problem) in [
        ("body = \"\"", "must contain {text}, and {to} or {digits}"),
        ("body = '{\"text\":\"{text}\"}'", "must contain {text}, and {to} or {digits}"),
        ("body = \"To={to}&Body={text}\"", "must be valid JSON"),
        ("headers = [\"no colon\"]", "expected a list of header lines"),
        ("headers = [\"Bad Name: x\"]", "expected a list of header lines"),
        ("url = \"http://sms.example.com\"", "must be a URL with https://"),
    ] {
        let section = if body.starts_with("url") { "[sms]\n" } else { SMS };
        let error = file_error(&format!("{section}{body}\n"));
        assert!(error.contains(problem), "{body}: {error}");
    }
}

#[test]
fn a_token_cannot_have_a_shorter_lifetime_than_its_code() {
    let error = file_error("[codes.login]\nlifetime = \"6m\"\n");
    assert!(error.contains("codes.login.lifetime") && error.contains("must be at most"), "{error}");
    with_file("[codes.login]\nlifetime = \"6m\"\ntoken_lifetime = \"6m\"\n");
}
