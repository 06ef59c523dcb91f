//! Databases and tables by name, in the engine's own key space.
