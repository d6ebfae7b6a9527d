//! A bank that answers as it is told, byte for byte, and remembers what it was asked.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the stub does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Answers with this status and body.
    Answer(u16, Vec<u8>),
    /// The same, with one more header.
    Header(u16, &'static str, String, Vec<u8>),
    /// Answers when so much time has passed.
    Slow(Duration, u16, Vec<u8>),
    /// Sends the head of an answer, and the body after so much time.
    SlowBody(Duration, Vec<u8>),
    /// Sends this and closes the connection.
    Raw(Vec<u8>),
    /// Reads the request and closes the connection.
    HangUp,
    /// Closes the connection without reading from it.
    HangUpUnread,
    /// Answers, and accepts no connection any more.
    Last(u16, Vec<u8>),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Method and path.
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(named, _)| named == name).map(|(_, value)| value.as_str());
        let value = values.next().unwrap_or_default();
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }
}

#[derive(Default)]
struct State {
    api: VecDeque<Step>,
    token: VecDeque<Step>,
    refused_token: Option<String>,
    tokens: u32,
    requests: Vec<Request>,
    is_over: bool,
}

/// The stub; it ends with the process. Tokens are granted, and charges accepted as `bank-1`, where no
/// step says otherwise.
#[derive(Clone)]
pub(crate) struct Stub {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

impl Stub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stub = Self { address: format!("http://{}", listener.local_addr().unwrap()), state: Arc::default() };
        let of_thread = stub.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Within the thread that accepts, so that nobody gets in after the last answer.
                if of_thread.state.lock().unwrap().api.iter().any(|step| matches!(step, Step::Last(..))) {
                    of_thread.serve(stream);
                } else {
                    let stub = of_thread.clone();
                    thread::spawn(move || stub.serve(stream));
                }
                if of_thread.state.lock().unwrap().is_over {
                    return;
                }
            }
        });
        stub
    }

    /// What happens to the next requests of the API.
    pub(crate) fn then(&self, steps: impl IntoIterator<Item = Step>) -> &Self {
        self.state.lock().unwrap().api.extend(steps);
        self
    }

    /// What happens to the next requests for a token.
    pub(crate) fn then_token(&self, steps: impl IntoIterator<Item = Step>) -> &Self {
        self.state.lock().unwrap().token.extend(steps);
        self
    }

    /// From now on calls with this token are answered 401.
    pub(crate) fn refuse_token(&self, token: &str) {
        self.state.lock().unwrap().refused_token = Some(format!("Bearer {token}"));
    }

    /// What the API was asked.
    pub(crate) fn calls(&self) -> Vec<Request> {
        self.requests(|line| line != "POST /token")
    }

    /// What was asked for a token.
    pub(crate) fn token_requests(&self) -> Vec<Request> {
        self.requests(|line| line == "POST /token")
    }

    fn requests(&self, is_meant: impl Fn(&str) -> bool) -> Vec<Request> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|request| is_meant(&request.line)).cloned().collect()
    }

    fn serve(&self, mut stream: TcpStream) {
        {
            let mut state = self.state.lock().unwrap();
            if matches!(state.api.front(), Some(Step::HangUpUnread)) && state.tokens > 0 {
                state.api.pop_front();
                return;
            }
        }
        let Some(request) = read(&stream) else { return };
        let step = self.step(request);
        // The client may have given up.
        let _ = answer(&mut stream, step);
    }

    fn step(&self, request: Request) -> Step {
        let mut state = self.state.lock().unwrap();
        state.requests.push(request.clone());
        if request.line == "POST /token" {
            state.tokens += 1;
            let granted =
                format!(r#"{{"access_token":"token-{}","token_type":"Bearer","expires_in":300}}"#, state.tokens);
            return state.token.pop_front().unwrap_or(Step::Answer(200, granted.into_bytes()));
        }
        if state.refused_token.as_deref() == Some(request.header("authorization")) {
            return Step::Answer(401, b"{}".to_vec());
        }
        let step = state.api.pop_front().unwrap_or(Step::Answer(200, br#"{"id":"bank-1"}"#.to_vec()));
        state.is_over = matches!(step, Step::Last(..));
        step
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut request = Request { line, headers, body: String::new() };
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

fn answer(stream: &mut TcpStream, step: Step) -> std::io::Result<()> {
    match step {
        Step::Answer(status, body) | Step::Last(status, body) => {
            stream.write_all(&[head(status, body.len(), ""), body].concat())
        }
        Step::Header(status, name, value, body) => {
            stream.write_all(&[head(status, body.len(), &format!("{name}: {value}\r\n")), body].concat())
        }
        Step::Slow(pause, status, body) => {
            thread::sleep(pause);
            stream.write_all(&[head(status, body.len(), ""), body].concat())
        }
        Step::SlowBody(pause, body) => {
            stream.write_all(&head(200, body.len(), ""))?;
            thread::sleep(pause);
            stream.write_all(&body)
        }
        Step::Raw(bytes) => stream.write_all(&bytes),
        Step::HangUp | Step::HangUpUnread => Ok(()),
    }
}

fn head(status: u16, length: usize, header: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\n{header}");
    write!(head, "Content-Length: {length}\r\n\r\n").unwrap();
    head.into_bytes()
}
