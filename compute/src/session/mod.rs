//! What a connection has, and how it answers commands.
