//! Members that are strings, as far as they are known.

use crate::document::internal::{Body, Key, Section};

pub(super) fn put_strings(body: &mut Body, section: Section, members: &[(Key<'_>, Option<&str>)]) {
    for (key, value) in members {
        if let Some(value) = value {
            body.put_str(section, 0, *key, value);
        }
    }
}
