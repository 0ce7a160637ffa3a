//! Statements by the system they are for: SQL in its dialects, and commands of stores that speak none.

use std::fmt;

use super::command::write_command;
use super::dialect::Dialect;
use super::sql::WithoutLiterals;

/// The language of a statement, by `db.system` or `db.system.name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Sql(Dialect),
    /// A command with arguments, or JSON.
    Command,
    /// Not known: SQL if it begins with one of its words.
    Unknown,
}

impl Language {
    /// Returns the language of a system. An unknown name means a command, of which less is kept.
    pub(crate) fn of(system: Option<&str>) -> Self {
        let Some(system) = system.map(str::trim).filter(|system| !system.is_empty()) else {
            return Self::Unknown;
        };
        Self::of_frequent(system).unwrap_or_else(|| Self::of_any(system))
    }

    /// Returns the language of a system that many programs use, in the spelling of the conventions.
    fn of_frequent(system: &str) -> Option<Self> {
        match system {
            "postgresql" => Some(Self::Sql(Dialect::DoubleQuotedNames)),
            "mysql" | "mariadb" => Some(Self::Sql(Dialect::MySql)),
            "sqlite" | "mssql" => Some(Self::Sql(Dialect::Unknown)),
            "redis" | "mongodb" => Some(Self::Command),
            _ => None,
        }
    }

    #[inline(never)]
    fn of_any(system: &str) -> Self {
        let is = |names: &[&str]| names.iter().any(|name| system.eq_ignore_ascii_case(name));
        if is(DOUBLE_QUOTED_NAMES) {
            Self::Sql(Dialect::DoubleQuotedNames)
        } else if is(&["mysql", "mariadb", "tidb", "vitess"]) {
            Self::Sql(Dialect::MySql)
        } else if is(OTHER_SQL) {
            Self::Sql(Dialect::Unknown)
        } else {
            Self::Command
        }
    }
}

/// Displays a statement without the values in it.
pub(crate) struct Sanitized<'a> {
    pub(crate) statement: &'a str,
    pub(crate) language: Language,
}

impl fmt::Display for Sanitized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.language {
            Language::Sql(dialect) => WithoutLiterals { statement: self.statement, dialect }.fmt(f),
            Language::Unknown if begins_as_sql(self.statement) => {
                WithoutLiterals { statement: self.statement, dialect: Dialect::Unknown }.fmt(f)
            }
            Language::Command | Language::Unknown => write_command(self.statement, f),
        }
    }
}

/// Returns whether a statement begins with a word of SQL, a comment or a parenthesis.
fn begins_as_sql(statement: &str) -> bool {
    let text = statement.trim_ascii_start();
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let is = |words: &[&str]| words.iter().any(|word| text[..end].eq_ignore_ascii_case(word));
    text.starts_with(['(', '-', '/', '#'])
        || is(SQL_WORDS)
        // Of others as well: `SET key value`, `EXEC`, `KEYS pattern`.
        || (is(&["SET"]) && text.contains('='))
}

/// Words that SQL statements begin with, and commands of other stores don't.
const SQL_WORDS: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "WITH",
    "CREATE",
    "ALTER",
    "DROP",
    "TRUNCATE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "START",
    "SAVEPOINT",
    "RELEASE",
    "MERGE",
    "REPLACE",
    "CALL",
    "EXECUTE",
    "EXPLAIN",
    "ANALYZE",
    "VACUUM",
    "COPY",
    "GRANT",
    "REVOKE",
    "PRAGMA",
    "ATTACH",
    "DETACH",
    "REINDEX",
    "VALUES",
    "TABLE",
    "DECLARE",
    "FETCH",
    "CLOSE",
    "PREPARE",
    "DEALLOCATE",
    "LISTEN",
    "NOTIFY",
    "UNLISTEN",
    "LOCK",
    "SHOW",
    "USE",
    "LOAD",
    "REFRESH",
    "COMMENT",
    "DO",
    "END",
    "ABORT",
];

/// Systems in which a value never stands in double quotes.
const DOUBLE_QUOTED_NAMES: &[&str] = &[
    "postgresql",
    "postgres",
    "cockroachdb",
    "redshift",
    "aws.redshift",
    "oracle",
    "oracle.db",
    "db2",
    "ibm.db2",
    "h2database",
    "hsqldb",
    "hsql",
    "derby",
    "firebirdsql",
    "firebird",
    "snowflake",
    "trino",
    "presto",
];

/// Systems that speak SQL, or a language that quotes as SQL does, in which `"…"` may be a value.
const OTHER_SQL: &[&str] = &[
    "other_sql",
    "sqlite",
    "mssql",
    "microsoft.sql_server",
    "mssqlcompact",
    "clickhouse",
    "hive",
    "spanner",
    "gcp.spanner",
    "cassandra",
    "teradata",
    "sybase",
    "informix",
    "ibm.informix",
    "sap.hana",
    "hanadb",
    "maxdb",
    "sap.maxdb",
    "ingres",
    "actian.ingres",
    "netezza",
    "ibm.netezza",
    "vertica",
    "duckdb",
    "adabas",
    "cloudscape",
    "edb",
    "pervasive",
    "pointbase",
    "progress",
    "interbase",
    "instantdb",
    "coldfusion",
    "filemaker",
    "cache",
    "intersystems_cache",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_systems_are_in_the_lists() {
        for system in ["postgresql", "mysql", "mariadb", "sqlite", "mssql", "redis", "mongodb"] {
            assert_eq!(Language::of_frequent(system), Some(Language::of_any(system)), "{system}");
        }
    }

    #[test]
    fn a_system_says_how_its_statements_are_read() {
        for (system, statement, expected) in [
            (Some("postgresql"), r#"select "a" from t where b = 'x'"#, r#"select "a" from t where b = ?"#),
            (Some("MySQL"), r#"select "a" from t"#, "select ? from t"),
            (Some("sqlite"), r#"select "a" from t"#, "select ? from t"),
            (Some("redis"), "SET user hunter2", "SET ? ?"),
            (Some("memcached"), "set user 0 0 7", "set ? ? ? ?"),
            (Some("mongodb"), r#"{"find":"users"}"#, r#"{"find":?}"#),
            (
                Some("elasticsearch"),
                r#"{"query":{"match":{"user":"x"}}}"#,
                r#"{"query":{"match":{"user":?}}}"#,
            ),
            (Some("aws.dynamodb"), "SELECT * FROM t WHERE a = 'x'", "SELECT ? ? ? ? ? ? ?"),
            (Some("somedb"), "FIND user hunter2", "FIND ? ?"),
            (None, "SET user hunter2", "SET ? ?"),
            (None, "set a = 'x'", "set a = ?"),
            (None, "select 'x'", "select ?"),
            (None, "/* a */ select 'x'", "select ?"),
            (Some(" "), "hunter2", ""),
        ] {
            let sanitized = Sanitized { statement, language: Language::of(system) };
            assert_eq!(sanitized.to_string(), expected, "{system:?}: {statement}");
        }
    }
}
