//! The grammar in which the contract is written: registers, descriptors, word lists, codes.
//!
//! Each macro emits the Rust items and, beside them, `LAYOUT` rows: name, offset, width and
//! the declaration's own doc comment. The rows are what `cargo xtask abi` prints and what
//! [`hash`] covers, so that no reader of the contract has a second source.
//! Const assertions hold every offset and size; a moved or overlapping field does not compile.

/// One row of a table: a register, a field, a word or a code.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Name, as declared.
    pub name: &'static str,
    /// Byte offset (registers, fields), word offset (table words) or value (codes).
    pub offset: usize,
    /// Width in bytes; 0 for codes.
    pub size: usize,
    /// The declaration's doc comment.
    pub doc: &'static str,
}

/// What the rows of a [`Table`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 32-bit BAR registers; offsets are byte offsets from the start of the BAR: BAR0 unless the
    /// table says another.
    Registers,
    /// Fields of a structure; offsets are bytes from its start.
    Fields,
    /// 32-bit words of a table entry; offsets count words.
    Words,
    /// Named values: statuses, opcodes, flags, limits.
    Codes,
}

/// A named list of rows.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name of the structure or group.
    pub name: &'static str,
    /// What the group is for.
    pub doc: &'static str,
    /// What the rows are.
    pub shape: Shape,
    /// Size of the whole in bytes (fields, words), stride of a bank (registers), width of the
    /// value (codes); 0 for plain numbers.
    pub size: usize,
    /// The rows, in address order.
    pub rows: &'static [Row],
}

/// A 32-bit register: its byte offset in its BAR and, by type, who may touch it.
#[derive(Debug)]
pub struct Reg<A> {
    /// Byte offset from the start of the BAR.
    pub offset: u32,
    access: ::core::marker::PhantomData<A>,
}

impl<A> Clone for Reg<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Reg<A> {}

impl<A> Reg<A> {
    /// Names the register at byte `offset`.
    #[must_use]
    pub const fn new(offset: u32) -> Self {
        assert!(offset.is_multiple_of(4), "registers are 32-bit words");
        Self { offset, access: ::core::marker::PhantomData }
    }

    /// The same register in bank `index` of banks that lie `stride` bytes apart.
    #[must_use]
    pub const fn bank(self, index: u32, stride: u32) -> Self {
        Self::new(self.offset + index * stride)
    }
}

/// The host may read; reading has no side effect. Writes are ignored and counted.
#[derive(Debug)]
pub enum Ro {}
/// The host may read and write.
#[derive(Debug)]
pub enum Rw {}
/// The host may write; reads return zero.
#[derive(Debug)]
pub enum Wo {}

/// Access classes the host may read.
pub trait Readable {}
impl Readable for Ro {}
impl Readable for Rw {}

/// Access classes the host may write.
pub trait Writable {}
impl Writable for Rw {}
impl Writable for Wo {}

/// A value that a descriptor field can have, stored little-endian in 32-bit words.
///
/// Offsets are byte offsets that the descriptor macro has checked; an address
/// (`[u8; N]`) is copied byte by byte, which is network order as it stands.
pub trait Field: Copy {
    /// Width in bytes.
    const SIZE: usize;
    /// Reads the field at byte `offset` of `words`.
    fn get(words: &[u32], offset: usize) -> Self;
    /// Writes the field at byte `offset` of `words`.
    fn put(self, words: &mut [u32], offset: usize);
}

impl Field for u8 {
    const SIZE: usize = 1;
    #[inline(always)]
    fn get(words: &[u32], offset: usize) -> Self {
        (words[offset / 4] >> (offset % 4 * 8)) as u8
    }
    #[inline(always)]
    fn put(self, words: &mut [u32], offset: usize) {
        let shift = offset % 4 * 8;
        let word = &mut words[offset / 4];
        *word = *word & !(0xff << shift) | u32::from(self) << shift;
    }
}

impl Field for u16 {
    const SIZE: usize = 2;
    #[inline(always)]
    fn get(words: &[u32], offset: usize) -> Self {
        (words[offset / 4] >> (offset % 4 * 8)) as u16
    }
    #[inline(always)]
    fn put(self, words: &mut [u32], offset: usize) {
        let shift = offset % 4 * 8;
        let word = &mut words[offset / 4];
        *word = *word & !(0xffff << shift) | u32::from(self) << shift;
    }
}

impl Field for u32 {
    const SIZE: usize = 4;
    #[inline(always)]
    fn get(words: &[u32], offset: usize) -> Self {
        words[offset / 4]
    }
    #[inline(always)]
    fn put(self, words: &mut [u32], offset: usize) {
        words[offset / 4] = self;
    }
}

