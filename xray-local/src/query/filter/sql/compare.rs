//! Comparisons of a column with a value, as SQL that can use the column's index.
//!
//! A column that is NULL satisfies no comparison. Strings are compared byte by byte.

use super::super::ast::Value;
use super::super::keyword::Operator;
use super::fragment::Fragment;
use rusqlite::types::Value as SqlValue;

/// `column` is a string.
pub(super) fn strings(column: &str, operator: Operator, value: &str) -> Fragment {
    let mut fragment = Fragment::new(column);
    match operator {
        Operator::Contains | Operator::BeginsWith | Operator::EndsWith if value.is_empty() => {
            fragment.push(" IS NOT NULL");
        }
        Operator::Contains => {
            fragment = Fragment::new("instr(");
            fragment.push(column).push(", ").bind(value.to_owned()).push(") > 0");
        }
        Operator::BeginsWith => {
            fragment.push(" >= ").bind(value.to_owned());
            if let Some(end) = after_prefix(value) {
                fragment.push(" AND ").push(column).push(" < ").bind(end);
            }
        }
        Operator::EndsWith => {
            // Over bytes, since `length` and negative positions of strings stop at a NUL.
            fragment = Fragment::new("substr(CAST(");
            fragment.push(column).push(" AS BLOB), ").bind(-(value.len() as i64)).push(") = ");
            fragment.bind(SqlValue::Blob(value.as_bytes().to_vec()));
        }
        _ => {
            fragment.push(&sql_operator(operator)).bind(value.to_owned());
        }
    }
    fragment
}

/// The smallest string that is greater than all strings with this prefix.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            '\u{10ffff}' => None,
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// `column` is a number.
pub(super) fn numbers(column: &str, operator: Operator, value: f64) -> Fragment {
    let mut fragment = Fragment::new(column);
    fragment.push(&sql_operator(operator)).bind(value);
    fragment
}

/// `column` holds microseconds; `seconds` is compared with them as they are shown, rounded to the millisecond.
pub(super) fn micros(column: &str, operator: Operator, seconds: f64) -> Fragment {
    let seconds = seconds.clamp(-LONGEST, LONGEST);
    // The last millisecond below `seconds`, and the first above.
    let near = (seconds * 1_000.0).round() as i64;
    let shown = |milliseconds: i64| milliseconds as f64 / 1_000.0;
    let below = (near - 2..=near + 2).rev().find(|&at| shown(at) < seconds).unwrap_or(near - 3);
    let above = (near - 2..=near + 2).find(|&at| shown(at) > seconds).unwrap_or(near + 3);
    let exact = (below + 1 < above).then_some(below + 1);
    let first = |milliseconds: i64| milliseconds * 1_000 - 500;
    let last = |milliseconds: i64| milliseconds * 1_000 + 499;
    let mut fragment = Fragment::new(column);
    match (operator, exact) {
        (Operator::Equal, Some(exact)) => {
            fragment.push(" BETWEEN ").bind(first(exact)).push(" AND ").bind(last(exact));
        }
        (Operator::NotEqual, Some(exact)) => {
            fragment.push(" NOT BETWEEN ").bind(first(exact)).push(" AND ").bind(last(exact));
        }
        (Operator::Equal, None) => fragment = Fragment::new("0"),
        (Operator::NotEqual, None) => {
            fragment.push(" IS NOT NULL");
        }
        (Operator::Less, _) | (Operator::LessOrEqual, None) => {
            fragment.push(" <= ").bind(last(below));
        }
        (Operator::LessOrEqual, Some(exact)) => {
            fragment.push(" <= ").bind(last(exact));
        }
        (Operator::GreaterOrEqual, Some(exact)) => {
            fragment.push(" >= ").bind(first(exact));
        }
        // Greater, and operators of strings, which the parser lets no number have.
        _ => {
            fragment.push(" >= ").bind(first(above));
        }
    }
    fragment
}

/// Compares the share at a position of `tc.coverage`: two bytes, big-endian thousandths, which compare as bytes in the
/// order of their numbers. A position beyond the end has no bytes, and satisfies no comparison.
pub(super) fn share(position: &str, operator: Operator, value: f64) -> Fragment {
    let share = |thousandths: u32| f64::from(thousandths) / 1_000.0;
    // The first that is not below `value`, and the first above.
    let (mut first, mut end) = (0, SHARES);
    while first < end {
        let middle = first.midpoint(end);
        if share(middle) < value { first = middle + 1 } else { end = middle }
    }
    let is_exact = first < SHARES && share(first) == value;
    let above = first + u32::from(is_exact);
    let (comparison, with) = match operator {
        Operator::Equal if is_exact => (" = ", first),
        Operator::NotEqual if is_exact => (" != ", first),
        Operator::Equal => (" < ", 0),
        Operator::NotEqual => (" >= ", 0),
        Operator::Less => (" < ", first),
        Operator::LessOrEqual => (" < ", above),
        Operator::GreaterOrEqual => (" >= ", first),
        // Greater, and operators of strings, which the parser lets no number have.
        _ => (" >= ", above),
    };
    // Three bytes for the number above all.
    let bytes = u16::try_from(with).map_or_else(|_| vec![0xff, 0xff, 0], |with| with.to_be_bytes().to_vec());
    let at = format!("substr(tc.coverage, 2 * {position} + 1, 2)");
    let mut fragment = Fragment::new("(");
    fragment.push(&at).push(comparison).bind(SqlValue::Blob(bytes));
    // No bytes are less than any.
    if matches!(comparison, " < " | " != ") {
        fragment.push(" AND ").push(&at).push(" != x''");
    }
    std::mem::take(fragment.push(")"))
}

