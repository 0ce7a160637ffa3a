//! Keeps the README and the guide true. The README's Rust blocks are this crate's doctests. A block that says
//! `rust,ignore`, because its crates would be too much for a test, has to be part of a program of this folder,
//! or of a test of other people's crates.
#![doc = include_str!("../README.md")]

#[doc = include_str!("../xray-sdk/README.md")]
mod sdk {}

#[cfg(test)]
mod tests {
    const PROGRAMS: [&str; 4] = [
        include_str!("lambda.rs"),
        include_str!("aws_sdk/main.rs"),
        include_str!("../ecosystem/tests/databases.rs"),
        include_str!("../ecosystem/tests/kafka.rs"),
    ];

    const PAGES: [(&str, &str); 4] = [
        ("README.md", include_str!("../README.md")),
        ("guide/lambda.md", include_str!("../xray-tracing-layer/src/guide/lambda.md")),
        ("guide/aws.md", include_str!("../xray-tracing-layer/src/guide/aws.md")),
        ("guide/databases.md", include_str!("../xray-tracing-layer/src/guide/databases.md")),
    ];

    /// The lines, without indentation.
    fn lines(text: &str) -> Vec<&str> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn every_block_that_is_no_doctest_is_part_of_a_program() {
        for (page, text) in PAGES {
            let mut blocks = text.split("```rust,ignore\n").skip(1).peekable();
            assert!(blocks.peek().is_some(), "{page} has no such block: take it out of this list");
            for block in blocks {
                let block = lines(block.split("```").next().unwrap_or_default());
                let is_part =
                    |program: &str| lines(program).windows(block.len()).any(|window| window == block);
                assert!(
                    PROGRAMS.into_iter().any(is_part),
                    "{page} shows what no program has:\n{}",
                    block.join("\n")
                );
            }
        }
    }

    #[test]
    fn no_page_that_is_read_as_it_is_has_lines_for_rustdoc() {
        const READ_AS_THEY_ARE: [(&str, &str); 4] = [
            ("README.md", include_str!("../README.md")),
            ("CONTRIBUTING.md", include_str!("../CONTRIBUTING.md")),
            ("xray-sdk/README.md", include_str!("../xray-sdk/README.md")),
            ("xray-daemon/README.md", include_str!("../xray-daemon/README.md")),
        ];
        for (page, text) in READ_AS_THEY_ARE {
            for block in text.split("```rust").skip(1) {
                let code = block.split("```").next().unwrap_or_default();
                let hidden = code.lines().find(|line| line.trim() == "#" || line.trim().starts_with("# "));
                assert_eq!(hidden, None, "{page} shows a line that only rustdoc hides");
            }
        }
    }

    #[test]
    fn the_readme_is_short() {
        assert!(include_str!("../README.md").lines().count() <= 130);
    }
}
