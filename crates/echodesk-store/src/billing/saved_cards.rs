//! `tenants_saved_card`: what people are told of the cards that are charged.

use std::collections::HashMap;

use diesel::prelude::*;
use echodesk_billing::model::{BankOrderId, SavedCard};
use echodesk_core::TenantId;

use super::seen::bank_order;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::RowId;
use crate::tables::saved_cards;

#[derive(Queryable, Selectable)]
#[diesel(table_name = saved_cards)]
struct Row {
    tenant_id: RowId,
    parent_order_id: String,
    masked_card_number: String,
    card_expiry: String,
}

/// The active cards of tenants, by tenant.
pub(super) fn active(connection: &mut Connection, tenants: &[RowId]) -> Outcome<HashMap<RowId, Vec<SavedCard>>> {
    let rows: Vec<Row> = on!(connection, |c| saved_cards::table
        .filter(saved_cards::tenant_id.eq_any(tenants))
        .filter(saved_cards::is_active.eq(true))
        .order(saved_cards::id)
        .select(Row::as_select())
        .load(c))?;
    let mut cards: HashMap<RowId, Vec<SavedCard>> = HashMap::new();
    for row in rows {
        let Some(parent) = bank_order(row.parent_order_id) else { continue };
        let card = SavedCard { parent, masked: not_blank(row.masked_card_number), expiry: row.card_expiry };
        cards.entry(row.tenant_id).or_default().push(card);
    }
    Ok(cards)
}

/// The masked number of the card that was saved on an order, if it is known; active or not.
pub(super) fn masked(connection: &mut Connection, tenant: TenantId, parent: &BankOrderId) -> Outcome<Option<String>> {
    let found: Option<String> = on!(connection, |c| saved_cards::table
        .filter(saved_cards::parent_order_id.eq(parent.as_str()))
        .filter(saved_cards::tenant_id.eq(RowId(tenant.0)))
        .select(saved_cards::masked_card_number)
        .first(c)
        .optional())?;
    Ok(found.and_then(not_blank))
}

fn not_blank(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}
