//! What can be wrong with a regular expression, by the server's numbers.

/// An error of a regular expression. The display text is the server's message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegexpError {
    /// An empty pattern, or a class or property that is unknown.
    #[error("Illegal argument to a regular expression.")]
    IllegalArgument,
    /// A position outside of the text, or a group that the pattern lacks.
    #[error("Index out of bounds in regular expression search.")]
    OutOfBounds,
    /// Groups too deep.
    #[error("Internal error in the regular expression library.")]
    Internal,
    /// What stands there makes no sense there.
    #[error("Syntax error in regular expression on line {line}, character {character}.")]
    Syntax {
        /// From 1.
        line: u32,
        /// Characters read of that line.
        character: u32,
    },
    /// A backslash before nothing, or before half an escape.
    #[error("Unrecognized escape sequence in regular expression.")]
    BadEscape,
    /// Something that is correct and not understood here.
    #[error(
        "The regular expression contains a feature that is not implemented in this library version."
    )]
    Unimplemented,
    /// A parenthesis without its other half.
    #[error("Mismatched parenthesis in regular expression.")]
    MismatchedParenthesis,
    /// `{…}` that is no interval.
    #[error("Incorrect description of a {{min,max}} interval.")]
    BadInterval,
    /// `{3,2}`.
    #[error("The maximum is less than the minumum in a {{min,max}} interval.")]
    MaxBelowMin,
    /// A reference to a group that the pattern lacks.
    #[error("Invalid back-reference in regular expression.")]
    InvalidBackReference,
    /// What is looked behind for has no greatest length.
    #[error("The look-behind assertion exceeds the limit in regular expression.")]
    LookBehindLimit,
    /// `[` without `]`.
    #[error("The regular expression contains an unclosed bracket expression.")]
    MissingBracket,
    /// `[z-a]`.
    #[error("The regular expression contains an [x-y] character range where x comes after y.")]
    InvalidRange,
    /// Too much to remember while matching.
    #[error("Overflow in the regular expression backtrack stack.")]
    StackOverflow,
    /// Too many steps while matching.
    #[error("Timeout exceeded in regular expression match.")]
    Timeout,
    /// The pattern is too big, or grows too big.
    #[error("The regular expression pattern exceeds limits on size or complexity.")]
    TooBig,
    /// A name of a group that is no name, or that no group has.
    #[error("A capture group has an invalid name.")]
    InvalidGroupName,
    /// `(?q)`, or a match type that is none of `cimnu`.
    #[error("Invalid match mode flag in regular expression.")]
    InvalidFlag,
}

impl RegexpError {
    /// The server's error number.
    pub fn number(&self) -> u16 {
        match self {
            Self::IllegalArgument => 3685,
            Self::OutOfBounds => 3686,
            Self::Internal => 3687,
            Self::Syntax { .. } => 3688,
            Self::BadEscape => 3689,
            Self::Unimplemented => 3690,
            Self::MismatchedParenthesis => 3691,
            Self::BadInterval => 3692,
            Self::MaxBelowMin => 3693,
            Self::InvalidBackReference => 3694,
            Self::LookBehindLimit => 3695,
            Self::MissingBracket => 3696,
            Self::InvalidRange => 3697,
            Self::StackOverflow => 3698,
            Self::Timeout => 3699,
            Self::TooBig => 3700,
            Self::InvalidGroupName => 3887,
            Self::InvalidFlag => 3900,
        }
    }
}
