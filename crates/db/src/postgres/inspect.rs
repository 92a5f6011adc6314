//! Queries about the server, for tests and `zoop doctor`.

use super::Connection;
use super::server::APPLICATION;
use super::statement::Text;
use crate::error::{Error, Result};
use crate::row::{Row, Source, Timestamp, Value};
use crate::session::ServerState;
use crate::tx::Tenant;

impl Connection {
    /// The server clock's current time.
    pub(crate) fn clock(&mut self) -> Result<Timestamp> {
        let rows = self.query(Text::plain("SELECT clock_timestamp()"), None, &[])?;
        Row::new(Source::Postgres(rows.first().ok_or(Error::NoRow)?)).take()
    }

    /// The numbers of the cluster, as far as the role may know it, of the database, and of the table. Every restored dump
    /// has others.
    pub(crate) fn place(&mut self, table: &'static str) -> Result<String> {
        let asked = format!(
            "SELECT oid, '{table}'::regclass::oid, \
             has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') \
             FROM pg_database WHERE datname = current_database()"
        );
        let (numbers, may_ask) = {
            let rows = self.script_in_job(&asked)?;
            let row = rows.first().ok_or(Error::NoRow)?;
            let [database, table] = [0, 1].map(|column| row.get(column).unwrap_or_default());
            (format!("{database}:{table}"), row.get(2) == Some("t"))
        };
        if !may_ask {
            return Ok(format!("postgresql {numbers}"));
        }
        let rows = self.script_in_job("SELECT system_identifier FROM pg_control_system()")?;
        let cluster = rows.first().and_then(|row| row.get(0)).ok_or(Error::NoRow)?;
        Ok(format!("postgresql {cluster}:{numbers}"))
    }

    /// Properties of the server and the role.
    pub(crate) fn server_state(&mut self) -> Result<ServerState> {
        let rows = self.script_in_job(
            "SELECT current_setting('server_version'), (rolsuper OR rolbypassrls)::integer, \
             least(current_setting('max_connections')::integer \
             - current_setting('superuser_reserved_connections')::integer, nullif(rolconnlimit, -1), \
             (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())) \
             FROM pg_roles WHERE rolname = current_user",
        )?;
        let row = rows.first().ok_or(Error::NoRow)?;
        Ok(ServerState {
            version: row.get(0).unwrap_or_default().to_owned(),
            bypasses_row_security: row.get(1) == Some("1"),
            max_connections: row.get(2).and_then(|count| count.parse().ok()).ok_or(Error::NoRow)?,
        })
    }

    /// The number of connections that other processes of this program have to the database, as far as the role
    /// may see them. A process whose URL sets its own application name is not recognized.
    pub(crate) fn others(&mut self) -> Result<usize> {
        let rows = self.script_in_job(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name LIKE '{APPLICATION}%' \
             AND application_name <> current_setting('application_name')"
        ))?;
        let count = rows.first().and_then(|row| row.get(0)).and_then(|count| count.parse().ok());
        count.ok_or(Error::NoRow)
    }

    /// Faults that the server has noticed. PostgreSQL cannot check the whole database: reported are only pages
    /// whose checksum was wrong when they were read, and indexes that were never finished.
    pub(crate) fn faults(&mut self) -> Result<Vec<String>> {
        let damaged = "SELECT 'pages with a wrong checksum: ' || checksum_failures \
                       FROM pg_stat_database \
                       WHERE datname = current_database() AND checksum_failures > 0";
        let unfinished = "SELECT 'an index that was never finished: ' || indexrelid::regclass \
                          FROM pg_index WHERE NOT indisvalid";
        let mut found = Vec::new();
        for query in [damaged, unfinished] {
            self.rows::<Error>(query, None, &[], |row| {
                found.push(row.take()?);
                Ok(true)
            })?;
        }
        Ok(found)
    }

    /// Runs a statement to its end; returns the number of rows it examined, including those that were filtered
    /// out.
    pub(crate) fn steps(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<i32> {
        let before = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ";
        let lines = self.lines(Text { before, sql, after: "" }, tenant, params)?;
        Ok(examined_rows(&lines))
    }

    /// The plan of a statement with these values.
    pub(crate) fn explain(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<Vec<String>> {
        self.lines(Text { before: "EXPLAIN (COSTS OFF) ", sql, after: "" }, tenant, params)
    }

    /// The generic plan of a statement, for any values.
    pub(crate) fn plan(&mut self, sql: &str, params: usize) -> Result<Vec<String>> {
        let nothing = vec!["NULL"; params].join(", ");
        let values = if params == 0 { String::new() } else { format!("({nothing})") };
        let rows = self.script_in_job(&format!(
            "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE asked AS {sql}; \
             EXPLAIN (COSTS OFF) EXECUTE asked{values}; \
             DEALLOCATE asked; SET LOCAL plan_cache_mode = auto"
        ))?;
        Ok(rows.iter().filter_map(|row| row.get(0).map(str::to_owned)).collect())
    }

    fn lines(
        &mut self,
        text: Text,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<Vec<String>> {
        let rows = self.query(text, tenant, params)?;
        rows.iter().map(|row| Row::new(Source::Postgres(row)).take()).collect()
    }
}

/// The number of rows that the scans of an analyzed plan returned or filtered out. Rows that are reread from a
/// temporary result or by an outer query are counted only once.
fn examined_rows(plan: &[String]) -> i32 {
    let mut loops = 1.0;
    let mut rows = 0.0;
    for line in plan {
        if let Some((node, counts)) = line.split_once("(actual rows=") {
            let is_reread = node.contains("CTE Scan") || node.contains("Subquery Scan");
            loops = if is_reread { 0.0 } else { number_after(counts, "loops=").unwrap_or(1.0) };
            if node.contains(" Scan") {
                rows += loops * number_after(counts, "").unwrap_or(0.0);
            }
        } else if line.trim_start().starts_with("Rows Removed by") {
            rows += loops * number_after(line, ": ").unwrap_or(0.0);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is as good as any count")]
    let rows = rows as i32;
    rows
}

fn number_after(text: &str, prefix: &str) -> Option<f64> {
    let (_, number) = text.split_once(prefix)?;
    let end = number.find(|character: char| !character.is_ascii_digit() && character != '.');
    number[..end.unwrap_or(number.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::examined_rows;

    #[test]
    fn rows_are_counted_once_per_loop_in_scans_of_tables_only() {
        let plan = [
            "Limit (actual rows=2 loops=1)",
            "  ->  Nested Loop (actual rows=6 loops=1)",
            "        ->  Seq Scan on notes (actual rows=3 loops=1)",
            "              Filter: draft",
            "              Rows Removed by Filter: 4",
            "        ->  Index Scan using users_pkey on users (actual rows=2.00 loops=3)",
            "              Rows Removed by Index Recheck: 1",
            "        ->  CTE Scan on newest (actual rows=5 loops=1)",
            "              Rows Removed by Filter: 495",
            "        ->  Subquery Scan on passed (actual rows=1 loops=1)",
            "              Rows Removed by Filter: 2",
        ];
        assert_eq!(examined_rows(&plan.map(str::to_owned)), 3 + 4 + 6 + 3);
    }
}
