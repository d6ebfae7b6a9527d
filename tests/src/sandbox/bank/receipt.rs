//! The bank's JSON: what its receipts and callbacks look like. The order of the fields is the wire's.

use serde::Serialize;

use super::card::description;
use super::order::{Order, Status};

/// What `GET /receipt` answers and what a callback carries. Amounts and codes are text. The fields can be
/// changed to build a receipt that the bank would not give.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct Receipt {
    pub order_id: String,
    pub external_order_id: Option<String>,
    pub client: Client,
    pub create_date: String,
    pub zoned_create_date: String,
    pub expire_date: String,
    pub zoned_expire_date: String,
    pub order_status: Named,
    pub buyer: Option<()>,
    pub redirect_links: RedirectLinks,
    pub payment_detail: PaymentDetail,
    pub actions: Option<()>,
    pub disputes: Option<()>,
    pub split: Option<()>,
    pub discount: Option<()>,
    pub lang: &'static str,
    pub reject_reason: Option<String>,
    pub industry: &'static str,
    pub capture: &'static str,
    pub purchase_units: PurchaseUnits,
}

/// The merchant.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct Client {
    pub id: &'static str,
    pub brand_ka: &'static str,
    pub brand_en: &'static str,
    pub url: &'static str,
}

/// Something with a name for machines and a text for people.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct Named {
    pub key: String,
    pub value: String,
}

impl Named {
    fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

/// Where the customer's browser goes.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct RedirectLinks {
    pub success: String,
    pub fail: String,
}

/// How it was paid.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct PaymentDetail {
    pub transfer_method: Named,
    pub transaction_id: Option<String>,
    pub payer_identifier: Option<String>,
    pub payment_option: &'static str,
    pub card_type: Option<String>,
    pub card_expiry_date: Option<String>,
    pub request_account_tag: Option<()>,
    pub transfer_account_tag: Option<()>,
    pub saved_card_type: Option<String>,
    pub parent_order_id: Option<String>,
    pub code: Option<String>,
    pub code_description: Option<String>,
    pub pg_trx_id: Option<String>,
    pub auth_code: Option<String>,
}

/// What was bought.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct PurchaseUnits {
    pub request_amount: String,
    pub transfer_amount: Option<String>,
    pub refund_amount: Option<String>,
    pub currency_code: String,
    pub items: Vec<Item>,
}

/// One thing that was bought.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the bank's")]
pub struct Item {
    pub external_item_id: &'static str,
    pub unit_price: String,
    pub description: Option<()>,
    pub quantity: &'static str,
    pub unit_discount_price: &'static str,
    pub package_code: Option<()>,
    pub total_price: Option<()>,
    pub vat: Option<()>,
    pub vat_percent: Option<()>,
    pub tin: Option<()>,
    pub pinfl: Option<()>,
    pub product_discount_id: Option<()>,
}

/// The body of a callback.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Callback<'a> {
    pub(crate) event: &'static str,
    pub(crate) request_time: String,
    pub(crate) zoned_request_time: String,
    pub(crate) body: &'a Receipt,
}

impl Receipt {
    /// The receipt of an order that stands like this.
    pub(crate) fn of(order: &Order, status: &Status) -> Self {
        let redirect = || format!("https://payment.bog.ge/receipt?order_id={}", order.id);
        let expires = order.created + jiff::SignedDuration::from_mins(15);
        let request_amount = order.amount.normalize().to_string();
        let transfer_amount = match status {
            Status::Completed { amount } => Some(amount.normalize().to_string()),
            _ => None,
        };
        Self {
            order_id: order.id.clone(),
            external_order_id: order.external_id.clone(),
            client: Client {
                id: "00000",
                brand_ka: "სატესტო მაღაზია",
                brand_en: "Test Shop",
                url: "https://shop.example.com",
            },
            create_date: local(order.created),
            zoned_create_date: zoned(order.created),
            expire_date: local(expires),
            zoned_expire_date: zoned(expires),
            order_status: status.named(),
            buyer: None,
            redirect_links: RedirectLinks { success: redirect(), fail: redirect() },
            payment_detail: PaymentDetail::of(order, status),
            actions: None,
            disputes: None,
            split: None,
            discount: None,
            lang: "ka",
            reject_reason: match status {
                Status::Rejected { reason, .. } => reason.clone(),
                _ => None,
            },
            industry: "ecommerce",
            capture: "automatic",
            purchase_units: PurchaseUnits {
                request_amount: request_amount.clone(),
                transfer_amount,
                refund_amount: None,
                currency_code: order.currency.clone(),
                items: vec![Item::of(request_amount)],
            },
        }
    }
}

impl Status {
    fn named(&self) -> Named {
        match self {
            Self::Created => Named::new("created", "შექმნილი"),
            Self::Processing => Named::new("processing", "მუშავდება"),
            Self::Completed { .. } => Named::new("completed", "წარმატებული"),
            Self::Rejected { .. } => Named::new("rejected", "უარყოფილი"),
        }
    }
}

impl PaymentDetail {
    fn of(order: &Order, status: &Status) -> Self {
        let paid = matches!(status, Status::Completed { .. });
        let code = match status {
            Status::Completed { .. } => Some("100".to_owned()),
            Status::Rejected { code, .. } => code.clone(),
            Status::Created | Status::Processing => None,
        };
        let tried = paid || code.is_some();
        let number = order.number;
        Self {
            // Before payment the key is empty text and not null.
            transfer_method: if tried {
                Named::new("card", "ბარათით გადახდა")
            } else {
                Named::new("", "")
            },
            transaction_id: tried.then(|| format!("{number:012}")),
            payer_identifier: tried.then(|| "400000***0001".to_owned()),
            payment_option: if order.parent.is_some() { "subscription" } else { "direct_debit" },
            card_type: tried.then(|| "visa".to_owned()),
            card_expiry_date: tried.then(|| "12/30".to_owned()),
            request_account_tag: None,
            transfer_account_tag: None,
            saved_card_type: order.saves_card.filter(|_| paid).map(str::to_owned),
            parent_order_id: order.parent.clone(),
            code_description: code.as_deref().map(|code| description(code).to_owned()),
            code,
            pg_trx_id: tried.then(|| format!("{number:018}")),
            auth_code: paid.then(|| format!("{:06}", number % 1_000_000)),
        }
    }
}

impl Item {
    fn of(unit_price: String) -> Self {
        Self {
            external_item_id: "plan-basic",
            unit_price,
            description: None,
            quantity: "1",
            unit_discount_price: "0.0",
            package_code: None,
            total_price: None,
            vat: None,
            vat_percent: None,
            tin: None,
            pinfl: None,
            product_discount_id: None,
        }
    }
}

/// The moment in UTC, to the microsecond.
pub(crate) fn zoned(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// The same moment on a clock in Tbilisi, without saying so.
pub(crate) fn local(moment: jiff::Timestamp) -> String {
    (moment + jiff::SignedDuration::from_hours(4)).strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}
