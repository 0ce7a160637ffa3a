//! Statements of all dialects, and what is left of them.

use super::WithoutLiterals;
use crate::fields::sanitize::dialect::Dialect;
use proptest::prelude::*;
use xray_sdk::document::MAX_VALUE;

fn without_literals(text: &str) -> String {
    sanitized(Dialect::Unknown, text)
}

fn sanitized(dialect: Dialect, statement: &str) -> String {
    WithoutLiterals { statement, dialect }.to_string()
}

#[test]
fn literals_go_and_everything_else_stays() {
    for (given, kept) in [
        ("select id from t1 where c2 = $1 and d = ?", "select id from t1 where c2 = $1 and d = ?"),
        (
            "where a = :a and b = @p1 and c = ?1 and d = :12",
            "where a = :a and b = @p1 and c = ?1 and d = :12",
        ),
        ("where a = '' and b = 'x' and c = 'it''s'", "where a = ? and b = ? and c = ?"),
        (r"where a = E'it\'s \\' and b = e'\\\''", "where a = ? and b = ?"),
        ("where a = N'x' and b = X'ff' and c = _utf8'x'", "where a = ? and b = ? and c = _utf8?"),
        ("values ($12.50, $1,234.56, £5, 0xDEADBEEF)", "values (?, $1,?, £?, ?)"),
        ("create user u identified by hunter2", "create user u identified by ?"),
        ("alter role u with password hunter2; select a", "alter role u with password ?; select a"),
        ("set password = hunter2", "set password = ?"),
        ("PRAGMA key = hunter2", "PRAGMA key ?…"),
        ("PRAGMA table_info(t)", "PRAGMA table_info?…"),
        ("PRAGMA foreign_keys", "PRAGMA foreign_keys"),
        ("COPY t (a, b) FROM stdin;\nalice\t4", "COPY t (a, b) FROM stdin?…"),
        ("COPY t FROM STDIN", "COPY t FROM STDIN"),
        ("where d = DATE'2020-01-01'", "where d = DATE?"),
        ("where a = q'[it's]' and b = nq'!x!'", "where a = ? and b = ?"),
        ("do $$ begin 'x' end $$, $f$ $$ $f$", "do ?, ?"),
        ("limit 10 offset 0x1F", "limit ? offset ?"),
        ("x = -1.5e-10 + .5 - 1_000", "x = -? + .? - ?"),
        ("t1.c2 = a1 - b2$3", "t1.c2 = a1 - b2$3"),
        ("x::int4 = y::varchar(10)", "x::int4 = y::varchar(?)"),
        ("x = $4111111111111111 or y = :4111111111111111", "x = $? or y = :?"),
        ("select 1 -- for 'alice'\nfrom t", "select ?  \nfrom t"),
        ("select /* 'a' /* nested */ it's */ x", "select   x"),
        ("select /*+ hint */ x # it's\n, y", "select   x  \n, y"),
        ("select a #> '{x}', b #>> $1", "select a #> ?, b #>> $1"),
        ("select a/b, a-b, a - -b", "select a/b, a-b, a - -b"),
        ("[Order Details].[Id] = 'x' and arr[1]", "[Order Details].[Id] = ? and arr[?]"),
        ("where größe = 'ü' und preis = 5€", "where größe = ? und preis = ?€"),
        ("/* shop.rs:7 */ select a", "select a"),
        ("", ""),
    ] {
        assert_eq!(without_literals(given), kept, "{given}");
    }
}

