//! A source text without its comments and its tests.
//!
//! By lines, as rustfmt writes them: an item ends with a line that closes it at its own indentation.

/// The text before the file's unit tests, or before the module of its tests at its end.
pub(crate) fn without_tests(text: &str) -> &str {
    let end = text.find("#[cfg(test)]\nmod tests {").or_else(|| {
        let is_last = text.trim_end().ends_with("mod tests;");
        text.rfind("#[cfg(test)]\n").filter(|_| is_last)
    });
    end.map_or(text, |end| &text[..end])
}

/// The lines of code of a text: without comments, and without items that only tests use.
pub(crate) fn code(text: &str) -> Vec<&str> {
    let mut code = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            code.push(line);
            continue;
        }
        let mut item = lines.by_ref().skip_while(|line| line.trim_start().starts_with("#["));
        let first = item.next().unwrap_or_default();
        if first.ends_with('{') {
            let indentation = &first[..first.len() - first.trim_start().len()];
            item.find(|line| line.strip_prefix(indentation).is_some_and(|rest| rest.starts_with('}')));
        } else if !first.ends_with([';', '}']) {
            item.find(|line| line.ends_with(';'));
        }
    }
    code
}
