//! The model of users. A new role takes effect with the next call, in every process.

use serde_json::json;

use super::arguments::Object;
use super::state::{CONFLICT, NOT_FOUND, Predicted, Tenant};

const OF_TECH: &[&str] = &["read:customers", "read:notes", "write:notes"];

impl Tenant {
    /// Whether a caller currently has a scope.
    pub(super) fn may(&self, caller: usize, scope: &str) -> bool {
        let caller = &self.callers[caller];
        let role = caller.user.as_ref().map(|user| self.roles[user]);
        caller.granted.contains(&scope) && (role != Some("tech") || OF_TECH.contains(&scope))
    }

    pub(super) fn is_owner(&self, caller: usize) -> bool {
        self.callers[caller].user.as_ref().is_some_and(|user| self.roles[user] == "owner")
    }

    /// Sets a user's role. The last owner must remain one.
    pub(super) fn set_role(&mut self, arguments: &Object) -> Predicted {
        let id = arguments["id"].as_str().expect("an id");
        let role = arguments["role"].as_str().expect("a role");
        let owners = self.roles.values().filter(|role| **role == "owner").count();
        let old = self.roles.get_mut(id).ok_or(NOT_FOUND)?;
        if *old == "owner" && role != "owner" && owners == 1 {
            return Err(CONFLICT);
        }
        *old = ["owner", "office", "tech"].into_iter().find(|it| *it == role).expect("a role");
        Ok(json!({ "user_id": id, "role": role }))
    }
}
