//! Reading JSON as the service does: a member of a wrong type counts as absent, of equal keys the last one wins,
//! unknown members are skipped.
//!
//! Only what is not JSON at all is an error. Shapes are read straight from the bytes and borrow from them; there is
//! no tree of values in between. `document.rs` lists the members.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reading of each kind of JSON value as a type. By default every kind counts as absent.
pub(super) trait Shape<'de>: Default {
    fn string(_value: Cow<'de, str>) -> Self {
        Self::default()
    }

    fn number(_value: f64) -> Self {
        Self::default()
    }

    fn boolean(_value: bool) -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

/// An object with members that are of interest.
pub(super) trait Record<'de>: Default {
    /// Reads the value of one member.
    fn member<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error>;
}

/// Makes serde read a [`Shape`].
pub(super) struct Lenient<T>(pub(super) T);

impl<'de, T: Shape<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData)).map(Lenient)
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Shape<'de>> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<T, E> {
        Ok(T::string(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok(T::string(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<T, E> {
        Ok(T::string(Cow::Owned(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<T, E> {
        Ok(T::number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok(T::number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok(T::number(value as f64))
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok(T::boolean(value))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

/// A string, or nothing.
pub(super) type Text<'a> = Option<Cow<'a, str>>;

impl<'de> Shape<'de> for Text<'de> {
    fn string(value: Cow<'de, str>) -> Self {
        Some(value)
    }
}

impl Shape<'_> for Option<f64> {
    fn number(value: f64) -> Self {
        Some(value)
    }
}

impl Shape<'_> for bool {
    fn boolean(value: bool) -> Self {
        value
    }
}

/// True if an object is there, whatever is in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Present(pub(super) bool);

impl<'de> Shape<'de> for Present {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self(true))
    }
}

impl<'de, R: Record<'de>> Shape<'de> for Option<R> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut record = R::default();
        while let Some(Lenient(key)) = object.next_key::<Lenient<Text<'de>>>()? {
            record.member(&key.unwrap_or_default(), &mut object)?;
        }
        Ok(Some(record))
    }
}

/// Large ones lie outside of the record that they belong to, which is moved while it is read.
impl<'de, R: Record<'de>> Record<'de> for Box<R> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        (**self).member(key, object)
    }
}

/// The objects of a list; anything else in it is skipped.
impl<'de, R: Record<'de>> Shape<'de> for Vec<R> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut records = Self::new();
        while let Some(Lenient(record)) = list.next_element::<Lenient<Option<R>>>()? {
            records.extend(record);
        }
        Ok(records)
    }
}

/// Declares the members of a [`Record`]: its field, and the key where that differs.
macro_rules! members {
    ($record:ident <$de:lifetime> { $($key:literal => $field:ident),+ $(,)? }) => {
        impl<$de> Record<$de> for $record<$de> {
            fn member<A: MapAccess<$de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
                match key {
                    $($key => self.$field = object.next_value::<Lenient<_>>()?.0,)+
                    _ => {
                        object.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(())
            }
        }
    };
}

pub(super) use members;
