//! reqwest's errors, without the query of the URL that they tell. It may stand anywhere in a chain of sources, inside
//! of a middleware's error for instance, and is reqwest's own text: what can be done is to replace it there.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::iter::successors;

use ::reqwest::Url;
use reqwest_middleware::Error as Failure;
use tracing::Span;

use crate::fields::url::{without_query, without_user};
use crate::span_ext::{XraySpanExt, keeps_query};

/// Notes why a request got no answer.
pub(super) fn note_failure(span: &Span, failure: &Failure) {
    let err: &(dyn Error + 'static) = match failure {
        Failure::Middleware(err) => &**err,
        Failure::Reqwest(err) => err,
    };
    let keep_query = keeps_query(span);
    let url = url_in(err);
    let secret = url.map(|url| {
        let clean = without_user(url.as_str());
        let clean = if keep_query { &clean } else { without_query(&clean) };
        (url.as_str(), clean.to_owned())
    });
    match secret.filter(|(url, clean)| url != clean) {
        Some((url, clean)) => span.record_error(&Clean::of(err, url, &clean)),
        None => span.record_error(err),
    }
}

/// The URL that an error tells, or one of its sources. A middleware's error may stand in the place of the one inside of
/// it, which is no source of it then.
fn url_in<'a>(err: &'a (dyn Error + 'static)) -> Option<&'a Url> {
    chain(err).find_map(|err| match err.downcast_ref() {
        Some(Failure::Middleware(inner)) => url_in(&**inner),
        Some(Failure::Reqwest(inner)) => inner.url(),
        None => err.downcast_ref::<::reqwest::Error>()?.url(),
    })
}

fn chain<'a>(err: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // A chain that is longer may have no end.
    successors(Some(err), |&err| err.source()).take(MAX_CHAIN)
}

/// An error and its sources, in their own words but for a URL.
struct Clean {
    /// The `Debug` form: the layer reads the error's type there.
    kind: String,
    message: String,
    source: Option<Box<Self>>,
}

impl Clean {
    fn of(err: &(dyn Error + 'static), url: &str, clean: &str) -> Self {
        let links: Vec<_> = chain(err).collect();
        let (first, sources) = links.split_first().map_or((err, &[][..]), |(first, rest)| (*first, rest));
        let source =
            sources.iter().rfold(None, |source, err| Some(Box::new(Self::link(*err, url, clean, source))));
        Self::link(first, url, clean, source)
    }

    fn link(err: &(dyn Error + 'static), url: &str, clean: &str, source: Option<Box<Self>>) -> Self {
        let kind = match err.downcast_ref::<io::Error>() {
            Some(err) => format!("{:?}", err.kind()),
            None => format!("{err:?}"),
        };
        Self { kind, message: err.to_string().replace(url, clean), source }
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)
    }
}

impl Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Clean {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// More than anyone reads.
const MAX_CHAIN: usize = 32;
