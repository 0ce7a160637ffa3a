//! reqwest's errors, with the URL's query removed.
//!
//! The URL may be anywhere in a chain of sources, for instance inside a middleware's error. It is part of
//! reqwest's message, so it is replaced there.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::iter::successors;

use ::reqwest::Url;
use reqwest_middleware::Error as Failure;
use tracing::Span;

use crate::fields::url::{without_query, without_user};
use crate::layer::find::keeps_query;
use crate::span_ext::XraySpanExt;

/// Records the error of a request.
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

/// Returns the URL in an error or its sources. A middleware's error may replace the one inside of it, which
/// is not its source then.
fn url_in<'a>(err: &'a (dyn Error + 'static)) -> Option<&'a Url> {
    chain(err).find_map(|err| match err.downcast_ref() {
        Some(Failure::Middleware(inner)) => url_in(&**inner),
        Some(Failure::Reqwest(inner)) => inner.url(),
        None => err.downcast_ref::<::reqwest::Error>()?.url(),
    })
}

fn chain<'a>(err: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // A longer chain may have no end.
    successors(Some(err), |&err| err.source()).take(MAX_CHAIN)
}

/// An error and its sources, with their messages but for the URL.
struct Clean {
    /// The `Debug` form, from which the layer reads the error's type.
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

/// The maximum of sources: more than anyone reads.
const MAX_CHAIN: usize = 32;
