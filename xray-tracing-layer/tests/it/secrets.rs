//! No secret leaves the process: every kind of value that may hold one, in spans, events and errors.
//!
//! A secret is marked, and no four of its characters in a row may be in a document, raw or escaped. The kinds
//! have tables with the right values beside their code (`fields::sanitize`); here they go the whole way.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tracing::{error, info, info_span};
use xray_tracing_layer::{Builder, XraySpanExt};

use crate::support::MemoryRig;

/// No four characters of it occur in anything that documents hold otherwise.
const SECRET: &str = "Xq7!vZ9&kW4";

/// Forms that real drivers and clients read. `SECRET` stands for a password in each.
const CONNECTION_STRINGS: &[&str] = &[
    "postgres://h/db?user=u&password=SECRET",
    "postgres://u:SECRET@h:5432/db",
    "postgresql://u:SECRET@h1,h2:5432/db?sslmode=require",
    "host=h user=u password = SECRET dbname=d",
    "host=h\tuser=u\npassword='SECRET'\tdbname=d",
    "Server=h;Password=\"SECRET;SECRETx\";Database=d",
    "sqlserver://h;user=u;password={SECRET;x}",
    "h:6379,password=SECRET,ssl=true",
    "redis://h:6379?password=SECRET",
    "redis://:SECRET@h:6379/0",
    "postgres://h/db?sslpassword=SECRET",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=SECRET",
    "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=SECRET",
    "u:SECRET@tcp(127.0.0.1:3306)/db",
    "u/SECRET@//h:1521/s",
    "jdbc:postgresql://bob:SECRET@h/",
    "jdbc:sqlserver://h:1433;databaseName=d;password=SECRET",
    "mongodb+srv://u:SECRET@h/db?w=majority",
    "amqp://u:SECRET@h:5672/vhost",
];

const URLS: &[&str] = &[
    "https://bob:SECRET@h/p",
    "//bob:SECRET@h/p",
    "bob:SECRET@h/p",
    "https:bob:SECRET@h/p",
    r"https:\\bob:SECRET@h\p",
    "https://bob:SE/SECRET@h/p",
    "https://h/p?token=SECRET",
    "https://h/p?X-Amz-Credential=SECRET&X-Amz-Signature=SECRET#SECRET",
    "wss://bob:SECRET@h:443/p",
];

/// With the system that each is for; none where that is not known.
const STATEMENTS: &[(&str, &str)] = &[
    ("", "SELECT * FROM t WHERE a = 'SECRET' AND b = $1"),
    ("", "SELECT MD5(\"SECRET\")"),
    ("", "CREATE USER u IDENTIFIED BY \"SECRET\""),
    ("", "SELECT 1 WHERE (a, b) = (\"SECRET\", \"b\")"),
    ("", "SELECT _utf8\"SECRET\", BINARY \"SECRET\""),
    ("", "PRAGMA key(\"SECRET\")"),
    ("", "ATTACH DATABASE 'f' AS d KEY \"SECRET\""),
    ("", "COPY t FROM stdin;\nSECRET\t1"),
    ("mysql", "SELECT \"SECRET\", 'it\\'s SECRET' FROM `t`"),
    ("postgresql", "SELECT E'\\'SECRET', $tag$SECRET$tag$, U&'SECRET'"),
    ("oracle", "SELECT q'[SECRET]' FROM dual"),
    ("redis", "AUTH SECRET"),
    ("redis", "SET user:1 \"SECRET\""),
    ("memcached", "set SECRET 0 0 7"),
    ("mongodb", "{\"find\":\"users\",\"filter\":{\"name\":\"SECRET\"}}"),
    ("elasticsearch", "{\"query\":{\"match\":{\"name\":\"SECRET\"}}}"),
    ("dynamodb", "SELECT * FROM t WHERE a = 'SECRET'"),
    ("somedb", "FIND SECRET"),
];

/// Texts of errors and messages.
const MESSAGES: &[&str] = &[
    "connecting to postgres://u:SECRET@h/db failed",
    "error sending request for url (https://h/p?token=SECRET)",
    "Authorization: Bearer SECRET",
    "bad pair password=SECRET",
    "{\"api_key\": \"SECRET\"}",
    "dial u:SECRET@tcp(127.0.0.1:3306)/db",
    "failed: SELECT * FROM t WHERE a = 'SECRET'",
];

/// Whether four characters of the secret stand in a text, in a row, as they are or escaped.
fn leaked(text: &str) -> Option<String> {
    let characters: Vec<char> = SECRET.chars().collect();
    let quads = characters.windows(4).map(|quad| quad.iter().collect::<String>());
    quads
        .into_iter()
        .find(|quad| text.contains(quad.as_str()) || text.contains(&quad.escape_unicode().to_string()))
}

