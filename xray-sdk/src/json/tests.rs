//! Strings and numbers, compared with what `serde_json` and the standard library say of them.

use std::fmt;

use super::Buffer;
use super::digits::decimal_digits;
use super::escape::{escaped_prefix, first_special, is_plain};
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Buffer)) -> String {
    let mut buffer = Buffer::new();
    write(&mut buffer);
    buffer.as_str().to_owned()
}

#[test]
fn formatting_ends_when_there_is_no_room_left() {
    struct Endless<'a>(&'a std::cell::Cell<u32>);
    impl fmt::Display for Endless<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                self.0.set(self.0.get() + 1);
                f.write_str("0123456789")?;
            }
        }
    }
    let (mut out, pieces) = (Buffer::new(), std::cell::Cell::new(0));
    assert!(out.put_display_within(Endless(&pieces), 95));
    assert_eq!(pieces.get(), 10);
    assert_eq!(out.as_str().matches("0123456789").count(), 9);
}

#[test]
fn a_value_that_unwraps_the_end_of_its_room_is_cut() {
    struct Unwraps;
    impl fmt::Display for Unwraps {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("0123456789").unwrap();
            f.write_str("0123456789").unwrap();
            Ok(())
        }
    }
    let mut out = Buffer::new();
    assert!(out.put_display_within(Unwraps, 15));
    assert_eq!(out.as_str(), "\"012345678901…\"");
}

proptest! {
    #[test]
    fn strings_read_back_as_they_were(text in any::<String>()) {
        let token = written(|b| b.put_string(&text));
        prop_assert_eq!(serde_json::from_str::<String>(&token).unwrap(), text);
    }

    #[test]
    fn special_bytes_are_found_wherever_they_stand(prefix in "[a-zé]{0,20}", c in "[\\x00-\\x1f\"\\\\]") {
        for tail in ["", "t", "tail", "a long tail"] {
            let (special, plain) = (format!("{prefix}{c}{tail}"), format!("{prefix}{tail}"));
            prop_assert_eq!((is_plain(special.as_bytes()), is_plain(plain.as_bytes())), (false, true));
            prop_assert_eq!(first_special(special.as_bytes()), Some(prefix.len()));
            prop_assert_eq!(first_special(plain.as_bytes()), None);
        }
    }

    #[test]
    fn cut_strings_keep_to_their_bound(text in any::<String>(), max in 1_usize..40) {
        let mut cut = false;
        let token = written(|b| cut = b.put_string_within(&text, max));
        let back: String = serde_json::from_str(&token).unwrap();
        prop_assert!(back.chars().count() <= max);
        prop_assert_eq!(cut, text.chars().count() > max);
        if !cut { prop_assert_eq!(back, text); }
    }

    #[test]
    fn displayed_values_keep_to_their_bound_in_bytes(parts in prop::collection::vec(any::<String>(), 0..5), max in 0_usize..60) {
        struct Parts(Vec<String>);
        impl fmt::Display for Parts {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|part| f.write_str(part))
            }
        }
        let whole = parts.concat();
        let mut cut = false;
        let token = written(|b| cut = b.put_display_within(Parts(parts), max));
        let back: String = serde_json::from_str(&token).unwrap();
        if cut {
            prop_assert!(token.len() <= max.max("…".len()) + 2);
            prop_assert!(whole.starts_with(back.trim_end_matches('…')));
        } else {
            prop_assert_eq!(back, whole);
        }
    }

    #[test]
    fn escaped_text_is_cut_between_tokens(text in any::<String>(), max in 0_usize..40) {
        let token = written(|b| b.put_escaped(&text));
        let keep = escaped_prefix(token.as_bytes(), max);
        prop_assert!(keep <= max);
        let back: String = serde_json::from_str(&format!("\"{}\"", &token[..keep])).unwrap();
        prop_assert!(text.starts_with(&back));
    }

    #[test]
    fn micros_are_exact(micros in 0_u64..20_000_000_000_000_000) {
        let text = written(|b| b.put_micros(micros));
        prop_assert_eq!(text, format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
    }

    #[test]
    fn decimal_digits_are_those_of_the_number(value in 0_u32..100_000_000) {
        let digits = decimal_digits(value);
        prop_assert_eq!(std::str::from_utf8(&digits).unwrap(), format!("{value:08}"));
    }

    #[test]
    fn floats_read_back(value in any::<f64>()) {
        let mut finite = false;
        let text = written(|b| finite = b.put_float(value));
        prop_assert_eq!(finite, value.is_finite());
        if finite { prop_assert_eq!(text.parse::<f64>().unwrap(), value); } else { prop_assert_eq!(text, ""); }
    }
}

#[test]
fn bland_bytes_are_those_that_are_listed() {
    for byte in 0..=u8::MAX {
        let listed = byte == b' ' || byte.is_ascii_alphanumeric() || b",-./[]^_`{|}~".contains(&byte);
        for at in 0..8 {
            let mut text = [b'a'; 8];
            text[at] = byte;
            let is_bland = super::escape::unbland(u64::from_le_bytes(text)) == 0;
            assert_eq!(is_bland, listed, "{byte:#x} at {at}");
        }
    }
}

#[test]
fn plain_paths_have_letters_digits_and_four_signs_and_those_with_a_port_a_colon() {
    for byte in 0..=u8::MAX {
        let listed = byte.is_ascii_alphanumeric() || b"-./_".contains(&byte);
        let listed_with_port = listed || byte == b':';
        for at in 0..21 {
            let mut text = [b'a'; 21];
            text[at] = byte;
            assert_eq!(super::is_plain_path(&text), listed, "{byte:#x} at {at}");
            assert!(at > 6 || super::is_plain_path(&text[..7]) == listed, "{byte:#x} at {at} of seven");
            assert_eq!(super::is_plain_path_or_port(&text), listed_with_port, "{byte:#x} at {at}");
            let end = if b"/:".contains(&byte) { at } else { text.len() };
            assert_eq!(super::end_of_host(&text), end, "{byte:#x} at {at}");
        }
    }
    assert!(super::is_plain_path(b"") && super::end_of_host(b"") == 0);
    assert_eq!(super::end_of_host(b"aaaaaaa//.0/"), 7);
}
