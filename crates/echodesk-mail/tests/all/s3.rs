//! Attachments in a bucket.

use std::collections::HashMap;

use echodesk_core::{SchemaName, Secret};
use echodesk_mail::attachments::{AttachmentSettings, S3Settings, S3Store};
use echodesk_mail::model::ContentDigest;
use echodesk_mail::ports::{AttachmentError, AttachmentStore};
use sha2::{Digest as _, Sha256};

use crate::s3_server::{KEY, REGION, Request, S3Server, SECRET, Trouble};

fn settings(server: &S3Server) -> S3Settings {
    S3Settings {
        endpoint: server.endpoint(),
        region: REGION.to_owned(),
        bucket: "media".to_owned(),
        access_key: Secret::new(KEY),
        secret_key: Secret::new(SECRET),
        prefix: "mail/in".to_owned(),
        public_url: None,
        path_style: true,
    }
}

fn put(store: &dyn AttachmentStore, content_type: &str, bytes: &[u8]) -> Result<String, AttachmentError> {
    let tenant: SchemaName = "acme".parse().unwrap();
    store.put(&tenant, &ContentDigest(Sha256::digest(bytes).into()), content_type, bytes)
}

/// sha256sum of "hello".
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[test]
fn the_test_service_computes_signatures_as_amazon_documents_them() {
    // "Authenticating Requests: Using Query Parameters", Amazon S3 API reference.
    let query = [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"),
        ("X-Amz-Date", "20130524T000000Z"),
        ("X-Amz-Expires", "86400"),
        ("X-Amz-SignedHeaders", "host"),
    ];
    let request = Request {
        method: "GET".to_owned(),
        path: "/test.txt".to_owned(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: HashMap::from([("host".to_owned(), "examplebucket.s3.amazonaws.com".to_owned())]),
        body: Vec::new(),
    };
    assert_eq!(request.signature("us-east-1"), "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

#[test]
fn objects_are_stored_under_their_content_with_their_type() {
    let server = S3Server::start();
    let store = S3Store::new(settings(&server)).unwrap();
    let url = put(&store, "application/pdf", b"hello").unwrap();
    assert_eq!(url, format!("{}media/mail/in/acme/2c/{HELLO}.pdf", server.endpoint()));
    put(&store, "text/html", b"<script>").unwrap();
    put(&store, "application/pdf", b"").unwrap();
    put(&store, "odd\r\ntype", b"odd").unwrap();
    store.flush().unwrap();

    let objects = server.objects();
    assert_eq!(objects.len(), 4);
    let object = &objects[&format!("/media/mail/in/acme/2c/{HELLO}.pdf")];
    assert_eq!((object.content_type.as_str(), object.disposition.as_str()), ("application/pdf", ""));
    assert_eq!(object.bytes, b"hello");
    let page = objects.values().find(|object| object.bytes == b"<script>").unwrap();
    assert_eq!((page.content_type.as_str(), page.disposition.as_str()), ("text/html", "attachment"));
    assert!(objects.values().any(|object| object.content_type == "application/octet-stream"));
}

#[test]
fn a_public_address_replaces_the_buckets_own() {
    let server = S3Server::start();
    let settings = S3Settings { public_url: Some("https://cdn.example.com/".into()), ..settings(&server) };
    let store = AttachmentSettings::S3(settings).build().unwrap();
    let url = put(store.as_ref(), "application/pdf", b"hello").unwrap();
    assert_eq!(url, format!("https://cdn.example.com/mail/in/acme/2c/{HELLO}.pdf"));
}

#[test]
fn passing_troubles_are_tried_again_and_lasting_ones_told() {
    let server = S3Server::start();
    let store = S3Store::new(settings(&server)).unwrap();
    server.trouble(&[Trouble::Status(503), Trouble::HangUp]);
    put(&store, "application/pdf", b"hello").unwrap();
    assert_eq!((server.requests(), server.objects().len()), (3, 1));

    server.trouble(&[Trouble::Status(500); 3]);
    let error = put(&store, "application/pdf", b"more").unwrap_err().to_string();
    assert_eq!(error, "cannot keep attachments in s3://media: it answered 500 SlowDown, after 3 attempts");
    assert_eq!(server.requests(), 6);

    server.trouble(&[Trouble::Status(404)]);
    put(&store, "application/pdf", b"more").unwrap_err();
    server.trouble(&[Trouble::Redirect]);
    let error = put(&store, "application/pdf", b"more").unwrap_err().to_string();
    assert!(error.contains("it answered 307"), "{error}");
    assert_eq!(server.requests(), 8, "what will not pass is not tried again");
}

#[test]
fn no_error_shows_a_key_or_a_signed_address() {
    let server = S3Server::start();
    let wrong = S3Settings { secret_key: Secret::new("not-the-key"), ..settings(&server) };
    let refused = put(&S3Store::new(wrong).unwrap(), "application/pdf", b"hello").unwrap_err();
    assert!(refused.problem.contains("403 SignatureDoesNotMatch"), "{refused}");

    let nowhere = S3Settings { endpoint: "http://127.0.0.1:1".parse().unwrap(), ..settings(&server) };
    let store = S3Store::new(nowhere).unwrap();
    let unreachable = put(&store, "application/pdf", b"hello").unwrap_err();
    assert!(unreachable.problem.contains("cannot connect"), "{unreachable}");

    for shown in [format!("{refused} {refused:?}"), format!("{unreachable} {unreachable:?}"), format!("{store:?}")] {
        for secret in [KEY, SECRET, "not-the-key", "X-Amz", "Signature="] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    assert!(server.objects().is_empty());
}

#[test]
fn an_endpoint_that_is_none_is_an_error() {
    let server = S3Server::start();
    let endpoint = "ftp://127.0.0.1/".parse().unwrap();
    let error = S3Store::new(S3Settings { endpoint, ..settings(&server) }).unwrap_err();
    assert!(error.to_string().contains("s3://media"), "{error}");
}

#[test]
fn a_store_may_be_made_and_dropped_on_a_thread_of_an_async_runtime() {
    let server = S3Server::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let store = std::sync::Arc::new(S3Store::new(settings(&server)).unwrap());
        let of_thread = store.clone();
        let put = tokio::task::spawn_blocking(move || put(of_thread.as_ref(), "application/pdf", b"hello"));
        put.await.unwrap().unwrap();
        drop(store);
    });
    assert_eq!(server.objects().len(), 1);
}
