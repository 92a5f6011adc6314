//! The rows of tables that all tenants share: the business itself, its people, and what their programs had. Only the
//! first two come back with all their rights; API keys come back revoked, for the names in the history; what else opens
//! an account does not.

use serde_json::Map;
use zoop_db::{GlobalSql, Kind, ReadTx, Row, Sql, Uuid, params};

use super::manifest::Purpose;
use super::writer::Writer;
use super::{PAGE, json};
use crate::call::error::{Error, Result};
use crate::transfer::cell::Cell;

zoop_db::global_statements! {
    BUSINESS = "SELECT name, country, time_zone, currency, last_customer_number, notes_out_of_order \
                FROM tenants WHERE no = $1";
    API_KEYS = "SELECT id, user_id, actor_kind, name, hint, scopes, request_limit, expires_at FROM api_keys \
                WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3";
    GRANTS = "SELECT id, user_id, client_id, scopes, connected_at, last_used_at, revoked_at FROM oauth_grants \
              WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3";
    INVITATIONS = "SELECT id, name, email, role, invited_by, expires_at, accepted_at, revoked_at FROM invitations \
                   WHERE tenant_no = $1 AND id > $2 ORDER BY id LIMIT $3";
}

zoop_db::statements! {
    /// The members, also former ones, by whom records were written.
    MEMBERS = "SELECT m.user_id, coalesce(m.name, u.name), u.email, m.role, m.removed_at FROM memberships m \
               JOIN users u ON u.id = m.user_id \
               WHERE m.tenant_no = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3";
    PENDING = "SELECT w.user_id, coalesce(w.name, u.name), u.email, w.role, \
               CASE WHEN FALSE THEN w.since END FROM waiting_memberships w \
               JOIN users u ON u.id = w.user_id \
               WHERE w.tenant_no = $1 AND w.user_id > $2 ORDER BY w.user_id LIMIT $3";
}

/// A shared table that is in a tenant's export.
pub(super) struct Shared {
    /// The tables whose rows it has.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test that every table is exported"))]
    pub(super) tables: &'static [&'static str],
    /// The name of the file.
    pub(super) file: &'static str,
    /// The columns of the file.
    pub(super) columns: &'static [(&'static str, Kind)],
    purpose: Purpose,
    rows: Read,
}

/// How the rows are read.
enum Read {
    /// The business's own row.
    Business,
    /// Pages after an id.
    Pages(GlobalSql),
    /// The pending members, and then the others. Who was removed and is pending again is pending.
    People([Sql; 2]),
}

/// What is exported of the business itself.
pub(super) const BUSINESS_FILE: &str = "data/business.jsonl";
/// The people by whom records were written.
pub(super) const MEMBERS_FILE: &str = "data/members.jsonl";
/// The API keys, without the keys themselves.
pub(super) const KEYS_FILE: &str = "data/api_keys.jsonl";

