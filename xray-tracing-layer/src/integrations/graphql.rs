//! GraphQL: a subsegment for each operation that an async-graphql schema runs.
//!
//! All operations of a server share one URL and, as a rule, the status 200. The name of the operation and its
//! errors distinguish them. No value of a variable is recorded.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextPrepareRequest, NextRequest,
    NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{PathSegment, Request, Response, ServerError, ServerResult, ValidationResult, Variables};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::layer::find::update;

/// An extension of async-graphql that makes each operation a subsegment, such as `query Orders`.
///
/// | in X-Ray | from |
/// |---|---|
/// | name | the operation's type and name; `query` alone for one without a name |
/// | annotations `graphql.operation.name`, `graphql.operation.type` | the same |
/// | `fault` | an error of a resolver, with its path |
/// | `error` | a request that can't be parsed, or that the schema does not allow |
///
/// Subscriptions are not recorded: they last as long as their connection.
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use xray_tracing_layer::XrayGraphqlExtension;
///
/// struct Query;
///
/// #[Object]
/// impl Query {
///     async fn orders(&self) -> u32 {
///         7
///     }
/// }
///
/// let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
///     .extension(XrayGraphqlExtension)
///     .finish();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct XrayGraphqlExtension;

impl ExtensionFactory for XrayGraphqlExtension {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Operation::default())
    }
}

/// One request. The extension is made anew for each.
#[derive(Debug, Default)]
struct Operation {
    /// The name that the request asks for: one document may hold several operations.
    asked: OnceLock<String>,
    /// Type and name of the operation, if the document has it. Set once the document is parsed.
    parsed: OnceLock<Option<(String, Option<String>)>>,
    /// Set once the schema has accepted the document.
    accepted: OnceLock<()>,
}

#[async_trait::async_trait]
impl Extension for Operation {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let span = info_span!(
            target: "xray_tracing_layer::graphql",
            "graphql",
            otel.name = Empty,
            annotation.graphql.operation.name = Empty,
            annotation.graphql.operation.type = Empty,
        );
        let response = next.run(ctx).instrument(span.clone()).await;
        self.name(&span);
        for err in &response.errors {
            self.note_error(&span, err);
        }
        response
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let request = next.run(ctx, request).await?;
        if let Some(name) = &request.operation_name {
            let _ = self.asked.set(name.clone());
        }
        Ok(request)
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        let mut operations = document.operations.iter();
        let found = match self.asked.get() {
            Some(asked) => operations.find(|(name, _)| name.is_some_and(|name| name.as_str() == asked)),
            None => operations.next(),
        };
        let operation =
            found.map(|(name, operation)| (operation.node.ty.to_string(), name.map(ToString::to_string)));
        let _ = self.parsed.set(operation);
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        let _ = self.accepted.set(());
        Ok(result)
    }
}

impl Operation {
    fn name(&self, span: &Span) {
        let Some(Some((kind, name))) = self.parsed.get() else { return };
        span.record("annotation.graphql.operation.type", kind);
        match name {
            Some(name) => {
                span.record("annotation.graphql.operation.name", name);
                span.record("otel.name", format!("{kind} {name}"));
            }
            None => {
                span.record("otel.name", kind);
            }
        }
    }

    fn note_error(&self, span: &Span, err: &ServerError) {
        update(span, |body| {
            let has_operation = matches!(self.parsed.get(), Some(Some(_)));
            if !has_operation || self.accepted.get().is_none() {
                body.unredacted().set_error();
            }
            // A syntax error's message quotes the document, with the values in it.
            let message = if self.parsed.get().is_some() { text(err) } else { place(err) };
            body.add_failure("async_graphql::ServerError", &message);
        });
    }
}

/// Returns where a document can't be read.
fn place(err: &ServerError) -> String {
    match err.locations.first() {
        Some(at) => format!("the document can't be read at line {}, column {}", at.line, at.column),
        None => "the document can't be read".to_owned(),
    }
}

/// Returns an error's message behind the path of the field that failed: `orders.3.total: no price`.
fn text(err: &ServerError) -> String {
    let mut text = String::new();
    for (index, segment) in err.path.iter().enumerate() {
        let separator = if index == 0 { "" } else { "." };
        let _ = match segment {
            PathSegment::Field(name) => write!(text, "{separator}{name}"),
            PathSegment::Index(index) => write!(text, "{separator}{index}"),
        };
    }
    if !text.is_empty() {
        text.push_str(": ");
    }
    text.push_str(&err.message);
    text
}
