//! Connection strings, built anew from the parts that are known to be harmless: scheme, hosts, port, database
//! and, among pairs, the user. Passwords, keys and options go.
//!
//! | form | example | result |
//! |---|---|---|
//! | URL | `jdbc:postgresql://bob:pw@h1,h2:5432/shop?x=y` | `jdbc:postgresql://h1,h2:5432/shop` |
//! | file | `sqlite:data/shop.db?mode=rw`, `:memory:` | `sqlite:data/shop.db`, `:memory:` |
//! | Go's driver for MySQL | `u:pw@tcp(127.0.0.1:3306)/shop` | `tcp(127.0.0.1:3306)/shop` |
//! | Oracle's | `u/pw@//h:1521/s` | `//h:1521/s` |
//! | host first | `h:6379,password=pw` | `h:6379` |
//! | pairs by `;` | `Server=h;Password=pw;Database=d` | `Server=h;Database=d` |
//! | pairs by blanks | `host=h port=5432 password = pw` | `host=h port=5432` |
//! | everything else | | left out |
//!
//! Drivers disagree about quotes and separators within pairs. So reading pairs ends at the first key that is
//! not known, and at the first value, a password's above all, that is more than letters, digits, `_`, `-`,
//! `.` and `$`: behind it, nothing is certain to be outside of it.

use memchr::memchr3;

use super::host::{HostPort, is_path, is_port, is_socket_path};
use super::url::is_scheme;

/// Builds a connection string without its secrets. Returns `None` if its form is not understood.
pub(crate) fn connection_string(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    if text.len() > MAX_LENGTH {
        return None;
    }
    from_url(text)
        .or_else(|| from_file(text))
        .or_else(|| behind_user(text))
        .or_else(|| from_host_first(text))
        .or_else(|| from_pairs(text))
}

/// `[jdbc:]scheme://[user[:password]@]hosts[/database][?options][;options]`
fn from_url(text: &str) -> Option<String> {
    let (wrapper, inner) = match text.get(..5) {
        Some(jdbc) if jdbc.eq_ignore_ascii_case("jdbc:") => ("jdbc:", &text[5..]),
        _ => ("", text),
    };
    let (scheme, rest) = inner.split_once("://")?;
    if !is_scheme(scheme) {
        return None;
    }
    let end = rest.find(['/', '?', '#', ';']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    // An `@` further on may end a password that the characters above stand in.
    if after.contains('@') || !are_hosts(hosts) {
        return is_known_scheme(scheme).then(|| format!("{wrapper}{scheme}://"));
    }
    let path = after.strip_prefix('/').unwrap_or_default();
    let database = path.split(['?', '#', ';']).next().unwrap_or_default();
    Some(if is_database(database) {
        format!("{wrapper}{scheme}://{hosts}/{database}")
    } else {
        format!("{wrapper}{scheme}://{hosts}")
    })
}

/// `sqlite:path?options`, `file:path`, `:memory:`
fn from_file(text: &str) -> Option<String> {
    if matches!(text, ":memory:" | "sqlite::memory:") {
        return Some(text.to_owned());
    }
    let (scheme, rest) = text.split_once(':')?;
    if !matches!(scheme, "sqlite" | "file" | "duckdb") {
        return None;
    }
    let path = rest.split('?').next().unwrap_or_default();
    // A folder's name may hold blanks.
    path.split(' ').all(|part| part.is_empty() || is_path(part)).then_some(path)?;
    (!path.is_empty()).then(|| format!("{scheme}:{path}"))
}

/// `user:password@protocol(address)/database?options` and `user/password@//host:port/service`
fn behind_user(text: &str) -> Option<String> {
    let (before, target) = text.rsplit_once('@')?;
    // With two of them, a password holds one, and what stands behind the last may be its end.
    if before.contains('@') {
        return None;
    }
    if let Some(service) = target.strip_prefix("//") {
        let (host, service) = service.split_once('/').unwrap_or((service, ""));
        HostPort::parse(host)?;
        return Some(if is_database(service) { format!("//{host}/{service}") } else { format!("//{host}") });
    }
    let (protocol, rest) = target.split_once('(')?;
    let (address, rest) = rest.split_once(')')?;
    let is_address = match protocol {
        "tcp" | "tcp4" | "tcp6" => HostPort::parse(address).is_some(),
        "unix" => is_socket_path(address),
        _ => false,
    };
    let database = rest.strip_prefix('/')?.split('?').next().unwrap_or_default();
    is_address.then(|| {
        if is_database(database) {
            format!("{protocol}({address})/{database}")
        } else {
            format!("{protocol}({address})/")
        }
    })
}

/// `host:port[,host:port…][,key=value…]`
fn from_host_first(text: &str) -> Option<String> {
    let hosts: Vec<&str> = text.split(',').map_while(|part| with_port(part.trim_ascii())).collect();
    (!hosts.is_empty()).then(|| hosts.join(","))
}

/// `key=value;key=value` and `key=value key = value`
fn from_pairs(text: &str) -> Option<String> {
    let separator = if text.contains(';') { ';' } else { ' ' };
    let mut kept = String::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let Some(kind) = Known::of(key.trim_ascii()) else { break };
        let after = after.trim_ascii_start();
        let end = match separator {
            ';' => after.find(';'),
            _ => after.find(|c: char| c.is_ascii_whitespace()),
        };
        let value = after[..end.unwrap_or(after.len())].trim_ascii();
        if memchr3(b'"', b'\'', b'\\', value.as_bytes()).is_some() || value.contains(['{', '}', '=']) {
            break;
        }
        match kind {
            Known::Kept(is_valid) if is_valid(value) => {
                if !kept.is_empty() {
                    kept.push(separator);
                }
                kept.push_str(key.trim_ascii());
                kept.push('=');
                kept.push_str(value);
            }
            // Not kept, and no reason to stop.
            _ if is_database(value) => {}
            _ => break,
        }
        let Some(end) = end else { break };
        rest = after[end..].trim_start_matches(|c: char| c == separator || c.is_ascii_whitespace());
    }
    (!kept.is_empty()).then_some(kept)
}

