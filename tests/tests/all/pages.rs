//! The pages for operators are followed word by word: every block `sh` of a page is run, in an installation that is
//! thrown away. What needs another machine or another program (Django, root, systemd) is a block `console` and is
//! not run; docs/installing.md is followed by `tests/package`, in a clean system.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{SECRET_KEY, program_path};
use echodesk_tests::sandbox::bank::Card;
use echodesk_tests::sandbox::smtp::{Behaviour, SandboxSmtp};

use crate::payments::world::{PaymentWorld, silent};
use crate::support::{TENANT, World};

const PUBLIC: &str = include_str!("../../fixtures/echodesk.sql");

/// Where the pages say that the jobs are.
const FOLDERS: [&str; 2] = ["/opt/echodesk-jobs", "/var/lib/echodesk"];

/// Cron's, in the pages.
const BARE_PATH: &str = "PATH=/usr/local/bin:/usr/bin:/bin";

/// Each page with commands, and whether it begins in a database that nobody has bound yet.
const PAGES: [(&str, bool); 6] = [
    ("copies-of-the-database", true),
    ("explain-and-forecast", false),
    ("monitoring", false),
    ("replacing-the-django-commands", true),
    ("simulator", false),
    ("troubleshooting", false),
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs")
}

/// The commands of a page, in their order.
fn commands(page: &str) -> String {
    let text = std::fs::read_to_string(folder().join(page)).unwrap();
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// An installation with the bank, a mail server, and a tenant that is to be charged; its settings are in `.env`.
struct Installed {
    world: PaymentWorld,
    mails: SandboxSmtp,
}

impl Installed {
    /// On tables of EchoDesk's, or embedded where PostgreSQL is not installed.
    fn new(is_bound: bool) -> Self {
        let url = Postgres::shared().map(|postgres| {
            let url = postgres.database();
            let _ = postgres.execute(&url, PUBLIC);
            url
        });
        let world = PaymentWorld::of(World::on(url, "/dev/null".as_ref()), silent());
        for tenant in [TENANT, "mytest"] {
            world.subscribe(tenant, 2, Card::pays());
        }
        if !is_bound {
            world.world.execute("DELETE FROM echodesk_identity");
        }
        let this = Self { world, mails: SandboxSmtp::start(Behaviour::plain()) };
        this.write_settings();
        for program in ["echodesk", "sync-emails", "recurring-payments", "subscription-status"] {
            symlink(program_path(program), this.folder().join(program)).unwrap();
        }
        this
    }

    fn folder(&self) -> &Path {
        &self.world.world.installation.folder
    }

    fn write_settings(&self) {
        let bank = &self.world.bank;
        let mut settings = self.mails.settings();
        settings.extend([
            ("DATABASE_URL", self.world.world.installation.database_url.clone()),
            ("ECHODESK_ENVIRONMENT", "test".to_owned()),
            ("ECHODESK_SECRET_KEY", SECRET_KEY.to_owned()),
            ("ECHODESK_ATTACHMENTS", format!("file://{}", self.folder().join("attachments").display())),
            ("BOG_CLIENT_ID", bank.client_id().to_owned()),
            ("BOG_CLIENT_SECRET", bank.client_secret().to_owned()),
            ("BOG_AUTH_URL", bank.token_url()),
            ("BOG_API_BASE_URL", bank.api_url()),
            ("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>".to_owned()),
        ]);
        let text: String = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let file = self.folder().join(".env");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs commands one after the other, as a shell does for somebody who types them; all of them have to end well.
    fn follow(&self, page: &str, commands: &str) {
        let here = self.folder().display().to_string();
        let path = format!("PATH={here}:/usr/bin:/bin");
        let mut script = commands.replace(BARE_PATH, &path);
        for folder in FOLDERS {
            script = script.replace(folder, &here);
        }
        let mut shell = Command::new("sh");
        shell.args(["-exc", &script]).current_dir(self.folder()).env_clear();
        let output = shell.env("PATH", format!("{here}:/usr/bin:/bin")).output().unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(output.status.success(), "{page}: {:?}\n{said}", output.status);
    }
}

fn follow(page: &str) -> Installed {
    let (_, is_new) = PAGES.into_iter().find(|(name, _)| *name == page).unwrap();
    let installed = Installed::new(!is_new);
    installed.follow(page, &commands(&format!("{page}.md")));
    installed
}

#[test]
fn replacing_the_django_commands_can_be_followed_to_a_paid_renewal() {
    let installed = follow("replacing-the-django-commands");
    let paid = "SELECT schema_name || ' ' || state AS value FROM echodesk_charge_attempt";
    assert_eq!(installed.world.world.public_texts(paid), ["mytest paid"], "and nobody else is charged");
    let subjects: Vec<String> =
        installed.mails.mails().iter().map(|mail| mail.header("Subject").unwrap_or_default().to_owned()).collect();
    assert_eq!(subjects.len(), 2, "the test mail, and the receipt: {subjects:?}");
}

#[test]
fn a_copy_is_told_apart_after_the_commands_of_its_page() {
    let installed = follow("copies-of-the-database");
    let bound = installed.world.world.public_texts("SELECT environment AS value FROM echodesk_identity");
    assert_eq!(bound, ["production"]);
}

#[test]
fn the_commands_for_looking_work_as_they_stand() {
    for page in ["explain-and-forecast", "monitoring", "troubleshooting"] {
        let installed = follow(page);
        assert!(installed.world.bank.captures().is_empty(), "{page}: looking charges nobody");
    }
}

/// It needs no installation, only the program where cargo puts it.
#[test]
fn the_simulator_can_be_tried_as_its_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("target/debug");
    std::fs::create_dir_all(&programs).unwrap();
    symlink(program_path("simulate"), programs.join("simulate")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-exc", &commands("simulator.md")]).current_dir(&folder).env_clear();
    let output = shell.env("PATH", "/usr/bin:/bin").output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "{:?}\n{}", output.status, said.concat());
    assert_eq!(said[0].matches("violations      0").count(), 3, "{}", said[0]);
}

#[test]
fn no_page_has_commands_that_nobody_follows() {
    let mut with_commands = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !commands(&name).is_empty() && name != "installing.md" {
            with_commands.push(name.trim_end_matches(".md").to_owned());
        }
    }
    with_commands.sort();
    assert_eq!(with_commands, PAGES.map(|(name, _)| name.to_owned()));
}
