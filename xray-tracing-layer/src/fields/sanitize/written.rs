//! Free text on its way into a document: written first, and looked at where it was written.
//!
//! Most values hold no secret, and then the look is all they cost: no copy, no memory.

use std::fmt;

use xray_sdk::document::MAX_NAME;
use xray_sdk::document::internal::{Buffer, Written, put_name};

use super::free_text::{free_text, may_hold_secret};

/// Appends a string as a JSON string of at most `max` bytes, without the secrets in it. Returns
/// whether the value was cut.
pub(crate) fn put_clean(out: &mut Buffer, text: fmt::Arguments<'_>, max: usize, keep_query: bool) -> bool {
    let start = out.len();
    let cut = out.put_format_within(text, max);
    clean_written(out, start, max, keep_query);
    cut
}

/// Appends a name as X-Ray takes it, without quotes. Returns whether it was cut.
pub(crate) fn put_cut_name(out: &mut Buffer, name: &str) -> Written {
    put_name(out, name);
    // No character takes less than a byte.
    Written::cut_if(name.len() > MAX_NAME && name.chars().nth(MAX_NAME).is_some())
}

/// Removes secrets from the JSON string that was written from `start` on.
#[inline]
pub(crate) fn clean_written(out: &mut Buffer, start: usize, max: usize, keep_query: bool) {
    if may_hold_secret(&out.as_bytes()[start..]) {
        rewrite(out, start, max, keep_query);
    }
}

#[cold]
fn rewrite(out: &mut Buffer, start: usize, max: usize, keep_query: bool) {
    // A string of ours is always one; another is left out.
    let text: String = serde_json::from_slice(&out.as_bytes()[start..]).unwrap_or_default();
    let clean = free_text(&text, keep_query);
    out.truncate(start);
    out.put_display_within(clean, max);
}
