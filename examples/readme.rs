//! Keeps the README true: its Rust blocks are this crate's doctests. The Lambda block, which needs the feature
//! `lambda`, is held against the program that is built with it.
#![doc = include_str!("../README.md")]

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_shows_the_lambda_function_that_is_built() {
        let readme = include_str!("../README.md");
        let (_, program) = include_str!("lambda.rs").split_once("\n\n").unwrap();
        assert!(readme.contains(&format!("```rust,ignore\n{program}```")), "{program}");
    }
}
