//! Bugs in believing callbacks.

use serde_json::{Value, json};

use crate::bugs::Bug;
use crate::world::bank::Order;

/// Whether signatures are not looked at: then each is as good as the bank's.
pub(crate) fn believes_everybody(bug: Option<Bug>) -> bool {
    bug == Some(Bug::CallbackUnverified)
}

/// A callback as it is read: by our name of the order and its status alone, if the bug is that.
pub(crate) fn callback_body(bug: Option<Bug>, body: Vec<u8>, (id, order): (&str, &Order)) -> Vec<u8> {
    if bug != Some(Bug::CallbackOfAnother) {
        return body;
    }
    let Ok(mut callback) = serde_json::from_slice::<Value>(&body) else { return body };
    let amount = order.amount.to_string();
    let read = &mut callback["body"];
    read["order_id"] = json!(id);
    read["payment_detail"]["parent_order_id"] = json!(order.parent);
    read["purchase_units"]["request_amount"] = json!(amount);
    if !read["purchase_units"]["transfer_amount"].is_null() {
        read["purchase_units"]["transfer_amount"] = json!(amount);
    }
    callback.to_string().into_bytes()
}
