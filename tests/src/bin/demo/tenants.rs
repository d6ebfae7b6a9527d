//! Who takes part, and how they came: by the commands that anybody would type.

use echodesk_tests::demo_mailbox::{ADDRESS, PASSWORD};
use echodesk_tests::sandbox::bank::Card;

use crate::screen::say;
use crate::stage::Stage;

/// The day on which the second has money on its card, before the jobs run.
pub(crate) const CARD_HAS_MONEY_FROM: i32 = 3;

/// The day before whose jobs another letter arrives.
pub(crate) const LETTER_ON: i32 = 2;

/// What each pays a month, in lari: two agents at 25.
pub(crate) const PRICE: &str = "50.00";

/// A customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenant {
    pub(crate) schema: &'static str,
    name: &'static str,
    language: &'static str,
}

/// The card works.
pub(crate) const ACME: Tenant = Tenant { schema: "acme", name: "Acme", language: "ka" };

/// There is no money on the card until a few days after expiry.
pub(crate) const BELL: Tenant = Tenant { schema: "bell", name: "Bell", language: "en" };

/// The card has expired, and nobody replaces it.
pub(crate) const COLA: Tenant = Tenant { schema: "cola", name: "Cola", language: "en" };

/// All three.
pub(crate) const ALL: [Tenant; 3] = [ACME, BELL, COLA];

impl Tenant {
    /// The bank's id of the order on which the card was saved.
    pub(crate) fn card(self) -> String {
        format!("CARD-{}", self.schema.to_uppercase())
    }

    /// Where notices go.
    pub(crate) fn admin(self) -> String {
        format!("admin@{}.example", self.schema)
    }

    fn bank_card(self) -> Card {
        match self.schema {
            // Not enough money.
            "bell" => Card::rejected("107"),
            // The card has expired.
            "cola" => Card::rejected("105"),
            _ => Card::pays(),
        }
    }
}

/// Makes the installation, a month before the subscriptions expire. The commands for the first are shown.
pub(crate) fn move_in(stage: &Stage) -> Result<(), String> {
    say!("$ echodesk identity bind          # whose it is: other settings charge and mail nobody from it")?;
    stage.echodesk(&["identity", "bind"], "")?;
    for tenant in ALL {
        let Tenant { schema, name, language } = tenant;
        let (admin, card, expires) = (tenant.admin(), tenant.card(), stage.calendar.expires_at().to_string());
        stage.bank.add_card(&card, PRICE, tenant.bank_card());
        let add = ["tenant", "add", schema, "--name", name, "--admin-email", &admin, "--language", language];
        let subscribe = ["tenant", "subscribe", schema, "--expires", &expires, "--agents", "2", "--price", "25.00"];
        let subscribe = [&subscribe[..], &["--card", &card]].concat();
        for command in [&add[..], &subscribe] {
            if schema == ACME.schema {
                say!("$ echodesk {}", command.join(" "))?;
            }
            stage.echodesk(command, "")?;
        }
    }
    say!("  … and the same for bell and cola")?;
    let port = stage.imap.port().to_string();
    let server = ["--imap-host", "localhost", "--imap-port", &port, "--password-stdin"];
    let add = ["mailbox", "add", "--tenant", ACME.schema, "--email", ADDRESS];
    let add = [&add[..], &server].concat();
    say!("$ echodesk {} < password.txt", add.join(" "))?;
    stage.echodesk(&add, PASSWORD)?;
    say!("")
}
