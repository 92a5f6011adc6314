//! The macro that builds scopes, sets of scopes and their names from the areas' blocks.

/// Declares all scopes. Each area has a read scope, called `read:AREA`, and may have a write scope, called `write:AREA`:
///
/// ```text
/// quotes {
///     read ReadQuotes {
///         title: "Read quotes",
///         about: "See quotes and their lines.",
///         roles: [owner, office, tech],
///         also: ["read:estimates"],
///     }
///     write WriteQuotes { … }
/// }
/// ```
///
/// `also` is optional. It lists other names that include the scope. A name that one scope lists is an
/// alias of that scope. A name that several scopes list is an umbrella over them.
macro_rules! areas {
    ($(
        $area:ident {
            read $read:ident {
                title: $read_title:literal,
                about: $read_about:literal,
                roles: [$($reader:ident),+ $(,)?],
                $(also: [$($read_also:literal),+ $(,)?],)?
            }
            $(write $write:ident {
                title: $write_title:literal,
                about: $write_about:literal,
                roles: [$($writer:ident),+ $(,)?],
                $(also: [$($write_also:literal),+ $(,)?],)?
            })?
        }
    )+) => {
        /// One right that a caller can have. A write scope never implies its read scope.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope {
            $(
                #[doc = $read_about]
                $read,
                $(
                    #[doc = $write_about]
                    $write,
                )?
            )+
            /// Manage the tenant: its users, keys and connected clients. Never granted to API keys or
            /// OAuth clients: only an owner's session and the command line have it.
            Administer,
            /// Run the installation: tenants and repairs. Only the command line has it.
            Operate,
            /// What a tool requires that any scope that reads allows. No one is granted it: see
            /// [`Scopes::has`].
            AnyRead,
            /// What a tool requires that every credential allows, even one without scopes.
            Nothing,
        }

        impl Scope {
            /// Every scope that a credential can be granted, in the order in which lists show them.
            pub const GRANTABLE: &'static [Self] = &[$(Self::$read, $(Self::$write,)?)+];

            /// Every scope that reads.
            pub const READING: &'static [Self] = &[$(Self::$read),+];

            /// The scope's own name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(
                        Self::$read => concat!("read:", stringify!($area)),
                        $(Self::$write => concat!("write:", stringify!($area)),)?
                    )+
                    Self::Administer => "administer",
                    Self::Operate => "operate",
                    Self::AnyRead => "any read scope",
                    Self::Nothing => "none",
                }
            }

            /// The scope's name on pages.
            pub const fn title(self) -> &'static str {
                match self {
                    $(
                        Self::$read => $read_title,
                        $(Self::$write => $write_title,)?
                    )+
                    Self::Administer => "Manage the account",
                    Self::Operate => "Run the installation",
                    Self::AnyRead => "Any scope that reads",
                    Self::Nothing => "No scope",
                }
            }

            /// What the scope allows, as a sentence for pages.
            pub const fn about(self) -> &'static str {
                match self {
                    $(
                        Self::$read => $read_about,
                        $(Self::$write => $write_about,)?
                    )+
                    Self::Administer => "Manage people, API keys and connected programs.",
                    Self::Operate => "Add businesses and repair records.",
                    Self::AnyRead => "See what every reader may see.",
                    Self::Nothing => "See what every caller may see.",
                }
            }

            /// The scope that allows reading the records that this scope allows writing.
            #[must_use]
            pub const fn read_counterpart(self) -> Self {
                match self {
                    $( Self::$read $(| Self::$write)? => Self::$read, )+
                    Self::Administer => Self::Administer,
                    Self::Operate => Self::Operate,
                    Self::AnyRead => Self::AnyRead,
                    Self::Nothing => Self::Nothing,
                }
            }
        }

        /// Every name under which a scope can be granted: the scopes' own names in order, then the names in
        /// `also`. A name that appears several times is an umbrella over those scopes.
        const NAMES: &[(&str, Scope)] = &[
            $( (Scope::$read.name(), Scope::$read), $((Scope::$write.name(), Scope::$write),)? )+
            $(
                $( $( ($read_also, Scope::$read), )+ )?
                $( $( $( ($write_also, Scope::$write), )+ )? )?
            )+
        ];

        /// The scopes that a user with each role can have.
        pub(crate) const ROLE_SCOPES: RoleScopes = {
            let mut roles =
                RoleScopes { owner: Scopes::NONE, office: Scopes::NONE, tech: Scopes::NONE };
            $(
                $( roles.$reader = roles.$reader.or(Scopes::of(&[Scope::$read])); )+
                $( $( roles.$writer = roles.$writer.or(Scopes::of(&[Scope::$write])); )+ )?
            )+
            roles
        };

        $crate::call::scope::declare::sets!();
    };
}
pub(super) use areas;