#[test]
fn text_in_double_quotes_is_a_name_only_where_no_value_can_stand() {
    for (given, kept) in [
        (
            r#"SELECT "cake"."id" FROM "cake" WHERE "cake"."id" = $1"#,
            r#"SELECT "cake"."id" FROM "cake" WHERE "cake"."id" = $1"#,
        ),
        (r#"JOIN "b" ON "a"."id" = "b"."a_id""#, r#"JOIN "b" ON "a"."id" = "b"."a_id""#),
        (
            r#"UPDATE "t" SET "a" = ?, "b" = ? WHERE "c" <> ?"#,
            r#"UPDATE "t" SET "a" = ?, "b" = ? WHERE ? <> ?"#,
        ),
        (r#"UPDATE t SET a = concat("x", "y"), "b" = "z""#, r#"UPDATE t SET a = concat(?, ?), "b" = ?"#),
        (
            r#"INSERT INTO "t" ("a", "b") VALUES ("x", 1), ("y", 2) ON CONFLICT ("a") DO NOTHING"#,
            r#"INSERT INTO "t" ("a", "b") VALUES (?, ?), (?, ?) ON CONFLICT (?) DO NOTHING"#,
        ),
        (r#"where a = "alice" and "b" = ("bob")"#, r#"where a = ? and ? = (?)"#),
        (
            r#"where a in ("x", "y") and b in (select "c" from "t")"#,
            r#"where a in (?, ?) and b in (select ? from "t")"#,
        ),
        (r#"select trim(leading "x" from "y")"#, r#"select trim(leading ? from ?)"#),
        (r#"select 1 where a is distinct from "y""#, r#"select ? where a is distinct from ?"#),
        (r#"select "a@example.com", "it's", "4111""#, "select ?, ?, ?"),
        (r#"select "alice" from `t`"#, "select ? from `t`"),
        (r#"select MD5("hunter2")"#, "select MD5(?)"),
        (r#"CREATE USER u IDENTIFIED BY "hunter2""#, "CREATE USER u IDENTIFIED BY ?"),
        (r#"SELECT 1 WHERE (a, b) = ("a", "b")"#, "SELECT ? WHERE (a, b) = (?, ?)"),
        (
            r#"where a = _utf8"x" and b = BINARY "x" and c = x"ff""#,
            "where a = _utf8? and b = BINARY ? and c = x?",
        ),
        (r#"PRAGMA key("x")"#, "PRAGMA key?…"),
        (r#"ATTACH 'f' AS d KEY "x""#, "ATTACH ? AS d KEY ?"),
        ("select `a``b`, `x'y`", "select `?`, `?`"),
    ] {
        assert_eq!(without_literals(given), kept, "{given}");
    }
}

#[test]
fn a_dialect_says_what_double_quotes_are() {
    for (dialect, given, kept) in [
        (Dialect::MySql, r#"select MD5("hunter2"), "a"."b" from "t""#, "select MD5(?), ?.? from ?"),
        (Dialect::MySql, r#"where a = "it\"s hunter2" and b = 1"#, "where a = ? and b = ?"),
        (
            Dialect::DoubleQuotedNames,
            r#"UPDATE "t" SET "a" = $1 WHERE "c" <> $12345"#,
            r#"UPDATE "t" SET "a" = $1 WHERE "c" <> $12345"#,
        ),
        (
            Dialect::DoubleQuotedNames,
            r#"ALTER USER u IDENTIFIED BY "hunter2""#,
            "ALTER USER u IDENTIFIED BY ?",
        ),
        (Dialect::DoubleQuotedNames, r#"select "it's alice""#, "select ?"),
    ] {
        assert_eq!(sanitized(dialect, given), kept, "{given}");
    }
}

#[test]
fn where_dialects_disagree_nothing_more_is_shown() {
    for (given, kept) in [
        (r"where path = 'C:\' and name = 'alice'", "where path = ?…"),
        (r"where name = 'it\'s alice' and x = 'y'", "where name = ?…"),
        (r"where path = 'C:\\' and x = 1", "where path = ? and x = ?"),
        ("where name = 'alice", "where name = ?…"),
        (r#"where name = "alice"#, "where name = ?…"),
        ("do $x$ alice", "do ?…"),
        ("select /* alice", "select  "),
        ("select `alice", "select ?…"),
    ] {
        assert_eq!(without_literals(given), kept, "{given}");
    }
}

#[test]
fn a_megabyte_costs_no_more_than_what_is_kept() {
    let bulk = format!("insert into t values {}", "('alice', 1), ".repeat(100_000));
    let kept = without_literals(&bulk);
    assert!(kept.len() > MAX_VALUE && kept.len() < MAX_VALUE + 100);
}

/// Pieces of which SQL is made, and which it is broken by.
fn sql() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "select ",
        "from ",
        "in ",
        "values ",
        "between ",
        "and ",
        "like ",
        "t1",
        "é",
        "…",
        "e",
        "N",
        "q",
        " ",
        "\n",
        "'",
        "''",
        "\\",
        "\"",
        "\"a\"",
        "`",
        "`a`",
        "$",
        "$$",
        "$a$",
        "$1",
        "?",
        ":a",
        "::",
        "@",
        "1",
        "0x1F",
        "1e-5",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "=",
        "<>",
        "||",
        "-",
        "--",
        "#",
        "#>",
        "/*",
        "*/",
        "/",
        "*",
        "secret",
        "insert into ",
        "set ",
        "update ",
        ";",
        "pragma ",
        "copy ",
        "stdin ",
        "identified by ",
        "password ",
        "_utf8",
        "$1.5",
        "distinct ",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn once_is_enough_for_anything(text in any::<String>()) {
        let once = without_literals(&text);
        prop_assert_eq!(without_literals(&once), once.clone());
    }

    #[test]
    fn once_is_enough_in_each_dialect(text in sql()) {
        for dialect in [Dialect::MySql, Dialect::DoubleQuotedNames] {
            let once = sanitized(dialect, &text);
            prop_assert_eq!(sanitized(dialect, &once), once.clone(), "{}", text);
        }
    }

    #[test]
    fn once_is_enough_for_sql(text in sql()) {
        let once = without_literals(&text);
        prop_assert_eq!(without_literals(&once), once.clone(), "{}", text);
    }

    #[test]
    fn no_string_is_shown_whatever_stands_in_it(secret in "[a-z0-9 ,;=()\"`$#/*-]{0,20}", after in "[a-z =$1]{0,8}") {
        let text = format!("where a = 'S3CRET{secret}' and b = 'S3CRET' {after}");
        let kept = without_literals(&text);
        prop_assert!(!kept.contains("S3CRET"), "{} of {}", kept, text);
        prop_assert!(kept.starts_with("where a = ? and b = ?"), "{} of {}", kept, text);
    }
}
