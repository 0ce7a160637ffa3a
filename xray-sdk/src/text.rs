//! Conversions for types with a string form, besides `FromStr` and `Display`: `TryFrom<&str>`, and with the feature
//! `serde` a string in other documents. Each type invokes the macro where it is defined.

/// Implements the conversions for types that read and write themselves.
macro_rules! text_form {
    ($type:ty, $error:ty, $expecting:literal) => {
        impl TryFrom<&str> for $type {
            type Error = $error;

            /// Parses the string form, as [`FromStr`](std::str::FromStr) does.
            fn try_from(text: &str) -> Result<Self, $error> {
                text.parse()
            }
        }

        /// Writes the string form.
        #[cfg(feature = "serde")]
        impl serde_core::Serialize for $type {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        /// Parses the string form.
        #[cfg(feature = "serde")]
        impl<'de> serde_core::Deserialize<'de> for $type {
            fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde_core::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

pub(crate) use text_form;
