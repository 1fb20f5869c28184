//! Network settings: TLS, proxies, web origins, limits, the operator's listener, and traces.

use super::*;

#[test]
fn a_certificate_and_its_key_must_be_given_together() {
    for (given, missing) in [("tls_certificate", "tls_private_key"), ("tls_private_key", "tls_certificate")] {
        assert_eq!(
            file_error(&format!("[server]\n{given} = \"a.pem\"\n")),
            format!("config.toml:2: server.{given} = \"a.pem\": server.{missing} must be given too")
        );
    }
    let server = with_file("[server]\ntls_certificate = \"a.pem\"\ntls_private_key = \"b.pem\"\n").server;
    assert_eq!(server.tls_certificate.as_deref(), Some(Path::new("a.pem")));
    assert_eq!(server.tls_private_key.as_deref(), Some(Path::new("b.pem")));
}

#[test]
fn a_proxy_is_an_address_or_a_network() {
    let proxies = with_file("server.trusted_proxies = [\"10.0.0.1\", \"::1\", \"fd00::/8\", \"10.1.2.3/8\"]").server;
    let shown: Vec<String> = proxies.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.1/32", "::1/128", "fd00::/8", "10.0.0.0/8"]);
    for value in ["[\"proxy\"]", "[\"10.0.0.0/33\"]", "[\"10.0.0.1:80\"]", "[\"\"]", "[5]", "\"10.0.0.1\""] {
        assert_eq!(
            file_error(&format!("server.trusted_proxies = {value}")),
            format!(
                "config.toml:1: server.trusted_proxies = {value}: \
                 expected a list of addresses or networks such as [\"10.0.0.1\", \"fd00::/8\"]"
            )
        );
    }
}

#[test]
fn a_web_origin_is_written_as_browsers_send_it() {
    let origins = "[\"https://app.example.com\", \"http://localhost:3000\", \"https://[::1]:80\"]";
    assert_eq!(with_file(&format!("server.cors_origins = {origins}")).server.cors_origins.len(), 3);
    let origins = "[\"http://localhost:*\", \"https://127.0.0.1:*\", \"http://[::1]:*\"]";
    assert_eq!(with_file(&format!("server.cors_origins = {origins}")).server.cors_origins.len(), 3);
    for origin in [
        "app.example.com",
        "https://app.example.com/",
        "https://App.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://*.example.com/",
        "https://app.example.com:*",
        "http://localhost:80:*",
        "http://localhost:8080:*",
        "http://localhost:*:*",
        "http://localhost.example.com:*",
        "http://LOCALHOST:*",
        "http://192.168.0.1:*",
        "localhost:*",
        "http://:*",
        "null",
        "",
    ] {
        assert_eq!(
            file_error(&format!("server.cors_origins = [\"{origin}\"]")),
            format!(
                "config.toml:1: server.cors_origins = [\"{origin}\"]: \
                 expected a list of web origins such as [\"https://app.example.com\"], \
                 each in lower case and without a path and the scheme's own port"
            )
        );
    }
}

#[test]
fn a_wildcard_web_origin_is_refused_with_the_reason() {
    assert_eq!(
        environment_error("SELFSAME__SERVER__CORS_ORIGINS", "https://a.example,*"),
        "environment SELFSAME__SERVER__CORS_ORIGINS: server.cors_origins = [\"https://a.example\", \"*\"]: \
         \"*\" would let the pages of every site call the server for their visitors; \
         name each origin, such as https://app.example.com"
    );
}

#[test]
fn a_rate_limit_may_be_off_but_not_negative() {
    let limits = with_file("[rate_limit]\naddress = 0\nsystem = 0\nrivergen = 0\ndefault = 0\n").rate_limit;
    assert_eq!([limits.address, limits.system, limits.rivergen, limits.default], [0; 4]);
    assert_eq!(
        file_error("rate_limit.default = -1"),
        "config.toml:1: rate_limit.default = -1: must be between 0 and 1000000"
    );
}

#[test]
fn rate_limits_are_on_by_default() {
    let limits = with_file("").rate_limit;
    assert_eq!(limits.window, Duration::from_secs(60));
    assert_eq!([limits.address, limits.system, limits.rivergen, limits.default], [1200, 120, 100, 120]);
    assert_eq!([limits.picture_bytes_per_day, limits.history_bytes_per_day], [32 << 20, 16 << 20]);
    assert_eq!(limits.tracked, 100_000);
}

#[test]
fn the_operator_has_a_listener_if_it_has_an_address() {
    assert_eq!(with_file("").operator.listen, None);
    let listen = with_file("operator.listen = \"127.0.0.1:9090\"").operator.listen;
    assert_eq!(listen, Some("127.0.0.1:9090".parse().unwrap()));
    assert_eq!(
        file_error("operator.listen = \"9090\""),
        "config.toml:1: operator.listen = \"9090\": expected an address and port such as 127.0.0.1:8080"
    );
}

#[test]
fn traces_are_sent_to_a_url() {
    assert_eq!(with_file("").telemetry.otlp_endpoint, None);
    for url in ["http://127.0.0.1:4318", "https://collector.example.com/v1/traces"] {
        let endpoint = with_file(&format!("telemetry.otlp_endpoint = \"{url}\"")).telemetry.otlp_endpoint;
        assert_eq!(endpoint.as_deref(), Some(url));
    }
    for url in ["127.0.0.1:4318", "grpc://a.example", "http://", "http://u:p@a.example"] {
        assert_eq!(
            file_error(&format!("telemetry.otlp_endpoint = \"{url}\"")),
            format!(
                "config.toml:1: telemetry.otlp_endpoint = \"{}\": \
                 expected a URL with http:// or https:// such as http://127.0.0.1:4318",
                url.replace("u:p@", "(hidden)@")
            )
        );
    }
}

#[test]
fn the_token_cache_can_be_switched_off() {
    assert_eq!(with_file("").identity.remembered_tokens, 10_000);
    assert_eq!(with_file("identity.remembered_tokens = 0").identity.remembered_tokens, 0);
}
