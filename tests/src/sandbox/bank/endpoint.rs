//! What can be asked of the bank, by method and path.

use axum::http::Method;

/// Where the token endpoint is.
pub(crate) const TOKEN_PATH: &str = "/auth/realms/bog/protocol/openid-connect/token";

/// What the paths of the API begin with.
pub(crate) const API_PATH: &str = "/payments/v1";

/// What can be asked of the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `POST /auth/realms/bog/protocol/openid-connect/token`
    Token,
    /// `POST /ecommerce/orders`
    CreateOrder,
    /// `PUT /orders/{order}/subscriptions` and `PUT /orders/{order}/cards`
    SaveCard,
    /// `POST /ecommerce/orders/{parent}/subscribe`
    Subscribe,
    /// `GET /receipt/{order}`
    Receipt,
    /// `DELETE /charges/card/{order}`
    DeleteCard,
}

impl Endpoint {
    /// The endpoint and the order in the path.
    pub(crate) fn of(method: &Method, path: &str) -> Option<(Self, Option<String>)> {
        if path == TOKEN_PATH {
            return (method == Method::POST).then_some((Self::Token, None));
        }
        let parts: Vec<&str> = path.strip_prefix(API_PATH)?.strip_prefix('/')?.split('/').collect();
        let (endpoint, order) = match (method.as_str(), parts.as_slice()) {
            ("POST", ["ecommerce", "orders"]) => (Self::CreateOrder, None),
            ("PUT", ["orders", order, "subscriptions" | "cards"]) => (Self::SaveCard, Some(order)),
            ("POST", ["ecommerce", "orders", parent, "subscribe"]) => (Self::Subscribe, Some(parent)),
            ("GET", ["receipt", order]) => (Self::Receipt, Some(order)),
            ("DELETE", ["charges", "card", order]) => (Self::DeleteCard, Some(order)),
            _ => return None,
        };
        Some((endpoint, order.map(|order| (*order).to_owned())))
    }

    /// Whether `Idempotency-Key` means something to it.
    pub(crate) fn takes_key(self) -> bool {
        !matches!(self, Self::Token | Self::Receipt)
    }
}