/// A key that is known, whose value ends where a simple word does.
enum Known {
    /// Kept, if the value is what it should be.
    Kept(fn(&str) -> bool),
    /// Left out.
    LeftOut,
}

impl Known {
    fn of(key: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        const LEFT_OUT: &[&str] = &[
            "password",
            "pwd",
            "application_name",
            "application name",
            "app",
            "sslmode",
            "ssl mode",
            "encrypt",
            "connect_timeout",
            "trusted_connection",
            "pooling",
        ];
        if is(&["host", "hostaddr", "server", "data source", "datasource", "addr", "address"]) {
            Some(Self::Kept(|value| are_hosts(value) || is_windows_host(value)))
        } else if is(&["port"]) {
            Some(Self::Kept(|value| !value.is_empty() && is_port(value)))
        } else if is(&[
            "dbname",
            "database",
            "databasename",
            "initial catalog",
            "user",
            "user id",
            "uid",
            "username",
        ]) {
            Some(Self::Kept(is_database))
        } else {
            is(LEFT_OUT).then_some(Self::LeftOut)
        }
    }
}

/// Returns whether there is nothing but hosts, with or without ports, and commas.
fn are_hosts(text: &str) -> bool {
    text.split(',').all(|host| HostPort::parse(host).is_some())
}

/// A host with its port; a word alone could be anything.
fn with_port(text: &str) -> Option<&str> {
    HostPort::parse(text).filter(|host| !host.port.is_empty()).map(|host| host.whole)
}

/// `tcp:host,1433`, `host\instance` and `(local)`, as SQL Server's drivers write them.
fn is_windows_host(text: &str) -> bool {
    let text = text.strip_prefix("tcp:").unwrap_or(text);
    text == "(local)"
        || match text.split_once(',') {
            Some((host, port)) => HostPort::parse(host).is_some() && !port.is_empty() && is_port(port),
            None => false,
        }
}

