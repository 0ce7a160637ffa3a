//! W3C baggage of a request: `key=value;property,key=value`, with the value percent-encoded
//! (<https://www.w3.org/TR/baggage/>).

use percent_encoding::percent_decode_str;

/// Returns the decoded value of a key: the first one of several. A value that is no UTF-8 is left out.
pub(super) fn value_of(baggage: &str, key: &str) -> Option<String> {
    baggage.split(',').find_map(|member| {
        let member = member.split(';').next().unwrap_or_default();
        let (name, value) = member.split_once('=')?;
        if name.trim_ascii() != key {
            return None;
        }
        percent_decode_str(value.trim_ascii()).decode_utf8().ok().map(Into::into)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_properties_are_not_part_of_them() {
        for (baggage, expected) in [
            ("tenant=blue", Some("blue")),
            ("a=b, tenant = blue%20sky ;ttl=3,tenant=red", Some("blue sky")),
            ("tenant=", Some("")),
            ("tenant=a=b", Some("a=b")),
            ("tenant=%ff", None),
            ("tenant", None),
            ("Tenant=blue", None),
            ("", None),
            (",;=,", None),
        ] {
            assert_eq!(value_of(baggage, "tenant").as_deref(), expected, "{baggage:?}");
        }
    }
}