/// `kind` and `value` are those of an annotation. A comparison with another type is false, `!=` excepted.
pub(super) fn annotation(kind: &str, value: &str, operator: Operator, with: &Value) -> Fragment {
    let (number, compared) = match with {
        Value::Bool(flag) => (0, numbers_equal(value, i64::from(*flag))),
        Value::Number(with) if operator == Operator::NotEqual => (1, numbers(value, Operator::Equal, *with)),
        Value::Number(with) => (1, numbers(value, operator, *with)),
        Value::String(with) if operator == Operator::NotEqual => (2, strings(value, Operator::Equal, with)),
        Value::String(with) => (2, strings(value, operator, with)),
    };
    let mut fragment = Fragment::new(if operator == Operator::NotEqual { "NOT (" } else { "(" });
    fragment.push(kind).push(&format!(" = {number} AND ")).append(compared).push(")");
    fragment
}

fn numbers_equal(column: &str, value: i64) -> Fragment {
    let mut fragment = Fragment::new(column);
    fragment.push(" = ").bind(value);
    fragment
}

fn sql_operator(operator: Operator) -> String {
    format!(" {} ", operator.as_str())
}

/// The number of shares that two bytes can state.
const SHARES: u32 = 65_536;

/// Seconds beyond which no time lies.
const LONGEST: f64 = 1e12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Length;

    #[test]
    fn times_compare_as_they_are_shown() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let operators = [
            (Operator::Equal, (|a, b| a == b) as fn(f64, f64) -> bool),
            (Operator::NotEqual, |a, b| a != b),
            (Operator::Less, |a, b| a < b),
            (Operator::LessOrEqual, |a, b| a <= b),
            (Operator::Greater, |a, b| a > b),
            (Operator::GreaterOrEqual, |a, b| a >= b),
        ];
        for seconds in [0.0, 0.001, 0.0005, 0.29, 0.57, 1.001, 2.5, 0.2995, -1.0, 1e300, 0.290_000_1] {
            for us in [0, 1, 499, 500, 800, 289_499, 289_500, 290_000, 290_499, 290_500, 570_000, 2_500_000] {
                for (operator, naive) in operators {
                    let fragment = micros("x.us", operator, seconds);
                    let sql = format!("SELECT ({}) IS TRUE", fragment.sql);
                    let sql = format!("{sql} FROM (SELECT {us} AS us) x");
                    let found: bool = connection
                        .query_row(&sql, rusqlite::params_from_iter(&fragment.params), |row| row.get(0))
                        .unwrap();
                    let shown = Length(us).rounded_seconds();
                    assert_eq!(found, naive(shown, seconds), "{shown} {} {seconds}", operator.as_str());
                }
            }
        }
    }

    #[test]
    fn shares_compare_as_numbers() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let operators = [
            (Operator::Equal, (|a, b| a == b) as fn(f64, f64) -> bool),
            (Operator::NotEqual, |a, b| a != b),
            (Operator::Less, |a, b| a < b),
            (Operator::LessOrEqual, |a, b| a <= b),
            (Operator::Greater, |a, b| a > b),
            (Operator::GreaterOrEqual, |a, b| a >= b),
        ];
        for value in [-1.0, 0.0, 0.001, 0.0015, 0.29, 0.57, 0.99, 1.0, 1.001, 65.535, 65.536, 1e300] {
            for thousandths in [0_u16, 1, 2, 255, 256, 289, 290, 570, 990, 1_000, 65_535] {
                for (operator, naive) in operators {
                    let fragment = share("x.position", operator, value);
                    let mut coverage = vec![7, 7];
                    coverage.extend(thousandths.to_be_bytes());
                    for (position, expected) in
                        [(1, naive(f64::from(thousandths) / 1_000.0, value)), (2, false)]
                    {
                        let sql = format!(
                            "SELECT {} FROM (SELECT ? AS coverage) tc, (SELECT {position} AS position) x",
                            fragment.sql
                        );
                        let params =
                            fragment.params.iter().cloned().chain([SqlValue::Blob(coverage.clone())]);
                        let found: bool = connection
                            .query_row(&sql, rusqlite::params_from_iter(params), |row| row.get(0))
                            .unwrap();
                        assert_eq!(
                            found,
                            expected,
                            "{thousandths} {} {value} at {position}",
                            operator.as_str()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_prefix_ends_before_the_next_string() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
    }
}