impl Field for u64 {
    const SIZE: usize = 8;
    #[inline(always)]
    fn get(words: &[u32], offset: usize) -> Self {
        u64::from(words[offset / 4]) | u64::from(words[offset / 4 + 1]) << 32
    }
    #[inline(always)]
    fn put(self, words: &mut [u32], offset: usize) {
        words[offset / 4] = self as u32;
        words[offset / 4 + 1] = (self >> 32) as u32;
    }
}

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;
    #[inline(always)]
    fn get(words: &[u32], offset: usize) -> Self {
        let mut bytes = [0; N];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::get(words, offset + i);
        }
        bytes
    }
    #[inline(always)]
    fn put(self, words: &mut [u32], offset: usize) {
        for (i, byte) in self.into_iter().enumerate() {
            byte.put(words, offset + i);
        }
    }
}

/// Declares 32-bit BAR registers in ascending order, with the table of their rows.
macro_rules! registers {
    ($(#[doc = $table_doc:literal])* $table:ident = $name:literal, stride $stride:literal {
        $( $(#[doc = $doc:literal])+ $offset:literal => $reg:ident: $access:ident, )*
    }) => {
        $( $(#[doc = $doc])+
           pub const $reg: $crate::layout::Reg<$crate::layout::$access> =
            $crate::layout::Reg::new($offset); )*
        $(#[doc = $table_doc])*
        pub const $table: $crate::layout::Table = $crate::layout::Table {
            name: $name,
            doc: concat!($($table_doc),*),
            shape: $crate::layout::Shape::Registers,
            size: $stride,
            rows: &[ $( $crate::layout::Row {
                name: stringify!($reg), offset: $offset, size: 4,
                doc: concat!(stringify!($access), ".", $($doc),+),
            } ),* ],
        };
        const _: () = $crate::layout::assert_ascending($table.rows);
    };
}

/// Declares a structure in shared memory: every field with its byte offset beside it.
///
/// Emits the Rust structure, `read(words)` and `write(words)` on 32-bit words starting at
/// the structure's own start, and `BYTES`.
macro_rules! descriptor {
    ($(#[doc = $struct_doc:literal])* $name:ident: $bytes:literal {
        $( $(#[doc = $doc:literal])+ $offset:literal => $field:ident: $ty:ty, )*
    }) => {
        $(#[doc = $struct_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $ty ),* }
        impl $name {
            /// Size in bytes.
            pub const BYTES: usize = $bytes;
            /// Every field, in address order.
            pub const LAYOUT: $crate::layout::Table = $crate::layout::Table {
                name: stringify!($name),
                doc: concat!($($struct_doc),*),
                shape: $crate::layout::Shape::Fields,
                size: $bytes,
                rows: &[ $( $crate::layout::Row {
                    name: stringify!($field), offset: $offset,
                    size: <$ty as $crate::layout::Field>::SIZE, doc: concat!($($doc),+),
                } ),* ],
            };
            /// Reads the structure from the start of `words`.
            ///
            /// # Panics
            /// When `words` is shorter than the structure: the caller's mistake, never the data's.
            #[inline]
            #[must_use]
            pub fn read(words: &[u32]) -> Self {
                let words = &words[..$bytes / 4];
                Self { $( $field: <$ty as $crate::layout::Field>::get(words, $offset) ),* }
            }
            /// Writes the structure to the start of `words`.
            ///
            /// # Panics
            /// When `words` is shorter than the structure: the caller's mistake, never the data's.
            #[inline]
            pub fn write(&self, words: &mut [u32]) {
                let words = &mut words[..$bytes / 4];
                $( $crate::layout::Field::put(self.$field, words, $offset); )*
            }
        }
        const _: () = $crate::layout::assert_dense(&$name::LAYOUT);
    };
}

/// Declares the 32-bit words of a table entry, as word offsets from its start.
macro_rules! words {
    ($(#[doc = $mod_doc:literal])* $module:ident: $count:literal {
        $( $(#[doc = $doc:literal])+ $offset:literal => $word:ident, )*
    }) => {
        $(#[doc = $mod_doc])*
        pub mod $module {
            /// Size of the entry in words.
            pub const WORDS: u32 = $count;
            $( $(#[doc = $doc])+ pub const $word: u32 = $offset; )*
            /// Every named word, in address order.
            pub const LAYOUT: $crate::layout::Table = $crate::layout::Table {
                name: stringify!($module),
                doc: concat!($($mod_doc),*),
                shape: $crate::layout::Shape::Words,
                size: $count * 4,
                rows: &[ $( $crate::layout::Row {
                    name: stringify!($word), offset: $offset, size: 4, doc: concat!($($doc),+),
                } ),* ],
            };
            const _: () = $crate::layout::assert_ascending(LAYOUT.rows);
            const _: () = assert!(LAYOUT.rows[LAYOUT.rows.len() - 1].offset < $count, "past the entry's end");
        }
    };
}

/// Declares named values of one kind as a newtype over an integer.
///
/// Unknown values are kept, not rejected: the other side may say something new.
macro_rules! codes {
    ($(#[doc = $type_doc:literal])* $name:ident: $ty:ty {
        $( $(#[doc = $doc:literal])+ $value:literal => $code:ident = $word:literal, )*
    }) => {
        $(#[doc = $type_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $ty);
        impl $name {
            $( $(#[doc = $doc])+ pub const $code: Self = Self($value); )*
            /// Every named value, in order.
            pub const ALL: &[Self] = &[ $( Self::$code ),* ];
            /// Every named value with its word and meaning.
            pub const LAYOUT: $crate::layout::Table = $crate::layout::Table {
                name: stringify!($name),
                doc: concat!($($type_doc),*),
                shape: $crate::layout::Shape::Codes,
                size: ::core::mem::size_of::<$ty>(),
                rows: &[ $( $crate::layout::Row {
                    name: stringify!($code), offset: $value, size: 0, doc: concat!($($doc),+),
                } ),* ],
            };
            /// The value's word in lower case, `unknown` for a value without a name.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self.0 { $( $value => $word, )* _ => "unknown" }
            }
        }
        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                write!(f, "{}({})", self.word(), self.0)
            }
        }
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self.word() {
                    "unknown" => write!(f, "unknown ({})", self.0),
                    word => f.write_str(word),
                }
            }
        }
    };
}

/// Declares named limits: plain constants with a table of their own.
macro_rules! limits {
    ($(#[doc = $table_doc:literal])* $table:ident = $name:literal {
        $( $(#[doc = $doc:literal])+ $limit:ident: $ty:ty = $value:expr, )*
    }) => {
        $( $(#[doc = $doc])+ pub const $limit: $ty = $value; )*
        $(#[doc = $table_doc])*
        pub const $table: $crate::layout::Table = $crate::layout::Table {
            name: $name,
            doc: concat!($($table_doc),*),
            shape: $crate::layout::Shape::Codes,
            size: 0,
            rows: &[ $( $crate::layout::Row {
                name: stringify!($limit), offset: $limit as usize, size: 0, doc: concat!($($doc),+),
            } ),* ],
        };
    };
}

/// Fails to compile unless offsets ascend.
pub const fn assert_ascending(rows: &[Row]) {
    let mut i = 1;
    while i < rows.len() {
        assert!(rows[i - 1].offset < rows[i].offset, "out of order or overlapping");
        i += 1;
    }
}

/// Fails to compile unless the fields fill the structure without a hole and lie on their
/// natural alignment (at most 4: shared memory is words).
pub const fn assert_dense(table: &Table) {
    let (mut end, mut i) = (0, 0);
    while i < table.rows.len() {
        let row = &table.rows[i];
        assert!(row.offset == end, "hidden padding: name it `reserved`");
        assert!(row.size != 2 || row.offset.is_multiple_of(2), "a 16-bit field is not aligned");
        assert!(
            row.size != 4 && row.size != 8 || row.offset.is_multiple_of(4),
            "a word field is not aligned"
        );
        end += row.size;
        i += 1;
    }
    assert!(end == table.size, "the size is wrong or padding hides at the end");
    assert!(table.size.is_multiple_of(4), "structures are whole words");
}

const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

const fn mix(hash: u32, value: u32) -> u32 {
    (hash ^ value).wrapping_mul(FNV_PRIME)
}

const fn mix_name(mut hash: u32, name: &str) -> u32 {
    let (bytes, mut i) = (name.as_bytes(), 0);
    while i < bytes.len() {
        hash = mix(hash, bytes[i] as u32);
        i += 1;
    }
    hash
}

/// FNV-1a over every table's name, and every row's name, offset and width. Docs do not count.
#[must_use]
pub const fn hash(tables: &[Table]) -> u32 {
    let (mut hash, mut t) = (FNV_OFFSET, 0);
    while t < tables.len() {
        hash = mix(mix_name(hash, tables[t].name), tables[t].size as u32);
        let (rows, mut r) = (tables[t].rows, 0);
        while r < rows.len() {
            hash = mix_name(hash, rows[r].name);
            hash = mix(mix(hash, rows[r].offset as u32), rows[r].size as u32);
            r += 1;
        }
        t += 1;
    }
    hash
}