fn check(documents: &[String], given: &str) {
    for document in documents {
        assert_eq!(leaked(document), None, "of {given:?} in {document}");
    }
}

/// Every way that a value takes into a document.
fn send(value: &str, system: &str, kind: Kind) -> Vec<String> {
    let rig = MemoryRig::new();
    rig.run(|| {
        let system = (!system.is_empty()).then_some(system);
        let root = info_span!("root");
        let _in = root.enter();
        match kind {
            Kind::ConnectionString => {
                drop(info_span!("a", db.connection_string = value));
                error!(db.connection_string = value, "failed");
            }
            Kind::Url => {
                drop(info_span!("a", url.full = value));
                drop(info_span!("a", http.url = %value, otel.kind = "client"));
                error!(url.full = value, "failed");
            }
            Kind::Statement => {
                drop(info_span!("a", db.query.text = value, db.system = system));
                drop(info_span!("a", db.system.name = system, db.statement = %value));
                let late = info_span!("a", db.system.name = system, db.query.text = tracing::field::Empty);
                late.record("db.query.text", value);
                drop(late);
                error!(db.query.text = value, db.system = system, "failed");
                error!(db.system = system, db.query.text = value, "failed");
            }
            Kind::Message => {
                error!("{value}");
                error!(error = value, "failed");
                error!(err = &std::io::Error::other(value.to_owned()) as &dyn std::error::Error, "failed");
                let span = info_span!("a", text = value, debug = ?value, annotation.a = value, error = value);
                span.record_error(&std::io::Error::other(value.to_owned()));
                span.annotate("b", value);
                span.add_metadata("default", "c", &[value]);
            }
        }
    });
    rig.documents_as_sent()
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    ConnectionString,
    Url,
    Statement,
    Message,
}

fn marked(form: &str) -> String {
    form.replace("SECRET", SECRET)
}

#[test]
fn no_secret_of_a_known_form_is_in_a_document() {
    for form in CONNECTION_STRINGS {
        check(&send(&marked(form), "", Kind::ConnectionString), form);
    }
    for form in URLS {
        check(&send(&marked(form), "", Kind::Url), form);
    }
    for (system, form) in STATEMENTS {
        check(&send(&marked(form), system, Kind::Statement), form);
    }
    for form in MESSAGES {
        check(&send(&marked(form), "", Kind::Message), form);
    }
}

#[test]
fn a_field_that_is_a_secret_by_its_name_is_left_out() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let span =
            info_span!("login", user = "bob", password = SECRET, db.password = SECRET, api_key = SECRET);
        span.in_scope(|| error!(password = SECRET, "failed"));
    });
    let document = rig.documents()[0].to_string();
    assert_eq!(leaked(&document), None, "{document}");
    assert!(document.contains("bob"));
}

#[test]
fn a_value_that_is_a_secret_by_its_name_is_left_out_wherever_the_program_puts_it() {
    let rig = MemoryRig::with(|builder| builder.annotate(["db_password", "has_password"]));
    rig.run(|| {
        let span = info_span!(
            "login",
            db_password = SECRET, // an annotation by the builder
            client_secret = SECRET,
            access_token = ?SECRET,
            annotation.password = SECRET,
            metadata.passwd = SECRET,
            metadata.login.x_api_key = SECRET,
            has_password = true,
            next_token = "page 2",
        );
        span.annotate("password", SECRET);
        span.annotate("set_cookie", false);
        span.add_metadata("login", "client-secret", SECRET);
        let members = json!({
            "name": "bob",
            "password": SECRET,
            "deeper": [{"secretKey": [SECRET, 7], "token": SECRET, "Authorization": SECRET, "hasPassword": true}],
        });
        span.add_metadata("login", "user", &members);
    });
    let document = &rig.documents()[0];
    assert_eq!(leaked(&document.to_string()), None, "{document}");
    assert_eq!(document["annotations"], json!({"password": "…", "set_cookie": false, "has_password": true}));
    let user = json!({
        "name": "bob",
        "password": "…",
        "deeper": [{"secretKey": ["…", "…"], "token": "…", "Authorization": "…", "hasPassword": true}],
    });
    assert_eq!(document["metadata"]["login"], json!({"client-secret": "…", "user": user}));
    assert_eq!(document["metadata"]["default"]["next_token"], "page 2");
    assert_eq!(rig.handle.stats().values_dropped, 6);
}

