//! A client as simple as can be, and one end of the callbacks.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use echodesk_tests::sandbox::bank::{Behaviour, Card, SandboxBank};
use reqwest::blocking::{self, Response};
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use crate::support::PATIENCE;

pub(super) const PARENT: &str = "22222222-2222-4222-8222-222222222222";
pub(super) const KEY: &str = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80";

/// A bank, and a client with a token.
pub(super) struct Desk {
    pub(super) bank: SandboxBank,
    pub(super) http: blocking::Client,
    pub(super) token: String,
}

/// A status and a body; none if there was no whole answer.
pub(super) type Seen = Option<(u16, String)>;

impl Desk {
    /// A bank with one card.
    pub(super) fn new(behaviour: Behaviour, card: Card) -> Self {
        let bank = SandboxBank::start(behaviour);
        bank.add_card(PARENT, "25.50", card);
        let http =
            blocking::Client::builder().no_proxy().no_gzip().timeout(Duration::from_millis(700)).build().unwrap();
        let mut desk = Self { bank, http, token: String::new() };
        desk.token = desk.fetch_token()["access_token"].as_str().unwrap().to_owned();
        desk
    }

    pub(super) fn fetch_token(&self) -> Value {
        let request = self.http.post(self.bank.token_url());
        let request = request.basic_auth(self.bank.client_id(), Some(self.bank.client_secret()));
        let form = request.header("Content-Type", "application/x-www-form-urlencoded");
        let response = form.body("grant_type=client_credentials").send().unwrap();
        assert_eq!(response.status(), 200);
        serde_json::from_str(&response.text().unwrap()).unwrap()
    }

    pub(super) fn call(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Seen {
        let url = format!("{}{path}", self.bank.api_url());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, url).header(AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        read(request.body(body.to_owned()).send().ok()?)
    }

    pub(super) fn charge(&self, external_id: &str, key: Option<&str>) -> Seen {
        let body = format!("{{\"external_order_id\":\"{external_id}\"}}");
        self.call("POST", &format!("/ecommerce/orders/{PARENT}/subscribe"), key, &body)
    }

    /// Charges, and returns the new order's id.
    pub(super) fn charged(&self, external_id: &str, key: Option<&str>) -> String {
        let (status, body) = self.charge(external_id, key).unwrap();
        assert_eq!(status, 200, "{body}");
        id(&body)
    }

    pub(super) fn receipt(&self, order: &str) -> Value {
        let (status, body) = self.call("GET", &format!("/receipt/{order}"), None, "").unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Status, code and reason of a receipt.
    pub(super) fn standing(&self, order: &str) -> (String, Option<String>, Option<String>) {
        let receipt = self.receipt(order);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let status = text(&receipt["order_status"]["key"]).unwrap();
        (status, text(&receipt["payment_detail"]["code"]), text(&receipt["reject_reason"]))
    }
}

pub(super) fn id(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["id"].as_str().unwrap().to_owned()
}

fn read(response: Response) -> Seen {
    Some((response.status().as_u16(), response.text().ok()?))
}

/// Takes callbacks and answers 200.
pub(super) struct Ear {
    pub(super) url: String,
    heard: Receiver<Heard>,
}

/// A callback as it came.
pub(super) struct Heard {
    pub(super) signature: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Heard {
    pub(super) fn status(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        body["body"]["order_status"]["key"].as_str().unwrap().to_owned()
    }
}

impl Ear {
    pub(super) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/payments/webhook/", listener.local_addr().unwrap());
        let (sender, heard) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut headers = BTreeMap::new();
                for line in reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()) {
                    let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
                let mut body = vec![0; headers["content-length"].parse().unwrap()];
                reader.read_exact(&mut body).unwrap();
                if sender.send(Heard { signature: headers.remove("callback-signature"), body }).is_err() {
                    return;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            }
        });
        Self { url, heard }
    }

    pub(super) fn next(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether nothing has come that was not taken.
    pub(super) fn is_quiet(&self) -> bool {
        self.heard.recv_timeout(Duration::from_millis(100)).is_err()
    }
}
