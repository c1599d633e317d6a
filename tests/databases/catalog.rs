//! What a database tells of its tables.

use regex::Regex;
use testdb::Kind;

use crate::harness::Database;

/// Tables, columns, keys, indexes, checks and types, a line each, but for our own indexes.
pub(super) fn account(database: &Database) -> Vec<String> {
    let queries: &[&str] = match database.kind() {
        Kind::Sqlite => &SQLITE,
        Kind::Mysql => &MYSQL,
        Kind::Postgresql => &POSTGRESQL,
    };
    let mut lines: Vec<String> = queries.iter().flat_map(|query| database.rows(query)).collect();
    if database.kind() == Kind::Sqlite {
        let check = Regex::new(r"CHECK ?\(([^()]*\([^()]*\))\)").unwrap();
        for row in database.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'") {
            let (table, sql) = row.split_once('|').unwrap();
            let mut checks: Vec<String> = check.captures_iter(sql).map(|found| found[1].replace('"', "")).collect();
            checks.sort_unstable();
            lines.extend(checks.into_iter().map(|check| format!("{table} checks {check}")));
        }
        lines.sort_unstable();
    }
    lines
}

const SQLITE: [&str; 3] = [
    "SELECT 'column', t.name, c.cid, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
     FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    "SELECT 'index', t.name, CASE WHEN i.origin = 'c' THEN i.name ELSE 'key' END, i.\"unique\", i.origin, i.partial,
     (SELECT group_concat(x.name) FROM pragma_index_info(i.name) x)
     FROM sqlite_master t, pragma_index_list(t.name) i WHERE t.type = 'table' AND i.name NOT LIKE 'gander%'",
    "SELECT 'key', t.name, f.\"from\", f.\"table\", f.\"to\", f.on_update, f.on_delete
     FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
];

const MYSQL: [&str; 6] = [
    "SELECT 'table', table_name, engine, table_collation FROM information_schema.tables
     WHERE table_schema = DATABASE() ORDER BY 2",
    "SELECT 'column', table_name, ordinal_position, column_name, column_type, is_nullable, column_default, collation_name,
     extra FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 2, 3",
    "SELECT 'index', table_name, index_name, seq_in_index, column_name, non_unique, sub_part, collation, index_type
     FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name NOT LIKE 'gander%' ORDER BY 2, 3, 4",
    "SELECT 'key', table_name, constraint_name, column_name, ordinal_position, referenced_table_name,
     referenced_column_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() ORDER BY 2, 3, 5",
    "SELECT 'rule', table_name, constraint_name, update_rule, delete_rule FROM information_schema.referential_constraints
     WHERE constraint_schema = DATABASE() ORDER BY 2, 3",
    "SELECT 'check', table_name, constraint_name, check_clause FROM information_schema.check_constraints
     WHERE constraint_schema = DATABASE() ORDER BY 2, 3",
];

const POSTGRESQL: [&str; 5] = [
    "SELECT 'relation', relkind, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
     AND relname NOT LIKE 'gander%' ORDER BY relname",
    "SELECT 'column', table_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), column_name,
     data_type, udt_name, character_maximum_length, is_nullable,
     column_default FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 2, 3",
    "SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'gander%' ORDER BY indexname",
    "SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace ORDER BY 2, 3",
    "SELECT 'label', enumtypid::regtype::text, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder",
];
