//! `echodesk mailbox add`.

use echodesk_core::Secret;
use echodesk_job::{Needs, SettingsError, tenant};
use echodesk_mail::credential;
use echodesk_mail::model::{Endpoint, Security};
use echodesk_store::{Access, NewMailbox};

use super::password;
use crate::answer::Answer;
use crate::cli::MailboxAddArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn add(world: &World, args: MailboxAddArgs) -> Result<Answer, CommandError> {
    let key = world.settings.environment.secret("ECHODESK_SECRET_KEY").ok_or_else(missing_key)?;
    let store = world.store(Access::ReadWrite, Needs::Mail)?;
    let schema = tenant::find(&store, &args.tenant)?.schema;
    let password = password::read(args.password_stdin)?;
    let sealed = credential::seal(&password, &key, &schema)?;
    let mailbox = new_mailbox(args, sealed);
    let id = store.add_mailbox(&schema, &mailbox, world.clock.now())?;
    let address = &mailbox.address;
    Ok(Answer::done(format!("mailbox {schema}/{id} {address} added; next: echodesk check --tenant {schema}\n")))
}

fn missing_key() -> SettingsError {
    let remedy = "make one with `openssl rand -base64 32`, put it into .env and keep it: \
                  without it the passwords cannot be opened again";
    SettingsError::missing("ECHODESK_SECRET_KEY", remedy)
}

fn new_mailbox(args: MailboxAddArgs, stored_password: Secret) -> NewMailbox {
    // The registered ports: imaps 993 and imap 143 (RFC 8314, section 3.2; RFC 9051, section 2.1).
    let (security, usual_port) = if args.starttls { (Security::StartTls, 143) } else { (Security::Tls, 993) };
    let port = args.imap_port.unwrap_or(usual_port);
    NewMailbox {
        endpoint: Endpoint { host: args.imap_host, port, security },
        username: args.username.unwrap_or_else(|| args.email.clone()),
        display_name: args.display_name.unwrap_or_default(),
        address: args.email,
        stored_password,
        sync_folder: args.folder,
        days_back: args.days_back,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command, MailboxCommand};

    fn made(flags: &str) -> NewMailbox {
        let line = format!("echodesk mailbox add --tenant acme --email a@b.c --imap-host imap.b.c {flags}");
        let Command::Mailbox(MailboxCommand::Add(args)) = Cli::parse_from(line.split_whitespace()).command else {
            panic!("another command")
        };
        new_mailbox(*args, Secret::new("sealed"))
    }

    #[test]
    fn the_port_follows_from_the_kind_of_encryption_unless_it_is_given() {
        let table = [
            ("", 993, Security::Tls),
            ("--starttls", 143, Security::StartTls),
            ("--imap-port 1993", 1993, Security::Tls),
            ("--starttls --imap-port 993", 993, Security::StartTls),
        ];
        for (flags, port, security) in table {
            let endpoint = made(flags).endpoint;
            assert_eq!((endpoint.port, endpoint.security), (port, security), "{flags}");
        }
    }

    #[test]
    fn people_log_in_with_their_address_unless_they_say_otherwise() {
        assert_eq!(made("").username, "a@b.c");
        assert_eq!(made("--username bob").username, "bob");
    }

    #[test]
    fn a_missing_key_comes_with_the_way_to_make_one() {
        let text = missing_key().to_string();
        assert!(text.contains("ECHODESK_SECRET_KEY is not set") && text.contains("openssl rand -base64 32"), "{text}");
    }
}