/// Returns whether a word is what databases, services and users are called.
fn is_database(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$'))
}

/// Schemes that may be kept alone, where the rest is not understood.
fn is_known_scheme(scheme: &str) -> bool {
    const KNOWN: &[&str] = &[
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "redis",
        "rediss",
        "mongodb",
        "mongodb+srv",
        "amqp",
        "amqps",
        "sqlserver",
        "mssql",
        "oracle",
        "clickhouse",
        "nats",
        "kafka",
        "memcached",
        "http",
        "https",
    ];
    KNOWN.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Longest connection string that is read, in bytes. MongoDB's with many hosts take a few hundred.
const MAX_LENGTH: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms_keep_hosts_and_database() {
        for (text, expected) in [
            ("postgres://h/db?user=u&password=hunter2", "postgres://h/db"),
            ("postgres://u:hunter2@h:5432/db", "postgres://h:5432/db"),
            ("postgres://u:hun@ter2@h:5432/db", "postgres://h:5432/db"),
            ("postgresql://h?sslpassword=hunter2", "postgresql://h"),
            ("jdbc:postgresql://bob:hunter2@h/", "jdbc:postgresql://h"),
            ("jdbc:sqlserver://h:1433;databaseName=d;password=hunter2", "jdbc:sqlserver://h:1433"),
            ("sqlserver://h;user=u;password={hunter2;x}", "sqlserver://h"),
            ("redis://h:6379?password=hunter2", "redis://h:6379"),
            ("redis://:hunter2@h:6379/0", "redis://h:6379/0"),
            ("mongodb+srv://u:hunter2@h1,h2:27017/shop?w=1", "mongodb+srv://h1,h2:27017/shop"),
            ("postgres://u:hunter2@[::1]:5432/db", "postgres://[::1]:5432/db"),
            ("postgres://u:hun/ter2@h/db", "postgres://"),
            ("postgres://h/db?password=a@hunter2", "postgres://"),
            ("redis://hun?ter2@h", "redis://"),
            ("sqlite:data/shop.db?key=hunter2", "sqlite:data/shop.db"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("u:hunter2@tcp(127.0.0.1:3306)/db", "tcp(127.0.0.1:3306)/db"),
            ("u:hun(ter2)@unix(/tmp/mysql.sock)/db?x=hunter2", "unix(/tmp/mysql.sock)/db"),
            ("u/hunter2@//h:1521/s", "//h:1521/s"),
            ("h:6379,password=hunter2,ssl=true", "h:6379"),
            ("h1:6379, h2:6379,password=hunter2", "h1:6379,h2:6379"),
            ("127.0.0.1:11211", "127.0.0.1:11211"),
            ("host=h user=u password = hunter2 dbname=d", "host=h user=u dbname=d"),
            ("host=h password=hun,ter2 dbname=d", "host=h"),
            ("host=h password=hun ter2 dbname=d", "host=h"),
            ("host=h\tport=5432\ndbname=d\tpassword=hunter2", "host=h port=5432 dbname=d"),
            ("host = h dbname = d password = 'hunter2 x'", "host=h dbname=d"),
            ("Server=h;Password=\"hunter2;hunter2x\";Database=d", "Server=h"),
            (
                "Server=tcp:h,1433;Initial Catalog=d;User Id=u;Pwd=hunter2",
                "Server=tcp:h,1433;Initial Catalog=d;User Id=u",
            ),
            ("Data Source=h;sslpassword=hunter2", "Data Source=h"),
        ] {
            assert_eq!(connection_string(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for text in [
            "",
            "hunter2",
            "password=hunter2",
            "AccountKey=hunter2==;Server=h",
            "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=hunter2",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2",
            "u/hunter2@alias",
            "u/hun@ter2@//h:1521/s",
            "jdbc:oracle:thin:u/hunter2@h:1521:s",
            "host='h' password=hunter2",
            "what://u:hun/ter2@h",
        ] {
            assert_eq!(connection_string(text), None, "{text}");
        }
    }
}
