//! An S3-compatible bucket as a store.

mod answer;

use std::fmt;
use std::thread;
use std::time::Duration;

use echodesk_core::{Clock as _, SchemaName, Secret, SystemClock};
use reqwest::blocking::Client;
use reqwest::redirect::Policy;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use url::Url;

use self::answer::Answer;
use super::{media_type, object_key, public_address};
use crate::model::ContentDigest;
use crate::ports::{AttachmentError, AttachmentStore};

/// How often an object is tried, and how long is waited before each further try.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(1200)];

/// For one attempt, upload included.
const TIMEOUT: Duration = Duration::from_secs(60);

/// For the connection alone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a signed request is valid: longer than an attempt, with room for a clock that is off.
const VALIDITY: Duration = Duration::from_secs(15 * 60);

/// Where a bucket is and how it is reached.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// The service: `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: Url,
    /// Its region, which is part of each signature.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Access key id.
    pub access_key: Secret,
    /// Secret access key.
    pub secret_key: Secret,
    /// Put before every key; empty for none.
    pub prefix: String,
    /// Where objects can be read, prefix not included; the bucket's own address without it.
    pub public_url: Option<String>,
    /// Whether the bucket is named in the path (`endpoint/bucket/key`) and not in the host.
    pub path_style: bool,
}

/// Keeps attachments in a bucket. Each is one idempotent PUT, durable when it is answered.
///
/// May be made and dropped on any thread, also one of an async runtime; [`AttachmentStore::put`]
/// blocks and must be called on a plain one.
pub struct S3Store {
    /// None only while it is being dropped.
    client: Option<Client>,
    bucket: Bucket,
    credentials: Credentials,
    prefix: String,
    public_url: Option<String>,
    clock: SystemClock,
}

impl S3Store {
    /// Prepares a store. Nothing is sent.
    ///
    /// # Errors
    /// The endpoint cannot be a service's address, or TLS cannot be set up.
    pub fn new(settings: S3Settings) -> Result<Self, AttachmentError> {
        let S3Settings { endpoint, region, bucket, access_key, secret_key, prefix, public_url, path_style } = settings;
        let error = |problem: String| AttachmentError { place: format!("s3://{bucket}"), problem };
        let style = if path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let place = Bucket::new(endpoint, style, bucket.clone(), region)
            .map_err(|problem| error(format!("its address cannot be used ({problem})")))?;
        // A blocking client has a runtime of its own, which must not be built on an async thread.
        let client = thread::spawn(client).join();
        let client = client.map_err(|_| error("no HTTP client (it panicked)".to_owned()))?;
        let client = client.map_err(|problem| error(format!("no HTTP client ({})", problem.without_url())))?;
        Ok(Self {
            client: Some(client),
            bucket: place,
            credentials: Credentials::new(access_key.expose(), secret_key.expose()),
            prefix: prefix.trim_matches('/').to_owned(),
            public_url,
            clock: SystemClock::new(),
        })
    }

    fn error(&self, problem: impl Into<String>) -> AttachmentError {
        AttachmentError { place: format!("s3://{}", self.bucket.name()), problem: problem.into() }
    }

    fn attempt(&self, client: &Client, key: &str, content_type: &str, bytes: &[u8]) -> Answer {
        let mut action = self.bucket.put_object(Some(&self.credentials), key);
        let mut headers = vec![("content-type", content_type)];
        if media_type::safe_extension(content_type).is_none() {
            // A browser that follows the link must not run what a stranger has sent.
            headers.push(("content-disposition", "attachment"));
        }
        for (name, value) in &headers {
            action.headers_mut().insert(*name, *value);
        }
        let url = action.sign_with_time(VALIDITY, &self.clock.now());
        let request = headers.iter().fold(client.put(url), |request, (name, value)| request.header(*name, *value));
        // reqwest leaves Content-Length out of an empty body, which S3 refuses.
        let request = request.header("content-length", bytes.len()).body(bytes.to_vec());
        Answer::of(request.send())
    }
}

impl AttachmentStore for S3Store {
    fn put(
        &self,
        tenant: &SchemaName,
        digest: &ContentDigest,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<String, AttachmentError> {
        let Some(client) = &self.client else { return Err(self.error("it is closed")) };
        let key = object_key(tenant, digest, content_type);
        let key = if self.prefix.is_empty() { key } else { format!("{}/{key}", self.prefix) };
        let is_clean = !content_type.is_empty() && content_type.bytes().all(|byte| byte.is_ascii_graphic());
        let content_type = if is_clean { content_type } else { "application/octet-stream" };

        let mut last = String::new();
        for pause in PAUSES {
            thread::sleep(pause);
            match self.attempt(client, &key, content_type, bytes) {
                Answer::Kept => {
                    return Ok(match &self.public_url {
                        Some(base) => public_address(base, &key),
                        None => self.bucket.object_url(&key).into(),
                    });
                }
                Answer::Refused(problem) => return Err(self.error(problem)),
                Answer::TryAgain(problem) => last = problem,
            }
        }
        Err(self.error(format!("{last}, after {} attempts", PAUSES.len())))
    }

    fn flush(&self) -> Result<(), AttachmentError> {
        Ok(())
    }
}

impl Drop for S3Store {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // The client's runtime must not end on an async thread. A panic there costs nothing.
            let _ = thread::spawn(move || drop(client)).join();
        }
    }
}

/// Without the credentials.
impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

fn client() -> reqwest::Result<Client> {
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        // A signature is for one address only, so a redirect could not be answered anyway.
        .redirect(Policy::none())
        .build()
}
