//! `echodesk-sandbox smtp`.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use echodesk_tests::sandbox::smtp::{Behaviour, Fault, Login, Point, ReceivedMail, SandboxSmtp, Stage};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port that begins in plain text; any free one if it is not given.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Offers no STARTTLS, so that no certificate has to be trusted.
    #[arg(long)]
    plain: bool,
    /// Who has to log in before anything is taken.
    #[arg(long, value_name = "USER:PASSWORD")]
    login: Option<LogIn>,
    /// Answers like this to mail for an address, for example `b@example.com=550 5.1.1 nobody`. May be given
    /// more than once.
    #[arg(long = "refuse", value_name = "ADDRESS=ANSWER")]
    refused: Vec<Refused>,
    /// Shows the text of each mail.
    #[arg(long)]
    show: bool,
}

#[derive(Clone, Debug)]
struct LogIn(Login);

impl FromStr for LogIn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (user, password) = text.split_once(':').ok_or("expected USER:PASSWORD")?;
        Ok(Self(Login::new(user, password)))
    }
}

#[derive(Clone, Debug)]
struct Refused {
    address: String,
    answer: String,
}

impl FromStr for Refused {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, answer) = text.split_once('=').ok_or("expected ADDRESS=ANSWER")?;
        let refuses = answer.starts_with(['4', '5']) && answer.bytes().take(3).filter(u8::is_ascii_digit).count() == 3;
        if !refuses {
            return Err(format!("{answer} is no answer such as 450 4.2.1 later"));
        }
        Ok(Self { address: address.to_owned(), answer: answer.to_owned() })
    }
}

/// Serves until the process ends.
pub(crate) fn serve(arguments: &Arguments) -> Result<ExitCode, String> {
    let behaviour = if arguments.plain { Behaviour::plain() } else { Behaviour::default() };
    let behaviour = Behaviour { login: arguments.login.clone().map(|login| login.0), ..behaviour };
    let server = SandboxSmtp::start_on([arguments.port, 0], behaviour)
        .map_err(|error| format!("cannot listen on port {}: {error}", arguments.port))?;
    let refused = arguments.refused.clone();
    server.fail_when(move |point: &Point| {
        let to = point.to.last().filter(|_| point.stage == Stage::Recipient)?;
        refused.iter().find(|refused| refused.address == *to).map(|refused| Fault::says(&refused.answer))
    });
    println!("export EMAIL_BACKEND=smtp DEFAULT_FROM_EMAIL='EchoDesk <noreply@example.com>'");
    for (name, value) in server.settings() {
        println!("export {name}='{value}'");
    }
    println!(
        "# the same with TLS from the first byte: EMAIL_PORT={} EMAIL_USE_TLS=False EMAIL_USE_SSL=True",
        server.tls_port()
    );
    let mut seen = 0;
    loop {
        std::thread::sleep(Duration::from_millis(100));
        for mail in server.mails_since(seen) {
            println!("{}", line(&mail));
            if arguments.show {
                println!("{}", mail.text());
            }
            seen += 1;
        }
    }
}

fn line(mail: &ReceivedMail) -> String {
    let way = if mail.secure { "TLS" } else { "plain" };
    let user = mail.user.as_deref().unwrap_or("-");
    format!("{:.0} {way} {user} {} > {}  {}", mail.at, mail.from, mail.to.join(", "), mail.subject())
}
