//! The three ways to filter a layer, as types of the builder.

use std::any::TypeId;

use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;

use crate::layer::default_filter::DefaultFilter;
use crate::layer::filtered::FilteredLayer;
use crate::layer::xray_layer::XrayLayer;

/// A type parameter of [`Builder`](crate::Builder): the layer has the default filter.
#[derive(Debug)]
pub struct WithDefaultFilter(pub(crate) ());

/// A type parameter of [`Builder`](crate::Builder): the layer has the user's filter.
#[derive(Debug)]
pub struct WithFilter<F>(pub(crate) F);

/// A type parameter of [`Builder`](crate::Builder): the layer has no filter.
#[derive(Debug)]
pub struct WithoutFilter(pub(crate) ());

/// The filter of a layer: [`WithDefaultFilter`], [`WithFilter`] or [`WithoutFilter`].
pub trait FilterMode<S: Subscriber>: sealed::Sealed {
    /// The layer with its filter.
    type Layer: Layer<S>;

    #[doc(hidden)]
    fn is_default() -> bool {
        false
    }

    /// Returns whether the layer gets the callbacks of each span, also of those that its filter rejects.
    #[doc(hidden)]
    fn hears_all() -> bool {
        true
    }

    #[doc(hidden)]
    fn attach(self, layer: XrayLayer) -> Self::Layer;
}

mod sealed {
    #[expect(unnameable_types, reason = "that is how a trait is sealed")]
    pub trait Sealed {}
    impl<F> Sealed for super::WithFilter<F> {}
    impl Sealed for super::WithDefaultFilter {}
    impl Sealed for super::WithoutFilter {}
}

impl<S> FilterMode<S> for WithDefaultFilter
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    type Layer = FilteredLayer<S>;

    fn is_default() -> bool {
        true
    }

    fn attach(self, layer: XrayLayer) -> Self::Layer {
        FilteredLayer::new(layer)
    }
}

impl<S, F> FilterMode<S> for WithFilter<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Filter<S> + 'static,
{
    type Layer = Filtered<XrayLayer, F, S>;

    fn hears_all() -> bool {
        false
    }

    fn is_default() -> bool {
        TypeId::of::<F>() == TypeId::of::<DefaultFilter>()
    }

    fn attach(self, layer: XrayLayer) -> Self::Layer {
        layer.with_filter(self.0)
    }
}

impl<S> FilterMode<S> for WithoutFilter
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    type Layer = XrayLayer;

    fn attach(self, layer: XrayLayer) -> Self::Layer {
        layer
    }
}
