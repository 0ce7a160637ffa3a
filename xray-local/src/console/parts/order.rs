//! Markup without characters that turn the order of what people read.
//!
//! Text between tags and `title`s loses them, so that a field of a trace looks like what the field holds. Other attributes
//! keep them: values of inputs, lines to copy, and addresses are used as they are.

use maud::Markup;

use crate::model::in_order;

const TITLE: &str = " title=\"";

/// Writes markup with U+FFFD in the place of each bidirectional control that people would see.
pub(in crate::console) fn written(markup: Markup) -> String {
    let markup = markup.into_string();
    let mut rest = markup.as_str();
    let mut out = String::with_capacity(rest.len());
    // `maud` escapes `<`, `>` and quotes in texts and values, so these begin and end nothing but tags.
    while let Some((text, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        out.push_str(&in_order(text));
        out.push('<');
        match tag.split_once(TITLE).and_then(|(before, after)| Some((before, after.split_once('"')?))) {
            Some((before, (title, after))) => {
                out.extend([before, TITLE, &in_order(title), "\"", after]);
            }
            None => out.push_str(tag),
        }
        out.push('>');
        rest = after;
    }
    out.push_str(&in_order(rest));
    out
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::written;

    #[test]
    fn what_is_read_keeps_its_order_and_what_is_used_stays() {
        let field = "a\u{202e}<b> title=\"";
        let shown = written(html! {
            p.x title=(field) lang="en" { (field) }
            input value=(field);
            "\u{2067}"
        });
        let (safe, raw) = ("a\u{fffd}&lt;b&gt; title=&quot;", "a\u{202e}&lt;b&gt; title=&quot;");
        let expected =
            format!("<p class=\"x\" title=\"{safe}\" lang=\"en\">{safe}</p><input value=\"{raw}\">\u{fffd}");
        assert_eq!(shown, expected);
    }
}
