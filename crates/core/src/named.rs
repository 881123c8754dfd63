//! Closed sets whose members have names: the set, its list and the names are written once.

/// Declares an enum with `ALL`, every variant in the order of declaration, and `name`.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        pub enum $set:ident { $($(#[$member_attribute:meta])* $member:ident = $name:literal,)+ }
    ) => {
        $(#[$attribute])*
        pub enum $set { $($(#[$member_attribute])* $member,)+ }

        impl $set {
            /// Every one, in the order in which they are declared.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$member),+];

            /// The name by which users and packages call it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$member => $name),+ }
            }
        }
    };
}

pub(crate) use named;
