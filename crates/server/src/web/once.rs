//! Forms that are sent again change nothing again: each carries a key.

use sha2::{Digest, Sha256};

use super::form::Form;
use super::tenant_context::TenantContext;

/// The idempotency key of what a form says: the same form with the same values is saved once. With other values, such
/// as after going back, it is another record.
pub(crate) fn key_of(tenant_context: &TenantContext, form: &Form, values: &str) -> String {
    with_values(tenant_context, form.get("key"), values)
}

/// The idempotency key of all that a form says. Its own key is in the field `once`.
pub(crate) fn key_of_all(tenant_context: &TenantContext, form: &Form) -> String {
    let values = form.fields().into_iter().map(|(name, value)| format!("{name}={value}\n"));
    with_values(tenant_context, form.get("once"), &values.collect::<String>())
}

fn with_values(tenant_context: &TenantContext, sent: Option<&str>, values: &str) -> String {
    let Some(key) = sent else { return fresh_key(tenant_context) };
    let digest = Sha256::digest(values);
    let half = u64::from_be_bytes(*digest.first_chunk().unwrap_or(&[0; 8]));
    format!("{key}-{half:016x}")
}

/// What tells a form from other forms with the same values.
pub(crate) fn fresh_key(tenant_context: &TenantContext) -> String {
    format!("{:032x}", tenant_context.context.shared.environment.entropy.bits())
}
