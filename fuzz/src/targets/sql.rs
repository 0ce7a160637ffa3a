//! SQL statements without their literals. A second pass changes nothing, and a value that stands in quotes is never shown.

use tracing::info_span;

use super::recorded::recorded;
use super::{Target, ensure, text};

pub(super) const TARGET: Target = Target { name: "sql", seeds: SEEDS, words: WORDS, check };

const SEEDS: &[&str] = &[
    "SELECT id FROM orders WHERE customer = 'alice' AND total > 12.50 LIMIT 10",
    "INSERT INTO \"orders\" (id, what) VALUES (7, E'pa\\'per'), ($1, N'x')",
    "UPDATE `orders` SET note = \"it''s\" WHERE id IN (1, 2, 3) -- by hand",
    "/* trace */ SELECT $tag$ body $tag$, q'[x]', 0x1F, 1e-9 FROM t WHERE a = :name AND b = @p1 # end",
    "SELECT 17",
];

const WORDS: &[&str] = &[
    "'", "''", "\"", "`", "\\'", "\\", "--", "/*", "*/", "#", "$$", "$a$", "E'", "q'[", "]'", "N'", "?",
    "$1", ":x", "@p", "(", ")", ",", "IN", "VALUES", " = ", "0x", "1.5e3", "\n", ";", "LIMIT", "LIKE",
];

/// Found in no seed and no word.
const SECRET: &str = "Zq7Zq7";

fn check(input: &[u8]) -> Result<(), String> {
    let statement = text(input);
    // Not more than is kept: where it is cut, the rest may read otherwise.
    let statement: String = statement.chars().take(2000).collect();
    let shown = sanitized(&statement)?;
    ensure(!shown.contains(SECRET), || format!("{shown:?}"))?;
    let again = sanitized(&shown)?;
    ensure(again == shown, || format!("{shown:?} becomes {again:?}"))?;

    // Behind a statement that ends well, a literal is a literal.
    for literal in [
        format!("'{SECRET}'"),
        format!("N'{SECRET}'"),
        format!("'it''s {SECRET}'"),
        format!("E'{SECRET}\\''"),
    ] {
        for frame in
            ["SELECT a FROM t WHERE b = {} AND c = 1", "INSERT INTO t VALUES (1, {}, 2)", "SELECT {} -- x"]
        {
            let whole = format!("{}; {statement}", frame.replace("{}", &literal));
            let shown = sanitized(&whole)?;
            ensure(!shown.contains(SECRET), || format!("{whole:?} is shown as {shown:?}"))?;
        }
    }
    Ok(())
}

fn sanitized(statement: &str) -> Result<String, String> {
    let document = recorded(|| info_span!("query", db.system = "other_sql", db.query.text = statement))?;
    Ok(document["sql"]["sanitized_query"].as_str().unwrap_or_default().to_owned())
}