#[test]
fn a_breadcrumb_shows_of_a_secret_by_its_name_no_more_than_yes_or_no() {
    let rig = MemoryRig::with(Builder::breadcrumbs);
    rig.run(|| {
        info_span!("login").in_scope(|| {
            error!(client_secret = SECRET, has_password = true, "refused");
            info!(client_secret = SECRET, has_password = false, "tried again");
        });
    });
    let document = &rig.documents()[0];
    assert_eq!(leaked(&document.to_string()), None, "{document}");
    assert_eq!(document["cause"]["exceptions"][0]["message"], "refused");
    let breadcrumb = &document["metadata"]["breadcrumbs"]["0001"];
    assert_eq!(breadcrumb["fields"], json!({"has_password": false}));
    assert_eq!(breadcrumb["cut"], true, "one that is left out shows");
    // The message of an error has no place for yes or no.
    assert_eq!(document["metadata"]["default"]["xray.limits"]["dropped"], 2);
    assert_eq!(rig.handle.stats().values_dropped, 2);
}

#[test]
fn a_redaction_hook_decides_what_is_shown_of_a_secret() {
    let rig = MemoryRig::with(|builder| {
        builder.breadcrumbs().redact(|field, value| match field {
            "annotation.password" | "password" | "metadata.k.secret" => {
                format!("{} letters", value.len()).into()
            }
            _ => value.into(),
        })
    });
    rig.run(|| {
        let span =
            info_span!("login", annotation.password = "abc", metadata.k.secret = "abcd", passwd = "abcde");
        span.add_metadata("k", "user", &json!({"password": "ab", "secret": "abc"}));
        span.in_scope(|| info!(password = "a", "refused"));
    });
    let document = &rig.documents()[0];
    let breadcrumb = &document["metadata"]["breadcrumbs"]["0001"];
    assert_eq!(
        (&breadcrumb["fields"], &breadcrumb["cut"]),
        (&json!({"password": "1 letters"}), &json!(null))
    );
    assert_eq!(document["annotations"], json!({"password": "3 letters"}));
    let user = json!({"password": "2 letters", "secret": "…"});
    assert_eq!(document["metadata"]["k"], json!({"secret": "4 letters", "user": user}));
    assert_eq!(rig.handle.stats().values_dropped, 1);
}

/// One change of one character, as typing errors and half-understood formats make.
fn mutation() -> impl Strategy<Value = (usize, Option<char>, bool)> {
    let inserted =
        select(&[':', '/', '@', ';', ' ', '=', '?', '"', '\'', ',', '#', '&', '\\', '\n', '{', 'a'][..]);
    (any::<usize>(), proptest::option::of(inserted), any::<bool>())
}

/// Inserts, replaces or removes one character outside of the secret.
fn mutated(form: &str, (at, character, replaces): (usize, Option<char>, bool)) -> String {
    let mut pieces: Vec<String> = Vec::new();
    for (index, part) in form.split("SECRET").enumerate() {
        if index > 0 {
            pieces.push(SECRET.to_owned());
        }
        pieces.extend(part.chars().map(String::from));
    }
    let at = at % (pieces.len() + 1);
    if at < pieces.len() && pieces[at] != SECRET && (replaces || character.is_none()) {
        pieces.remove(at);
    }
    if let Some(character) = character {
        pieces.insert(at.min(pieces.len()), character.into());
    }
    pieces.concat()
}

proptest! {
    // `PROPTEST_CASES=100000 cargo test -p xray-tracing-layer --test it secrets` runs more.
    #[test]
    fn no_secret_of_a_form_that_is_almost_known_is_in_a_document(
        connection_string in select(CONNECTION_STRINGS),
        url in select(URLS),
        (system, statement) in select(STATEMENTS),
        change in mutation(),
    ) {
        let given = mutated(connection_string, change);
        check(&send(&given, "", Kind::ConnectionString), &given);
        let given = mutated(url, change);
        check(&send(&given, "", Kind::Url), &given);
        let given = mutated(statement, change);
        // A quote more or less turns a value into a name, and a word more or less a secret into a name.
        let (_, inserted, replaces) = change;
        let only_inserts = matches!(inserted, Some(other) if !matches!(other, '\'' | '"')) && !replaces;
        let is_quoted = ["'SECRET'", "\"SECRET\""].iter().any(|form| statement.contains(form));
        if is_quoted && only_inserts && !statement.contains(['$', '\\']) {
            check(&send(&given, system, Kind::Statement), &given);
        }
    }
}

#[test]
fn a_short_token_is_no_short_text() {
    for token in ["Bearer a1b2c3", "a bearer a1b2c3", "to BEARER 12.3-4"] {
        let rig = MemoryRig::new();
        rig.run(|| {
            let root = info_span!("root", http.request.method = "GET", text = token, annotation.a = token);
            let _in = root.enter();
            drop(info_span!("child", text = token));
            drop(info_span!("child", annotation.text = token));
            error!("{token}");
        });
        let secret = token.split_whitespace().last().unwrap();
        for document in rig.documents_as_sent() {
            assert!(!document.contains(secret), "{token} in {document}");
        }
    }
}
