/// Returns the member with this name; the error lists the known names.
pub(crate) fn among<Member: Copy + Into<&'static str>>(members: &[Member], name: &str) -> Result<Member, String> {
    let names = || members.iter().map(|member| (*member).into()).collect::<Vec<&str>>().join(", ");
    let named = members.iter().copied().find(|member| (*member).into() == name);
    named.ok_or_else(|| format!("expected one of {}", names()))
}

/// Gives an enum that derives `IntoStaticStr` and `VariantArray` its name in the database and on the command line.
macro_rules! closed_set {
    ($name:ident) => {
        impl $name {
            /// The name in the database and on the command line.
            pub fn name(self) -> &'static str {
                self.into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<$name, String> {
                $crate::account::among(<$name as strum::VariantArray>::VARIANTS, text)
            }
        }
    };
}
pub(crate) use closed_set;
