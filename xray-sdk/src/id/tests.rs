//! Both ids, read and written: their text forms have no other judge.

use super::*;
use proptest::prelude::*;

#[test]
fn trace_ids_are_read_strictly() {
    let good = TraceId::from(0x66f1_a2b3_0123_4567_89ab_cdef_0123_4567);
    for (text, expected) in [
        ("1-66f1a2b3-0123456789abcdef01234567", Ok(good)),
        ("1-66F1A2B3-0123456789ABCDEF01234567", Ok(good)),
        ("1-00000000-000000000000000000000000", Ok(TraceId::from(0))),
        ("", Err(ParseIdError::Length)),
        ("1-66f1a2b3-0123456789abcdef0123456", Err(ParseIdError::Length)),
        ("1-66f1a2b3-0123456789abcdef012345678", Err(ParseIdError::Length)),
        (" 1-66f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Length)),
        ("2-66f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Form)),
        ("1.66f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Form)),
        ("1-66f1a2b30123456789abcdef-01234567", Err(ParseIdError::Form)),
        ("1-66f1a2b3-0123456789abcdef0123456g", Err(ParseIdError::Digit)),
        ("1-+6f1a2b3-0123456789abcdef01234567", Err(ParseIdError::Digit)),
        ("1-66f1a2b3-0123456789abcdef012345é", Err(ParseIdError::Digit)),
    ] {
        assert_eq!(text.parse::<TraceId>(), expected, "{text:?}");
    }
}

#[test]
fn segment_ids_are_read_strictly() {
    for (text, expected) in [
        ("53995c3f42cd8ad8", Ok(SegmentId::from(0x5399_5c3f_42cd_8ad8))),
        ("53995C3F42CD8AD8", Ok(SegmentId::from(0x5399_5c3f_42cd_8ad8))),
        ("0000000000000000", Ok(SegmentId::from(0))),
        ("53995c3f42cd8ad", Err(ParseIdError::Length)),
        ("53995c3f42cd8ad88", Err(ParseIdError::Length)),
        ("0x995c3f42cd8ad8", Err(ParseIdError::Digit)),
        ("53995c3f42cd8a\u{e9}", Err(ParseIdError::Digit)),
    ] {
        assert_eq!(text.parse::<SegmentId>(), expected, "{text:?}");
    }
}

#[test]
fn w3c_ids_are_the_same_digits() {
    let id: TraceId = "1-66f1a2b3-0123456789abcdef01234567".parse().unwrap();
    assert_eq!(&id.to_w3c(), b"66f1a2b30123456789abcdef01234567");
    assert_eq!(TraceId::from_w3c_hex("66f1a2b30123456789abcdef01234567"), Ok(id));
    assert_eq!(TraceId::from_w3c_hex("66f1a2b3-0123456789abcdef0123456"), Err(ParseIdError::Digit));
    assert_eq!(TraceId::from_w3c_hex(&"0".repeat(32)), Err(ParseIdError::Zero));
    assert_eq!(TraceId::from_w3c_hex("66f1"), Err(ParseIdError::Length));
}

#[test]
fn other_ways_to_read_an_id_agree_with_parsing() {
    assert_eq!(SegmentId::try_from("53995c3f42cd8ad8"), "53995c3f42cd8ad8".parse());
    assert_eq!(TraceId::try_from("1-66f1"), Err(ParseIdError::Length));
}

#[cfg(feature = "serde")]
#[test]
fn ids_are_strings_in_other_documents() {
    let id: TraceId = "1-66f1a2b3-0123456789abcdef01234567".parse().unwrap();
    let json = serde_json::to_string(&(id, SegmentId::from(1))).unwrap();
    assert_eq!(json, r#"["1-66f1a2b3-0123456789abcdef01234567","0000000000000001"]"#);
    assert_eq!(serde_json::from_str::<(TraceId, SegmentId)>(&json).unwrap(), (id, SegmentId::from(1)));
    let err = serde_json::from_str::<SegmentId>("\"x\"").unwrap_err().to_string();
    assert!(err.starts_with("id has the wrong length"), "{err}");
    let err = serde_json::from_str::<SegmentId>("7").unwrap_err().to_string();
    assert!(err.contains("expected a segment id: 16 hex digits"), "{err}");
}

#[test]
fn debug_shows_the_text_form() {
    assert_eq!(format!("{:?}", TraceId::from(1)), "TraceId(1-00000000-000000000000000000000001)");
    assert_eq!(format!("{:?}", SegmentId::from(1)), "SegmentId(0000000000000001)");
    assert_eq!(format!("[{:>18}]", SegmentId::from(1)), "[  0000000000000001]");
}

#[test]
fn trace_ids_carry_the_time_they_were_made_for() {
    for seconds in [0, 1, 0x66f1_a2b3, u32::MAX] {
        let id = TraceId::at(seconds);
        assert_eq!(id.epoch_seconds(), seconds);
        assert_ne!(u128::from(id) << 32, 0);
    }
}

proptest! {
    #[test]
    fn ids_read_back_as_they_were_written(trace in any::<u128>(), segment in any::<u64>()) {
        prop_assert_eq!(TraceId::from(trace).to_string().parse(), Ok(TraceId::from(trace)));
        prop_assert_eq!(TraceId::from(trace).to_string().to_uppercase().parse(), Ok(TraceId::from(trace)));
        prop_assert_eq!(SegmentId::from(segment).to_string().parse(), Ok(SegmentId::from(segment)));
        prop_assert_eq!(SegmentId::from(segment).to_string(), format!("{segment:016x}"));
        if trace != 0 {
            prop_assert_eq!(TraceId::from_w3c_hex(&format!("{trace:032x}")), Ok(TraceId::from(trace)));
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        let _ = (text.parse::<TraceId>(), text.parse::<SegmentId>(), TraceId::from_w3c_hex(&text));
    }
}
