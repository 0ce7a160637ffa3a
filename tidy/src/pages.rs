//! Pages in Markdown: words that have plainer ones, and lines that are too long to be compared.
//!
//! Only prose is looked at: no code, and no tables. A line with an address of the web is as long as it has to be.

use crate::findings::Findings;
use crate::prose;

/// Characters of a line of prose.
const MAX_LINE: usize = 125;

/// Finds words of a page that have plainer ones, and lines of prose that are too long.
#[must_use]
pub fn unclear_page(name: &str, text: &str) -> Findings {
    let mut wrong = Vec::new();
    let mut is_code = false;
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        if is_code {
            continue;
        }
        wrong.extend(prose::banned(line).map(|word| format!("{name}, line {number}: {word:?}")));
        let length = line.chars().count();
        if length > MAX_LINE && !line.starts_with('|') && !line.contains("https://") {
            wrong.push(format!("{name}, line {number}: {length} characters, at most {MAX_LINE}"));
        }
    }
    Findings::new(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_looked_at_and_code_and_tables_are_not() {
        let long = "x ".repeat(70);
        let text = format!(
            "Whoever reads.\n```text\nwhoever {long}\n```\n| {long} |\nhttps://x.example {long}\n{long}"
        );
        let findings = unclear_page("page.md", &text);
        findings.assert_contains("page.md, line 1: \"whoever\"");
        findings.assert_contains("page.md, line 7: 140 characters, at most 125");
        for line in 2..7 {
            assert!(!findings.contains(&format!("line {line}")), "{findings:?}");
        }
    }
}
