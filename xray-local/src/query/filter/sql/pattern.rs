//! Patterns of root causes as conditions over the tables of root causes.

use super::super::keyword::Operator;
use super::super::root_cause::{CausePattern, EntityPattern, ServicePattern};
use super::compare;
use super::fragment::{Fragment, exists};
use crate::model::CauseKind;

/// The condition that a pattern matches the root cause of a row `tc`.
pub(super) fn condition(pattern: &CausePattern) -> Fragment {
    let mut conditions = Vec::new();
    if pattern.client_impacting == Some(false) {
        // Every path begins at the root segment, so the client felt each root cause.
        conditions.push(Fragment::new("0"));
    }
    if let Some(services) = &pattern.services {
        conditions.push(count("cause_services c WHERE c.path = tc.path", services.len()));
        conditions
            .extend(services.iter().enumerate().map(|(position, service)| service_of(position, service)));
    }
    Fragment::join(conditions, " AND ", "1")
}

fn service_of(position: usize, pattern: &ServicePattern) -> Fragment {
    let mut conditions = Vec::new();
    conditions.extend(pattern.name.iter().map(|name| compare::strings("c.name", Operator::Equal, name)));
    conditions.extend(pattern.names.iter().map(|names| match &names[..] {
        [name] => compare::strings("c.name", Operator::Equal, name),
        _ => Fragment::new("0"),
    }));
    conditions.extend(
        pattern.kind.iter().map(|kind| compare::strings("coalesce(c.type, '')", Operator::Equal, kind)),
    );
    conditions.extend(
        pattern
            .account
            .iter()
            .map(|account| compare::strings("coalesce(c.account, '')", Operator::Equal, account)),
    );
    conditions.extend(pattern.inferred.iter().map(|inferred| flag("c.inferred", *inferred)));
    if let Some(entities) = &pattern.entities {
        conditions
            .push(count("cause_entities n WHERE n.path = c.path AND n.service = c.service", entities.len()));
        conditions.extend(entities.iter().enumerate().map(|(position, entity)| entity_of(position, entity)));
    }
    let only = Fragment::join(conditions, " AND ", "1");
    exists("cause_services c", &format!("c.path = tc.path AND c.service = {position}"), only)
}

fn entity_of(position: usize, pattern: &EntityPattern) -> Fragment {
    let mut conditions = Vec::new();
    conditions.extend(pattern.name.iter().map(|name| compare::strings("n.name", Operator::Equal, name)));
    conditions.extend(pattern.remote.iter().map(|remote| flag("n.remote", *remote)));
    conditions.extend(
        pattern
            .coverage
            .iter()
            .map(|coverage| compare::numbers("coverage(tc.coverage, n.number)", Operator::Equal, *coverage)),
    );
    if let Some(exceptions) = &pattern.exceptions {
        let of_entity = "x.path = n.path AND x.service = n.service AND x.entity = n.entity";
        // Root causes of response times have no member `Exceptions`.
        let mut has_member = Fragment::new("tc.path IN (SELECT id FROM cause_paths WHERE kind != ");
        has_member.bind(CauseKind::ResponseTime as i64).push(")");
        conditions.push(has_member);
        conditions.push(count(&format!("cause_exceptions x WHERE {of_entity}"), exceptions.len()));
        for (position, exception) in exceptions.iter().enumerate() {
            let name = exception.name.iter().map(|name| compare::strings("x.name", Operator::Equal, name));
            let message = exception
                .message
                .iter()
                .map(|message| compare::strings("x.message", Operator::Equal, message));
            let only = Fragment::join(name.chain(message), " AND ", "1");
            let join = format!("{of_entity} AND x.exception = {position}");
            conditions.push(exists("cause_exceptions x", &join, only));
        }
    }
    let only = Fragment::join(conditions, " AND ", "1");
    let join = format!("n.path = c.path AND n.service = c.service AND n.entity = {position}");
    exists("cause_entities n", &join, only)
}

fn count(from: &str, expected: usize) -> Fragment {
    let mut fragment = Fragment::new("(SELECT count(*) FROM ");
    std::mem::take(fragment.push(from).push(") = ").bind(expected as i64))
}

fn flag(column: &str, value: bool) -> Fragment {
    let mut fragment = Fragment::new(column);
    std::mem::take(fragment.push(" = ").bind(i64::from(value)))
}
