//! How a filter meets the layer: three types that name the choice, and nothing else.

use std::any::TypeId;

use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;

use crate::layer::default_filter::DefaultFilter;
use crate::layer::filtered::FilteredLayer;
use crate::layer::xray_layer::XrayLayer;

/// Of a [`Builder`](crate::Builder): the layer gets the default filter.
#[derive(Debug)]
pub struct WithDefaultFilter(pub(crate) ());

/// Of a [`Builder`](crate::Builder): the layer gets a filter of the user's.
#[derive(Debug)]
pub struct WithFilter<F>(pub(crate) F);

/// Of a [`Builder`](crate::Builder): the layer gets no filter of its own.
#[derive(Debug)]
pub struct WithoutFilter(pub(crate) ());

/// How a filter meets the layer. Implemented by [`WithDefaultFilter`], [`WithFilter`] and [`WithoutFilter`] alone.
pub trait FilterMode<S: Subscriber>: sealed::Sealed {
    /// The layer with its filter.
    type Layer: Layer<S>;

    #[doc(hidden)]
    fn is_default() -> bool {
        false
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
