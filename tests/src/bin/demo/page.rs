//! A customer pays by hand on the bank's page, and EchoDesk books it: neither is a job of ours.

use echodesk_tests::sandbox::bank::{Card, SandboxBank};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::records;
use crate::stage::{Stage, in_full};
use crate::tenants::{PRICE, Tenant};

/// What EchoDesk calls the order.
const ORDER: &str = "PAY-BY-HAND";

/// A payment extends by so many days from the old renewal date.
const EXTENDS_BY: i32 = 30;

/// EchoDesk makes an order at the bank, the customer pays it, EchoDesk's web hook books it.
pub(crate) fn customer_pays(stage: &Stage, tenant: &Tenant, day: i32) -> Result<(), String> {
    let order = make_order(&stage.bank).map_err(|error| format!("the bank's page: {error}"))?;
    stage.bank.customer_pays(&order, Card::pays());
    let at = stage.calendar.at(day, (14, 0));
    let until = stage.calendar.extended_by(EXTENDS_BY);
    let tenant_id = format!("(SELECT id FROM tenants_tenant WHERE schema_name = '{}')", tenant.schema);
    records::execute(
        stage,
        &format!(
            "BEGIN; \
             INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
               created_at, updated_at, paid_at, tenant_id, bog_order_id, card_saved, is_trial_payment, payment_provider) \
             VALUES ('{ORDER}', '{PRICE}', 'GEL', 2, 'paid', '', '{{}}', '{at:.6}', '{at:.6}', '{at:.6}', {tenant_id}, \
               '{order}', false, false, 'bog'); \
             UPDATE tenants_tenant_subscription SET expires_at = '{until:.6}', next_billing_date = '{until:.6}', \
               last_billed_at = '{at:.6}', updated_at = '{at:.6}' WHERE tenant_id = {tenant_id}; \
             COMMIT"
        ),
    )
}

/// An order that waits for its customer; returns the bank's id of it.
fn make_order(bank: &SandboxBank) -> Result<String, String> {
    let failed = |error: reqwest::Error| in_full(&error);
    let http = Client::builder().no_proxy().build().map_err(failed)?;
    let request = http.post(bank.token_url()).basic_auth(bank.client_id(), Some(bank.client_secret()));
    let form = request.header("Content-Type", "application/x-www-form-urlencoded");
    let token = answer(form.body("grant_type=client_credentials").send().map_err(failed)?)?;
    let order = json!({
        "callback_url": "https://echodesk.example/api/payments/webhook/",
        "external_order_id": ORDER,
        "purchase_units": {
            "currency": "GEL",
            "total_amount": 50,
            "basket": [{ "product_id": "subscription", "quantity": 1, "unit_price": 50 }],
        },
    });
    let request = http.post(format!("{}/ecommerce/orders", bank.api_url()));
    let request = request.bearer_auth(token["access_token"].as_str().unwrap_or_default());
    let made = answer(request.body(order.to_string()).send().map_err(failed)?)?;
    made["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no id in {made}"))
}

fn answer(response: reqwest::blocking::Response) -> Result<Value, String> {
    let status = response.status();
    let text = response.text().map_err(|error| in_full(&error))?;
    if !status.is_success() {
        return Err(format!("HTTP {status}: {text}"));
    }
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}