/// The shared tables that are in a tenant's export.
pub(super) const SHARED: &[Shared] = &[
    Shared {
        tables: &["tenants"],
        file: BUSINESS_FILE,
        columns: &[
            ("name", Kind::Text),
            ("country", Kind::Text),
            ("time_zone", Kind::Text),
            ("currency", Kind::Text),
            ("last_customer_number", Kind::Integer),
            ("notes_out_of_order", Kind::Boolean),
        ],
        purpose: Purpose::Data,
        rows: Read::Business,
    },
    Shared {
        tables: &["memberships", "waiting_memberships"],
        file: MEMBERS_FILE,
        columns: &[
            ("user_id", Kind::Id),
            ("name", Kind::Text),
            ("email", Kind::Text),
            ("role", Kind::Text),
            ("removed_at", Kind::Time),
        ],
        purpose: Purpose::Data,
        rows: Read::People([PENDING, MEMBERS]),
    },
    Shared {
        tables: &["api_keys"],
        file: KEYS_FILE,
        columns: &[
            ("id", Kind::Id),
            ("user_id", Kind::Id),
            ("actor_kind", Kind::Text),
            ("name", Kind::Text),
            ("hint", Kind::Text),
            ("scopes", Kind::Text),
            ("request_limit", Kind::Integer),
            ("expires_at", Kind::Time),
        ],
        purpose: Purpose::Data,
        rows: Read::Pages(API_KEYS),
    },
    Shared {
        tables: &["oauth_grants"],
        file: "data/connected_programs.jsonl",
        columns: &[
            ("id", Kind::Id),
            ("user_id", Kind::Id),
            ("client_id", Kind::Text),
            ("scopes", Kind::Text),
            ("connected_at", Kind::Time),
            ("last_used_at", Kind::Time),
            ("revoked_at", Kind::Time),
        ],
        purpose: Purpose::Information,
        rows: Read::Pages(GRANTS),
    },
    Shared {
        tables: &["invitations"],
        file: "data/invitations.jsonl",
        columns: &[
            ("id", Kind::Id),
            ("name", Kind::Text),
            ("email", Kind::Text),
            ("role", Kind::Text),
            ("invited_by", Kind::Id),
            ("expires_at", Kind::Time),
            ("accepted_at", Kind::Time),
            ("revoked_at", Kind::Time),
        ],
        purpose: Purpose::Information,
        rows: Read::Pages(INVITATIONS),
    },
];

/// Writes the rows of shared tables.
pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>) -> Result<()> {
    for shared in SHARED {
        writer.json_lines(shared.file, shared.purpose, |lines| {
            shared.each(tx, |row| {
                let mut object = Map::new();
                for ((name, _), cell) in shared.columns.iter().zip(row) {
                    object.insert((*name).to_owned(), json::of_cell(cell)?);
                }
                lines.row(&object)
            })
        })?;
    }
    Ok(())
}

impl Shared {
    /// Passes the bound tenant's rows to `take`, in the order of their ids.
    fn each(
        &self,
        tx: &mut ReadTx<'_>,
        mut take: impl FnMut(Vec<Cell>) -> Result<()>,
    ) -> Result<()> {
        let tenant = tx.tenant()?.0;
        let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
        match self.rows {
            Read::Business => {
                let rows =
                    tx.global_all::<_, Error>(BUSINESS, params![tenant], |row| self.read(row))?;
                rows.into_iter().try_for_each(take)
            }
            Read::Pages(statement) => paged(
                |after| {
                    let params = params![tenant, after, page];
                    tx.global_all::<_, Error>(statement, params, |row| self.read(row))
                },
                take,
            ),
            Read::People(statements) => {
                let mut people = Vec::new();
                for statement in statements {
                    paged(
                        |after| {
                            let params = params![after, page];
                            tx.all::<_, Error>(statement, params, |row| self.read(row))
                        },
                        |row| {
                            people.push(row);
                            Ok(())
                        },
                    )?;
                }
                // A business has few people.
                people.sort_by_key(|row| id_of(row));
                people.dedup_by_key(|row| id_of(row));
                people.into_iter().try_for_each(&mut take)
            }
        }
    }

    /// Reads the columns.
    fn read(&self, row: &mut Row<'_>) -> Result<Vec<Cell>> {
        self.columns.iter().map(|(_, kind)| Cell::take(*kind, row)).collect()
    }
}

/// Passes rows to `take`, page by page.
fn paged(
    mut read: impl FnMut(Uuid) -> Result<Vec<Vec<Cell>>>,
    mut take: impl FnMut(Vec<Cell>) -> Result<()>,
) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let rows = read(after)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = id_of(last);
        rows.into_iter().try_for_each(&mut take)?;
    }
}

/// The id that a row begins with.
fn id_of(row: &[Cell]) -> Uuid {
    match row.first() {
        Some(Cell::Id(id)) => *id,
        _ => Uuid::nil(),
    }
}
