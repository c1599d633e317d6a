//! Metadata in SQL.
