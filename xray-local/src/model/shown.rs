//! Text as people see it, the same in the terminal and in the console.

/// Reports whether a character turns the order of those around it: the bidirectional controls of Unicode.
fn turns_order(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Replaces characters that turn the order of others by U+FFFD.
#[must_use]
pub fn in_order(text: &str) -> String {
    text.chars().map(|character| if turns_order(character) { '\u{fffd}' } else { character }).collect()
}

/// Writes a noun in the number that a count needs: `document` for 1, `documents` for all others.
#[must_use]
pub fn noun(count: u64, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// Writes a count with its noun: `1 document`, `2 documents`.
#[must_use]
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {}", noun(count, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_else_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "trace")), ["0 traces", "1 trace", "2 traces"]);
    }

    #[test]
    fn no_control_of_the_order_is_left() {
        let controls =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        assert_eq!(in_order(controls), "\u{fffd}".repeat(12));
        assert_eq!(in_order("שלום 注文 a\tb"), "שלום 注文 a\tb");
    }
}