/// The types built on the scopes that [`areas`] declares in the same module.
macro_rules! sets {
    () => {
        impl Scope {
            /// Whether a credential can be granted this scope.
            pub fn is_grantable(self) -> bool {
                Self::GRANTABLE.contains(&self)
            }

            /// The scope that a caller who lacks this one must get: itself, or for [`Self::AnyRead`] one that
            /// reads, if possible one of those that are attainable.
            #[must_use]
            pub fn to_request(self, attainable: Scopes) -> Self {
                if self != Self::AnyRead {
                    return self;
                }
                let found = Self::READING.iter().find(|scope| attainable.has(**scope));
                found.or(Self::READING.first()).copied().unwrap_or(self)
            }

            const fn bit(self) -> u64 {
                1 << self as u64
            }
        }

        impl serde::Serialize for Scope {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        /// The scopes of each role.
        pub(crate) struct RoleScopes {
            pub(crate) owner: Scopes,
            pub(crate) office: Scopes,
            pub(crate) tech: Scopes,
        }

        /// A set of scopes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Scopes(u64);

        impl Scopes {
            /// No scope.
            pub const NONE: Self = Self(0);

            /// Every scope, including those that cannot be granted. Only the operator has all of them.
            pub const ALL: Self =
                Self::of(Scope::GRANTABLE).or(Self::of(&[Scope::Administer, Scope::Operate]));

            /// These scopes.
            pub const fn of(scopes: &[Scope]) -> Self {
                let mut bits = 0;
                let mut index = 0;
                while index < scopes.len() {
                    bits |= scopes[index].bit();
                    index += 1;
                }
                Self(bits)
            }

            /// Whether the set allows what requires `scope`.
            pub const fn has(self, scope: Scope) -> bool {
                match scope {
                    Scope::AnyRead => self.0 & Self::of(Scope::READING).0 != 0,
                    Scope::Nothing => true,
                    own => self.0 & own.bit() != 0,
                }
            }

            /// The scopes that are in both sets.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// The scopes that are in at least one of the sets.
            #[must_use]
            pub const fn or(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// The scopes in this set that are not in the other.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Whether the set is empty.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The grantable scopes in the set, in their fixed order.
            pub fn iter(self) -> impl Iterator<Item = Scope> {
                Scope::GRANTABLE.iter().copied().filter(move |scope| self.has(*scope))
            }

            /// The scopes' own names, separated by spaces.
            pub fn list(self) -> String {
                self.iter().map(Scope::name).collect::<Vec<_>>().join(" ")
            }
        }

        /// The names under which grantable scopes were requested or granted, each once and in a fixed order.
        /// Credentials store these names, and each call expands them with [`Self::scopes`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct ScopeNames(u64);

        const _: () = assert!(NAMES.len() <= 64, "there must be a bit for each name");

        impl ScopeNames {
            /// All names.
            pub const ALL: Self = Self(u64::MAX >> (64 - NAMES.len()));

            fn where_entry(is_selected: impl Fn(&str, Scope) -> bool) -> Self {
                let bits = NAMES
                    .iter()
                    .enumerate()
                    .map(|(index, (name, scope))| u64::from(is_selected(name, *scope)) << index);
                Self(bits.fold(0, |all, bit| all | bit))
            }

            /// The grantable scopes of a set, each under its own name.
            pub fn own(scopes: Scopes) -> Self {
                Self::where_entry(|name, scope| name == scope.name() && scopes.has(scope))
            }

            fn from_name(name: &str) -> Option<Self> {
                Some(Self::where_entry(|known, _| known == name)).filter(|found| !found.is_empty())
            }

            /// The set of these names.
            ///
            /// # Errors
            /// The first unknown name.
            pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
                let mut names = names.into_iter().map(|name| Self::from_name(name).ok_or(name));
                names.try_fold(Self::default(), |all, found| Ok(all.or(found?)))
            }

            /// The known names in a space-separated list. Unknown names are ignored, and so grant nothing.
            pub fn parse_known(list: &str) -> Self {
                let found = list.split_ascii_whitespace().filter_map(Self::from_name);
                found.fold(Self::default(), Self::or)
            }

            #[must_use]
            const fn or(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether there are no names.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The entries of [`NAMES`] in this set, each with its index there.
            fn entries(self) -> impl Iterator<Item = (usize, &'static str, Scope)> {
                let entries =
                    NAMES.iter().enumerate().filter(move |(index, _)| (self.0 >> index) & 1 == 1);
                entries.map(|(index, (name, scope))| (index, *name, *scope))
            }

            /// The scopes that the names currently stand for.
            pub fn scopes(self) -> Scopes {
                self.entries().fold(Scopes::NONE, |all, (_, _, scope)| all.or(Scopes::of(&[scope])))
            }

            /// The part of these names that `granted` covers. A name stays if all its scopes are granted. If
            /// only some of its scopes are, their own names replace the name.
            #[must_use]
            pub fn within(self, granted: Scopes) -> Self {
                let is_whole = |name: &Self| name.scopes().without(granted).is_empty();
                let names = self.iter().filter_map(Self::from_name);
                let whole = names.filter(is_whole).fold(Self::default(), Self::or);
                let rest = self.scopes().and(granted).without(whole.scopes());
                whole.or(Self::own(rest))
            }

            /// The names.
            pub fn iter(self) -> impl Iterator<Item = &'static str> {
                // `NAMES` contains an umbrella once for each of its scopes.
                let is_first =
                    |index: usize, name| NAMES[..index].iter().all(|(known, _)| *known != name);
                self.entries()
                    .filter(move |(index, name, _)| is_first(*index, *name))
                    .map(|(_, name, _)| name)
            }

            /// The names, separated by spaces: the form in which they are stored.
            pub fn list(self) -> String {
                self.iter().collect::<Vec<_>>().join(" ")
            }
        }

        impl serde::Serialize for ScopeNames {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.iter())
            }
        }
    };
}
pub(super) use sets;
