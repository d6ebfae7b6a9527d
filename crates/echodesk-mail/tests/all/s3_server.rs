//! A small S3 service that is strict about signatures: it computes AWS Signature Version 4 on its
//! own, from the request as it came over the wire, and refuses whatever does not agree.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use echodesk_core::{Clock as _, SystemClock};
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use url::Url;

pub(crate) const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "eu-central-1";

/// What the service does with a request instead of serving it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// Answers with this status.
    Status(u16),
    /// Closes the connection without an answer.
    HangUp,
    /// Points elsewhere.
    Redirect,
}

/// An object and the headers it was stored with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) content_type: String,
    pub(crate) disposition: String,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    troubles: VecDeque<Trouble>,
    requests: usize,
}

/// The running service; it ends with the process.
#[derive(Clone)]
pub(crate) struct S3Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl S3Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Self { address, state: Arc::default() };
        let of_thread = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = of_thread.clone();
                thread::spawn(move || while server.serve(&stream).is_some() {});
            }
        });
        server
    }

    pub(crate) fn endpoint(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).unwrap()
    }

    /// The next requests meet these troubles, one each.
    pub(crate) fn trouble(&self, troubles: &[Trouble]) {
        self.state.lock().unwrap().troubles.extend(troubles);
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        self.state.lock().unwrap().objects.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// Serves one request; none once the connection is over.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let request = Request::read(stream)?;
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        let (status, body) = match state.troubles.pop_front() {
            Some(Trouble::HangUp) => return None,
            Some(Trouble::Redirect) => (307, String::new()),
            Some(Trouble::Status(status)) => (status, "<Error><Code>SlowDown</Code></Error>".to_owned()),
            None => match request.refusal() {
                Some(problem) => {
                    let code = "<Code>SignatureDoesNotMatch</Code>";
                    (403, format!("<Error>{code}<Message>{problem} {KEY}</Message></Error>"))
                }
                None => {
                    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
                    let object = Object {
                        content_type: header("content-type"),
                        disposition: header("content-disposition"),
                        bytes: request.body.clone(),
                    };
                    state.objects.insert(request.path.clone(), object);
                    (200, String::new())
                }
            },
        };
        let mut answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
        if status == 307 {
            answer += "location: http://127.0.0.1:1/elsewhere\r\n";
        }
        let mut stream = stream;
        stream.write_all(format!("{answer}\r\n{body}").as_bytes()).ok()
    }
}

/// A request as it came.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length")?.parse().ok()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(Self { method, path: path.to_owned(), query, headers, body })
    }

    fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Why the request is not to be served.
    fn refusal(&self) -> Option<&'static str> {
        let signed: Vec<&str> = self.parameter("X-Amz-SignedHeaders").split(';').collect();
        let must_be_signed = ["host", "content-type"];
        if !must_be_signed.iter().all(|name| signed.contains(name)) {
            return Some("a header is not signed");
        }
        if self.parameter("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" {
            return Some("the algorithm is unknown");
        }
        let date = self.parameter("X-Amz-Date");
        let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok();
        let signed_at: Option<Timestamp> =
            signed_at.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
        let age = signed_at.map(|at| SystemClock::new().now().as_second() - at.as_second());
        if age.is_none_or(|age| !(-60..=self.parameter("X-Amz-Expires").parse().unwrap_or(0)).contains(&age)) {
            return Some("the request has expired");
        }
        let credential = format!("{KEY}/{}/{REGION}/s3/aws4_request", date.get(..8).unwrap_or_default());
        if self.parameter("X-Amz-Credential") != credential {
            return Some("the credential is not known");
        }
        (self.signature(REGION) != self.parameter("X-Amz-Signature")).then_some("the signature is wrong")
    }

    /// AWS Signature Version 4 of a request that carries its signature in the query.
    pub(crate) fn signature(&self, region: &str) -> String {
        let mut query: Vec<(String, String)> = self
            .query
            .iter()
            .filter(|(name, _)| name != "X-Amz-Signature")
            .map(|(name, value)| (uri_encode(name), uri_encode(value)))
            .collect();
        query.sort();
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let signed_headers = self.parameter("X-Amz-SignedHeaders");
        let mut headers = String::new();
        for name in signed_headers.split(';') {
            let value = self.headers.get(name).map_or("", String::as_str);
            writeln!(headers, "{name}:{}", value.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
        }
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{signed_headers}\nUNSIGNED-PAYLOAD",
            self.method,
            self.path,
            query.join("&")
        );
        let date = self.parameter("X-Amz-Date");
        let day = date.get(..8).unwrap_or_default();
        let hashed = hex(&Sha256::digest(canonical));
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/s3/aws4_request\n{hashed}");
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in [day, region, "s3", "aws4_request", &to_sign] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(part.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        hex(&key)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uri_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
