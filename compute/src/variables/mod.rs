//! System variables: types, ranges, defaults, and what a session has set.
